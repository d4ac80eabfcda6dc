"""Shapes, parts, orders and indices."""
import torch
import torch.nn.functional as F

from recording import bools, distinct, inf, nan, normal, numbers, sample, whole


def record():
    record_shapes()
    record_parts()
    record_indices()
    record_orders()


def record_shapes():
    for shape, to in [((6,), (2, 3)), ((2, 3), (-1,)), ((2, 3, 4), (4, -1)), ((), (1, 1)), ((0, 3), (3, 0)),
                      ((1, 6), (3, 2))]:
        sample("reshape", lambda x: torch.reshape(x, to), normal(*shape), shape=to)
    for shape, start, end in [((), 0, -1), ((2, 3), 0, -1), ((2, 3, 4), 1, -1), ((2, 3, 4), 0, 1),
                              ((2, 1, 2, 3), 1, 2)]:
        sample("flatten", lambda x: torch.flatten(x, start, end), normal(*shape), start=start, end=end)
    for shape, axis in [((), 0), ((3,), 0), ((3,), -1), ((2, 3), 1), ((2, 3), -3)]:
        sample("expand_dims", lambda x: torch.unsqueeze(x, axis), normal(*shape), axis=[axis])
    for shape, axis in [((1, 3, 1), None), ((1, 3, 1), (0,)), ((1, 3, 1), (0, -1)), ((2, 3), None), ((1,), (0,))]:
        sample("squeeze", lambda x: torch.squeeze(x) if axis is None else torch.squeeze(x, axis), normal(*shape),
               axis=axis)
    for shape, order in [((2, 3), (1, 0)), ((2, 3, 4), (2, 0, 1)), ((2, 3, 4), (0, -1, 1)), ((3,), (0,)),
                         ((2, 1, 3, 2), (3, 1, 0, 2)), ((17, 19), (1, 0))]:
        for name in ("transpose", "permute_dims"):
            sample(name, lambda x: torch.permute(x, order), normal(*shape), order=order)
    for shape in [(2, 3), (2, 3, 4), (2, 1, 3, 2)]:
        sample("matrix_transpose", lambda x: x.mT, normal(*shape))
        sample("swapaxes", lambda x: torch.swapaxes(x, 0, -1), normal(*shape), first=0, second=-1)
        sample("moveaxis", lambda x: torch.moveaxis(x, 0, -1), normal(*shape), source=[0], destination=[-1])
        sample("moveaxis", lambda x: torch.moveaxis(x, (0, -1), (1, 0)), normal(*shape), source=[0, -1],
               destination=[1, 0])
    for shape, to in [((), (3,)), ((3,), (2, 3)), ((3, 1), (3, 4)), ((2, 1, 1), (2, 3, 4)), ((1,), (0,)),
                      ((2, 3), (2, 3)), ((1, 3, 1), (2, 2, 3, 4))]:
        sample("broadcast_to", lambda x: torch.broadcast_to(x, to), normal(*shape), shape=to)
    for shape, times in [((3,), (2,)), ((2, 3), (2, 2)), ((2, 3), (3,)), ((3,), (2, 1, 2)), ((), (4,)), ((2,), (0,))]:
        sample("tile", lambda x: torch.tile(x, times), normal(*shape), times=times)
    for shape, times, axis in [((3,), 2, 0), ((2, 3), 3, 1), ((2, 3), 2, None), ((2, 3), 2, 0),
                               ((2, 3), [2, 0, 1], 1), ((3,), [1, 3, 0], 0)]:
        sample("repeat", lambda x: torch.repeat_interleave(x, torch.tensor(times), axis), normal(*shape),
               times=times, axis=axis)
    for sizes in [(2, 3), (1, 4), (2, 3, 2)]:
        for indexing in ("xy", "ij"):
            for part in (0, 1):
                sample("meshgrid", lambda *x: torch.meshgrid(*x, indexing=indexing)[part],
                       *[normal(n) for n in sizes], indexing=indexing, part=part)


