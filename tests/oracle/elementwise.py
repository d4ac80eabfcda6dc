"""Functions of elements, and of two or three that broadcast."""
import torch
import torch.nn.functional as F

from recording import bools, inf, nan, normal, numbers, sample, uniform, whole

wide, positive, unit = (-4, 4), (0.1, 5), (-0.95, 0.95)

# What only differs in the interval that its argument is drawn from.
unary = {
    "neg": (torch.neg, wide), "abs": (torch.abs, wide), "square": (torch.square, wide), "sign": (torch.sign, wide),
    "floor": (torch.floor, wide), "ceil": (torch.ceil, wide), "round": (torch.round, wide), "trunc": (torch.trunc, wide),
    "exp": (torch.exp, wide), "exp2": (torch.exp2, wide), "expm1": (torch.expm1, wide), "log": (torch.log, positive),
    "log2": (torch.log2, positive), "log10": (torch.log10, positive), "log1p": (torch.log1p, (-0.9, 4)),
    "sqrt": (torch.sqrt, positive), "rsqrt": (torch.rsqrt, positive), "reciprocal": (torch.reciprocal, positive),
    "sin": (torch.sin, wide), "cos": (torch.cos, wide), "tan": (torch.tan, (-1.4, 1.4)), "asin": (torch.asin, unit),
    "acos": (torch.acos, unit), "atan": (torch.atan, wide), "sinh": (torch.sinh, wide), "cosh": (torch.cosh, wide),
    "tanh": (torch.tanh, wide), "asinh": (torch.asinh, wide), "acosh": (torch.acosh, (1.1, 5)),
    "atanh": (torch.atanh, unit), "lgamma": (torch.lgamma, positive), "digamma": (torch.digamma, positive),
    "erf": (torch.erf, wide), "erfc": (torch.erfc, wide), "sigmoid": (torch.sigmoid, wide),
    "logsigmoid": (F.logsigmoid, wide), "softsign": (F.softsign, wide), "relu": (F.relu, wide), "silu": (F.silu, wide),
    "mish": (F.mish, wide), "selu": (F.selu, wide), "relu6": (F.relu6, (-3, 9)), "hard_sigmoid": (F.hardsigmoid, (-5, 5)),
    "gelu": (F.gelu, wide), "gelu_tanh": (lambda x: F.gelu(x, approximate="tanh"), wide),
}
flat = {"isnan": torch.isnan, "isinf": torch.isinf, "isfinite": torch.isfinite}

# Beside the usual interval. 2**1023 and 5e-324 are the ends of float64.
places = {"0": 0.0, "-0": -0.0, "1": 1.0, "-1": -1.0, "0.5": 0.5, "-2.5": -2.5, "3": 3.0, "-20": -20.0, "6": 6.0,
          "35": 35.0,
          "-300": -300.0, "700": 700.0, "-745": -745.0, "1e-10": 1e-10, "-1e-300": -1e-300, "5e-324": 5e-324,
          "1e30": 1e30, "-1e30": -1e30, "1e300": 1e300, "-1e300": -1e300, "inf": inf, "-inf": -inf, "nan": nan}

# Numbers that are part of the function.
numbered = [
    ("leaky_relu", lambda slope: lambda x: F.leaky_relu(x, slope), [dict(slope=0.01), dict(slope=0.25)]),
    ("elu", lambda alpha: lambda x: F.elu(x, alpha), [dict(alpha=1.0), dict(alpha=0.5)]),
    ("celu", lambda alpha: lambda x: F.celu(x, alpha), [dict(alpha=1.0), dict(alpha=2.0)]),
    ("hardtanh", lambda low, high: lambda x: F.hardtanh(x, low, high),
     [dict(low=-1.0, high=1.0), dict(low=-2.0, high=0.5)]),
    ("clip", lambda low, high: lambda x: torch.clamp(x, low, high),
     [dict(low=-1.0, high=1.0), dict(low=-2.5, high=3.0)]),
    # From `threshold` on PyTorch leaves e^-x out; behind 36 that is below a rounding.
    ("softplus", lambda beta: lambda x: F.softplus(x, beta, 36), [dict(beta=1.0), dict(beta=2.0), dict(beta=0.25)]),
    ("power", lambda exponent: lambda x: x**exponent, [dict(exponent=e) for e in (0, 1, 2, 3, -1, 4.0, -2.0)]),
    ("root", lambda exponent: lambda x: x**exponent, [dict(exponent=e) for e in (0.5, -0.5, 1.5, -2.25)]),
    ("polygamma", lambda n: lambda x: torch.polygamma(n, x), [dict(n=1), dict(n=2), dict(n=3)]),
]

