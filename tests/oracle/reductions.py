"""Reductions and scans along axes."""
import torch
import torch.nn.functional as F

from recording import bools, distinct, inf, nan, normal, numbers, sample, whole

# A shape, and axes of it (None: all).
places = [((), None), ((5,), None), ((5,), 0), ((2, 3), None), ((2, 3), 1), ((2, 3), -2), ((3, 1), -1),
          ((2, 3, 4), (0, 2)),
          ((2, 3, 4), 1), ((2, 3, 4), (0, 1, 2)), ((17, 19), 0), ((17, 19), 1)]
lines = [((1,), 0), ((6,), -1), ((2, 3), 0), ((2, 3), 1), ((3, 2, 4), 1), ((3, 1), 1)]


def over(axis, shape):
    """PyTorch's `dim` for our axis."""
    return tuple(range(len(shape))) if axis is None else axis


def logmeanexp(x, dim, keepdim):
    n = x.numel() / max(1, torch.logsumexp(x, dim).numel())
    return torch.logsumexp(x, dim, keepdim) - torch.log(torch.tensor(n, dtype=torch.float64))


def product(x, dim, keepdim):
    for axis in sorted([d % x.dim() for d in ((dim,) if isinstance(dim, int) else dim)], reverse=True):
        x = torch.prod(x, axis, keepdim)
    return x


reductions = {
    "sum": torch.sum, "mean": torch.mean, "prod": product, "max": torch.amax, "min": torch.amin, "amax": torch.amax,
    "amin": torch.amin, "logsumexp": torch.logsumexp, "logmeanexp": logmeanexp,
    "sum_squares": lambda x, dim, keepdim: torch.sum(x * x, dim, keepdim),
}
flat = {"any": torch.any, "all": torch.all,
        "count_nonzero": lambda x, dim, keepdim: torch.sum(x != 0, dim, keepdim) if keepdim else torch.count_nonzero(x, dim)}
rows = {
    "ties": [[1.0, 2.0, 2.0, -1.0], [3.0, 3.0, 3.0, 0.0], [-0.0, 0.0, -1.0, 0.0]],
    "zeros": [[2.0, 0.0, 3.0, 4.0], [0.0, 0.0, 1.0, 2.0], [0.0, 0.0, 0.0, 0.0]],
    "large": [[1000.0, 0.0, -1000.0, 5.0], [1e4, -1e4, 1e4, 0.0], [700.0, 710.0, 720.0, 1.0]],
    "inf": [[inf, 1.0, 2.0, 3.0]], "-inf": [[-inf, 1.0, 2.0, 3.0]], "all -inf": [[-inf, -inf]], "nan": [[1.0, nan, 3.0, nan]],
    "equal": [[2.5, 2.5, 2.5], [0.1, 0.1, 0.1]],
}
orders = [1, 2, 3, 0.5, 0, -1, -2, inf, -inf]