def record_parts():
    for axis, parts in [(0, [(2,), (3,)]), (0, [(1, 3), (2, 3)]), (-1, [(2, 1), (2, 3), (2, 2)]),
                        (1, [(2, 0, 2), (2, 3, 2)]), (0, [(4,)])]:
        sample("concat", lambda *x: torch.cat(x, axis), *[normal(*s) for s in parts], axis=axis)
    for axis, shape, n in [(0, (3,), 2), (-1, (3,), 3), (1, (2, 3), 2), (0, (), 4), (-2, (2, 3), 1)]:
        sample("stack", lambda *x: torch.stack(x, axis), *[normal(*shape) for _ in range(n)], axis=axis)
    for shape, places, axis in [((5,), [2], 0), ((2, 6), [1, 4], 1), ((4, 3), [1, 1], 0), ((7,), [3, 5], -1)]:
        for part in range(len(places) + 1):
            sample("split", lambda x: torch.tensor_split(x, places, axis)[part], normal(*shape), places=places,
                   axis=axis, part=part)
    for shape, count, axis in [((6,), 3, 0), ((2, 4), 2, 1), ((4, 3), 2, -2)]:
        for part in range(2):
            sample("split_equal", lambda x: torch.tensor_split(x, count, axis)[part], normal(*shape), count=count,
                   axis=axis, part=part)
    for shape, axis in [((3,), 0), ((2, 3), 1), ((2, 3, 2), -2)]:
        for part in (0, -1):
            sample("unstack", lambda x: torch.unbind(x, axis)[part], normal(*shape), axis=axis,
                   part=part % shape[axis])
    for shape, start, stop, step, axis in [((7,), 1, 5, 1, 0), ((7,), 0, 7, 3, 0), ((2, 6), 2, -1, 2, 1),
                                           ((5, 2), -3, 100, 1, 0), ((3, 4), 2, 2, 1, 1)]:
        index = (slice(None),) * axis + (slice(start, stop, step),)
        sample("slice", lambda x: x[index], normal(*shape), start=start, stop=stop, step=step, axis=axis)
    for shape, place in [((4,), 2), ((2, 3), -1), ((3, 2, 2), 0)]:
        sample("view", lambda x: x[..., place, None], normal(*shape), place=place)
    for shape in [(3, 3), (2, 4), (4, 2), (2, 3, 3)]:
        for offset in (0, 1, -1, 2):
            sample("diagonal", lambda x: torch.diagonal(x, offset), normal(*shape), offset=offset, first=0, second=1)
            sample("tril", lambda x: torch.tril(x, offset), normal(*shape), offset=offset)
            sample("triu", lambda x: torch.triu(x, offset), normal(*shape), offset=offset)
    sample("diagonal", lambda x: torch.diagonal(x, 1, -1, 0), normal(3, 2, 4), offset=1, first=-1, second=0)
    for shape in [(3,), (3, 3), (2, 4)]:
        for offset in (0, 1, -1):
            sample("diag", lambda x: torch.diag(x, offset), normal(*shape), offset=offset)