binary = {
    "add": (torch.add, wide, wide), "sub": (torch.sub, wide, wide), "mul": (torch.mul, wide, wide),
    "div": (torch.div, wide, positive), "pow": (torch.pow, positive, wide), "maximum": (torch.maximum, wide, wide),
    "minimum": (torch.minimum, wide, wide), "atan2": (torch.atan2, wide, wide), "hypot": (torch.hypot, wide, wide),
    "fmod": (torch.fmod, wide, positive), "remainder": (torch.remainder, wide, (-5, -0.1)),
    "copysign": (torch.copysign, wide, wide), "xlogy": (torch.xlogy, wide, positive),
    "xlog1py": (torch.special.xlog1py, wide, (-0.9, 4)), "logaddexp": (torch.logaddexp, wide, wide),
    "squared_difference": (lambda a, b: (a - b) ** 2, wide, wide), "less": (torch.lt, wide, wide),
    "less_equal": (torch.le, wide, wide), "greater": (torch.gt, wide, wide), "greater_equal": (torch.ge, wide, wide),
    "equal_to": (torch.eq, wide, wide), "not_equal_to": (torch.ne, wide, wide),
}
logical = {"logical_and": torch.logical_and, "logical_or": torch.logical_or, "logical_xor": torch.logical_xor}

shapes = [(), (1,), (7,), (33,), (2, 3), (1, 2, 1), (2, 0)]
pairs = [((), ()), ((9,), (9,)), ((3, 4), (4,)), ((3, 1), (1, 4)), ((2, 3, 4), (3, 1)), ((), (3,)), ((2, 2), ()),
         ((2, 1, 3, 1), (1, 2, 1, 2)), ((0, 3), (3,))]
# Both operands from these: ties, signed zeros, zero over zero, what overflows.
corners = {"0": 0.0, "-0": -0.0, "1": 1.0, "-2": -2.0, "0.5": 0.5, "1e200": 1e200, "inf": inf, "-inf": -inf,
           "nan": nan}


def record():
    record_integers()
    for name, (f, interval) in unary.items():
        for shape in shapes:
            sample(name, f, uniform(*interval, *shape))
        for place, value in places.items():
            sample(name, f, numbers(value), case=place)
    for name, f in flat.items():
        sample(name, f, numbers(*places.values()))
    for n in (1, 2, 3, 4):
        for x in (-0.25, -0.875, -2.75, -7.125, -0.0078125):
            sample("polygamma", lambda x: torch.polygamma(n, x), numbers(x), case=f"left of 0, n {n}, x {x}", n=n)
    for name, of, choices in numbered:
        interval = positive if name in ("root", "polygamma") else wide
        for args in choices:
            for shape in shapes[:5]:
                sample(name, of(**args), uniform(*interval, *shape), **args)
            for place in ("0", "1", "-1", "-2.5", "35", "700", "1e-10", "inf", "-inf", "nan"):
                what = " ".join(f"{k} {v:g}" for k, v in args.items())
                sample(name, of(**args), numbers(places[place]), case=f"{what} at {place}", **args)
    for name, (f, first, second) in binary.items():
        for a, b in pairs:
            sample(name, f, uniform(*first, *a), uniform(*second, *b))
        for p, a in corners.items():
            for q, b in corners.items():
                sample(name, f, numbers(a), numbers(b), case=f"{p}, {q}")
    for name, f in logical.items():
        for a, b in pairs[1:5]:
            sample(name, f, bools(*a), bools(*b))
    sample("logical_not", torch.logical_not, bools(7))
    for c, a, b in [((4,), (4,), (4,)), ((3, 1), (3, 4), (4,)), ((2, 3), (), (1, 3)), ((), (2,), (2,))]:
        sample("where", torch.where, bools(*c), normal(*a), normal(*b))
        sample("lerp", torch.lerp, normal(*a), normal(*b), uniform(0, 1, *c))
    sample("where", torch.where, torch.tensor([True, False]), numbers(nan, 1), numbers(2, inf))
    for x, a in [((5,), (1,)), ((2, 3), (3,)), ((2, 3, 2), (3,))]:
        shaped = (lambda v: v) if len(x) < 3 else lambda v: v.reshape(3, 1)  # PyTorch's weights lie along axis 1
        sample("prelu", lambda x, a: torch.where(x > 0, x, shaped(a) * x), normal(*x), shaped(uniform(0, 1, *a)))
        sample("prelu", lambda x, a: F.prelu(x, a.reshape(-1)), normal(*x), shaped(uniform(0, 1, *a)))
    for axis, shape in [(-1, (4,)), (-1, (3, 2)), (0, (4, 3)), (1, (2, 6, 3))]:
        sample("glu", lambda x: F.glu(x, axis), normal(*shape), axis=axis)


def record_integers():
    for name in ("neg", "abs", "square", "sign"):
        for shape in [(), (9,), (2, 3)]:
            sample(name, unary[name][0], whole(-9, 10, *shape))
    for name in ("add", "sub", "mul", "maximum", "minimum", "fmod", "remainder", "less", "less_equal", "greater",
                 "equal_to"):
        for a, b in pairs[1:5]:
            divides = name in ("fmod", "remainder")
            sample(name, binary[name][0], whole(-9, 10, *a), whole(1 if divides else -9, 10, *b))
