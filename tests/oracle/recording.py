"""Running one operation of PyTorch and keeping what came out; and the numbers that go in."""
import math

import torch

samples = []
named = set()
random = torch.Generator().manual_seed(20261123)


def number(v):
    """As JSON can hold it."""
    if isinstance(v, float) and not math.isfinite(v):
        return "nan" if math.isnan(v) else "inf" if v > 0 else "-inf"
    return v


def tensor(x):
    x = x.detach()
    return {"dtype": str(x.dtype).removeprefix("torch."), "shape": list(x.shape),
            "data": [number(v) for v in x.reshape(-1).tolist()]}


def sample(op, f, *inputs, case="", **args):
    """f(*inputs) and its gradients for a drawn cotangent. `args` are for the reader: f has them already."""
    if case:
        assert (op, case) not in named, f"{op} has two cases {case}"
        named.add((op, case))
    leaves = [x.detach().clone().requires_grad_(x.is_floating_point()) for x in inputs]
    y = f(*leaves)
    kept = {"op": op, "case": case, "args": {k: number(v) for k, v in args.items()},
            "inputs": [tensor(x) for x in inputs], "output": tensor(y)}
    if y.requires_grad:
        cotangent = normal(*y.shape)
        cotangent[cotangent == 0] = 1  # which would hide what it meets
        floats = [x for x in leaves if x.requires_grad]
        gradients = iter(torch.autograd.grad(y, floats, cotangent, allow_unused=True))
        kept["cotangent"] = tensor(cotangent)
        found = [next(gradients) if x.requires_grad else None for x in leaves]
        kept["gradients"] = [None if g is None else tensor(g) for g in found]
    samples.append(kept)


def on_grid(x):
    """Whole multiples of 1/256: exact, and short to write."""
    return torch.round(x * 256) / 256


def normal(*shape, scale=1.0):
    return on_grid(torch.randn(shape, generator=random, dtype=torch.float64) * scale)


def uniform(low, high, *shape):
    return on_grid(torch.rand(shape, generator=random, dtype=torch.float64) * (high - low) + low)


def distinct(*shape):
    """No two elements equal."""
    n = math.prod(shape)
    return (torch.randperm(n, generator=random).double() - n // 2).reshape(shape) / 4


def whole(low, high, *shape):
    return torch.randint(low, high, shape, generator=random)


def bools(*shape):
    return whole(0, 2, *shape).bool()


def numbers(*values):
    return torch.tensor(values, dtype=torch.float64)


inf, nan = math.inf, math.nan