def record_indices():
    for shape, n, axis in [((5,), (3,), 0), ((4, 3), (6,), 0), ((4, 3), (2,), 1), ((2, 3, 4), (5,), -2),
                           ((3, 2), (0,), 0)]:
        index = whole(0, shape[axis], *n)
        sample("take", lambda x, i: torch.index_select(x, axis, i), normal(*shape), index, axis=axis)
        to = list(shape)
        to[axis] = n[0]
        sample("index_add", lambda x, i, u: torch.index_add(x, axis, i, u), normal(*shape), index, normal(*to),
               axis=axis)
    sample("take", lambda x, i: x[i], normal(4, 2), whole(-4, 4, 2, 3), axis=0)
    sample("take", lambda x, i: x[:, i], normal(2, 5), whole(-5, 5, 3, 1), axis=1)
    for shape, n, axis in [((5,), 3, 0), ((4, 3), 2, 0), ((4, 3), 6, 1), ((2, 3, 4), 2, -1)]:
        to = list(shape)
        to[axis] = n
        index = whole(0, shape[axis], *to)
        sample("take_along_axis", lambda x, i: torch.take_along_dim(x, i, axis), normal(*shape), index, axis=axis)
        sample("scatter_add", lambda x, i, u: torch.scatter_add(x, axis, i, u), normal(*shape), index, normal(*to),
               axis=axis)
    for shape, axis in [((5, 3), -1), ((3, 5), 0), ((2, 3, 4), 1)]:
        labels = whole(0, shape[axis], *[n for i, n in enumerate(shape) if i != axis % len(shape)])
        sample("pick", lambda x, i: torch.gather(x, axis, i.unsqueeze(axis)).squeeze(axis), normal(*shape), labels,
               axis=axis)
    for n, d, shape in [(5, 3, (4,)), (4, 2, (2, 3)), (3, 1, ()), (6, 4, (9,))]:
        sample("embedding", lambda w, i: F.embedding(i, w), normal(n, d), whole(0, n, *shape))
    for shape, classes in [((4,), 3), ((2, 3), 5), ((), 2)]:
        sample("one_hot", lambda i: F.one_hot(i, classes).float(), whole(0, classes, *shape), classes=classes)
    for shape, mask in [((5,), (5,)), ((2, 3), (3,)), ((2, 3), (2, 1)), ((2, 2, 2), ())]:
        sample("masked_fill", lambda x, m: x.masked_fill(m, 1.5), normal(*shape), bools(*mask), value=1.5)
        sample("masked_fill", lambda x, m, v: x.masked_fill(m, v), normal(*shape), bools(*mask), normal(), value=None)
    for shape in [(6,), (3, 4), (2, 2, 3)]:
        for part in range(len(shape)):
            sample("nonzero", lambda x: torch.nonzero(x, as_tuple=True)[part], torch.relu(normal(*shape)), part=part)


def record_orders():
    special = numbers(1.0, nan, -inf, inf, 0.0, -3.0)
    for shape, axis in [((7,), 0), ((3, 4), 1), ((3, 4), 0), ((2, 3, 5), -2)]:
        for descending in (False, True):
            order = dict(dim=axis, descending=descending, stable=True)
            sample("sort", lambda x: torch.sort(x, **order).values, distinct(*shape), axis=axis,
                   descending=descending)
            sample("argsort", lambda x: torch.argsort(x, **order), distinct(*shape), axis=axis, descending=descending)
            for k in (1, 2):
                for part in ("values", "indices"):
                    sample("topk", lambda x: getattr(torch.topk(x, k, axis, descending), part), distinct(*shape),
                           k=k, axis=axis, largest=descending, part=part)
        sample("flip", lambda x: torch.flip(x, (axis,)), normal(*shape), axis=[axis])
        for shift in (1, -2, 9):
            sample("roll", lambda x: torch.roll(x, shift, axis), normal(*shape), shifts=[shift], axes=[axis])
    for descending in (False, True):
        sample("sort", lambda x: torch.sort(x, descending=descending).values, special,
               case=f"special, descending {descending}", axis=0, descending=descending)
        sample("argsort", lambda x: torch.argsort(x, descending=descending, stable=True), numbers(2.0, 1.0, 2.0, 1.0),
               case=f"ties, descending {descending}", axis=0, descending=descending)
    sample("flip", lambda x: torch.flip(x, (0, 2)), normal(2, 3, 4), axis=[0, 2])
    sample("roll", lambda x: torch.roll(x, 2), normal(3, 4), shifts=[2], axes=None)
    sample("roll", lambda x: torch.roll(x, (1, -2), (0, 2)), normal(2, 3, 4), shifts=[1, -2], axes=[0, 2])
    modes = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}
    for ours, theirs in modes.items():
        for shape, widths in [((1, 2, 5), [(0, 0), (0, 0), (2, 3)]),
                              ((1, 1, 4, 3), [(0, 0), (0, 0), (1, 0), (2, 2)])]:
            given = [n for pair in reversed(widths[2:]) for n in pair]  # PyTorch's begin with the last axis
            more = dict(value=0.5) if ours == "constant" else {}
            sample("pad", lambda x: F.pad(x, given, theirs, **more), normal(*shape), widths=widths, mode=ours,
                   value=0.5)
    sample("pad", lambda x: F.pad(x, (1, 2)), normal(3), widths=[(1, 2)], mode="constant", value=0.0)