def record():
    for name, f in reductions.items():
        for shape, axis in places:
            for keepdims in (False, True):
                x = distinct(*shape) if name in ("max", "min", "amax", "amin") else normal(*shape)
                sample(name, lambda x: f(x, over(axis, shape), keepdims), x, axis=axis, keepdims=keepdims)
        for case, values in rows.items():
            sample(name, lambda x: f(x, 1, False), numbers(*values), case=case, axis=1, keepdims=False)
    for name, f in {"sum": torch.sum, "prod": torch.prod, "mean": torch.mean}.items():
        sample(name, f, normal(0), case="empty", axis=None, keepdims=False)
    sample("logsumexp", lambda x: torch.logsumexp(x, 0), normal(0), case="empty", axis=0, keepdims=False)
    for name, f in flat.items():
        for shape, axis in places[1:]:
            for keepdims in (False, True):
                x = torch.relu(normal(*shape))
                sample(name, lambda x: f(x, over(axis, shape), keepdims), x, axis=axis, keepdims=keepdims)
        sample(name, lambda x: f(x, 1, False), numbers(*rows["nan"]), case="nan", axis=1, keepdims=False)
        sample(name, lambda x: f(x, 1, False), bools(3, 4), case="bool", axis=1, keepdims=False)
    for name, f in {"var": torch.var, "std": torch.std}.items():
        for shape, axis in places[1:]:
            for correction in (0, 1):
                if correction and (shape == (3, 1) or shape == ()):
                    continue  # nothing is left to divide by: an error in xgrad
                for keepdims in (False, True):
                    sample(name, lambda x: f(x, over(axis, shape), correction=correction, keepdim=keepdims),
                           normal(*shape),
                           axis=axis, correction=correction, keepdims=keepdims)
        for case in ("equal", "zeros", "nan", "inf"):
            sample(name, lambda x: f(x, 1, correction=0), numbers(*rows[case]), case=case, axis=1, correction=0,
                   keepdims=False)
        sample(name, lambda x: f(x, 0, correction=0), numbers(2.0), case="one", axis=0, correction=0, keepdims=False)
    for p in orders:
        for shape, axis in [((5,), None), ((2, 3), None), ((2, 3), 1), ((2, 3, 4), (0, 2)), ((17, 19), 0)]:
            for keepdims in (False, True):
                sample("norm", lambda x: torch.linalg.vector_norm(x, p, over(axis, shape), keepdims),
                       distinct(*shape) + 0.125,
                       p=p, axis=axis, keepdims=keepdims)
        for case, values in {"zero": [[0.0, 0.0]], "zeros": [[3.0, 0.0, -4.0]],
                             "ties": [[3.0, -3.0, 1.0], [2.0, 2.0, 5.0]],
                             "nan": [[1.0, nan]]}.items():
            sample("norm", lambda x: torch.linalg.vector_norm(x, p, 1), numbers(*values), case=f"{case}, p {p:g}",
                   p=p, axis=1, keepdims=False)
    for p, shape, axis in [(2, (5,), 0), (2, (2, 3), 1), (1, (2, 3), 0), (3, (2, 3, 4), -1)]:
        sample("normalize", lambda x: F.normalize(x, p, axis), normal(*shape), p=p, axis=axis, eps=1e-12)
        sample("normalize", lambda x: F.normalize(x, p, axis, 100.0), normal(*shape), p=p, axis=axis, eps=100.0)
    sample("normalize", lambda x: F.normalize(x, 2, 0), numbers(0.0, 0.0), case="zero", p=2, axis=0, eps=1e-12)
    record_lines()
    record_integers()


scans = {"cumsum": torch.cumsum, "cumprod": torch.cumprod, "logcumsumexp": torch.logcumsumexp,
         "cummax": lambda x, axis: torch.cummax(x, axis).values, "cummin": lambda x, axis: torch.cummin(x, axis).values,
         "softmax": torch.softmax, "log_softmax": torch.log_softmax}


def record_lines():
    for name, f in scans.items():
        for shape, axis in lines + [((40,), 0), ((3, 33), 1)]:
            x = distinct(*shape) if name in ("cummax", "cummin") else normal(*shape)
            sample(name, lambda x: f(x, axis), x, axis=axis, reverse=False)
            if "cum" in name and name not in ("cummax", "cummin"):
                sample(name, lambda x: f(x.flip(axis), axis).flip(axis), normal(*shape), axis=axis, reverse=True)
        for case, values in rows.items():
            if case != "ties" or name not in ("cummax", "cummin"):
                sample(name, lambda x: f(x, 1), numbers(*values), case=case, axis=1, reverse=False)
            else:  # without two that are equal; the choice between those has a case of its own
                sample(name, lambda x: f(x, 0), numbers(1.0, 2.0, 2.0, 0.5, 0.5), case=case, axis=0, reverse=False)
    for shape, axis in lines:
        mask = bools(*shape)
        mask.select(axis, 0).fill_(True)  # a row that is masked out whole has a case of its own
        sample("masked_softmax", lambda x, m: torch.softmax(x.masked_fill(~m, -inf), axis), normal(*shape), mask,
               axis=axis)
    sample("masked_softmax", lambda x, m: torch.softmax(x.masked_fill(~m, -inf), 0), numbers(1.0, 2.0),
           torch.tensor([False, False]), case="all masked", axis=0)
    for name, f in {"argmax": torch.argmax, "argmin": torch.argmin}.items():
        for shape, axis in lines:
            sample(name, lambda x: f(x, axis), distinct(*shape), axis=axis)
        for case in ("ties", "nan", "inf"):
            sample(name, lambda x: f(x, 1), numbers(*rows[case]), case=case, axis=1)


def record_integers():
    for shape, axis in [((5,), None), ((2, 3), 1), ((2, 3, 4), (0, 2))]:
        for name in ("sum", "prod", "max", "min", "count_nonzero"):
            f = reductions.get(name) or flat[name]
            sample(name, lambda x: f(x, over(axis, shape), True), whole(-9, 10, *shape), axis=axis, keepdims=True)
        sample("sum", lambda x: torch.sum(x, over(axis, shape)), bools(*shape), axis=axis, keepdims=False)
    for shape, axis in lines:
        for name in ("cumsum", "cumprod", "cummax", "cummin"):
            sample(name, lambda x: scans[name](x, axis), whole(-9, 10, *shape), axis=axis, reverse=False)
