"""Convolution, pooling, normalisation and losses."""
import torch
import torch.nn.functional as F

from recording import distinct, inf, nan, normal, numbers, sample, uniform, whole


def record():
    record_convolutions()
    record_pooling()
    record_normalizations()
    record_losses()


def record_convolutions():
    plain = dict(stride=[1, 1], padding=[0, 0], dilation=[1, 1], groups=1)
    for more in [{}, dict(stride=[2, 1]), dict(padding=[1, 2]), dict(dilation=[2, 1]), dict(groups=2),
                 dict(stride=[2, 2], padding=[1, 1], dilation=[1, 2], groups=2)]:
        args = plain | more
        g = args["groups"]
        for n, c, o, size, kernel in [(1, 2, 2, (6, 7), (3, 2)), (2, 4, 6, (5, 5), (3, 3)),
                                      (3, 2, 4, (4, 6), (1, 1))]:
            x, w, b = normal(n, c, *size), normal(o, c // g, *kernel), normal(o)
            sample("conv2d", lambda x, w: F.conv2d(x, w, **args), x, w, **args)
            sample("conv2d", lambda x, w, b: F.conv2d(x, w, b, **args), x, w, b, **args)
            t = normal(c, o // g, *kernel)
            sample("conv_transpose2d", lambda x, w: F.conv_transpose2d(x, w, **args), x, t, output_padding=[0, 0],
                   **args)
            sample("conv_transpose2d", lambda x, w, b: F.conv_transpose2d(x, w, b, **args), x, t, b,
                   output_padding=[0, 0], **args)
        line = {k: v[0] if isinstance(v, list) else v for k, v in args.items()}
        for n, c, o, size, kernel in [(1, 2, 2, 7, 3), (2, 4, 4, 9, 2)]:
            x, w, b = normal(n, c, size), normal(o, c // g, kernel), normal(o)
            sample("conv1d", lambda x, w: F.conv1d(x, w, **line), x, w, **line)
            sample("conv1d", lambda x, w, b: F.conv1d(x, w, b, **line), x, w, b, **line)
            t = normal(c, o // g, kernel)
            sample("conv_transpose1d", lambda x, w: F.conv_transpose1d(x, w, **line), x, t, output_padding=0, **line)
            sample("conv_transpose1d", lambda x, w, b: F.conv_transpose1d(x, w, b, **line), x, t, b,
                   output_padding=0, **line)
    args = dict(stride=[2, 3], padding=[1, 0], output_padding=[1, 2], dilation=[1, 1], groups=1)
    sample("conv_transpose2d", lambda x, w: F.conv_transpose2d(x, w, **args), normal(2, 2, 3, 3),
           normal(2, 3, 3, 2), **args)
    for kernel in [(3, 3), (2, 3), (1, 4)]:
        sample("conv2d_same", lambda x, w: F.conv2d(x, w, padding="same"), normal(1, 2, 5, 6), normal(3, 2, *kernel))


def record_pooling():
    for kernel, stride, padding in [((2, 2), (2, 2), (0, 0)), ((3, 2), (1, 2), (1, 0)), ((2, 3), (2, 1), (1, 1)),
                                    ((1, 1), (1, 1), (0, 0))]:
        args = dict(kernel=kernel, stride=stride, padding=padding)
        for shape in [(1, 1, 4, 6), (2, 3, 5, 7)]:
            sample("max_pool2d", lambda x: F.max_pool2d(x, kernel, stride, padding), distinct(*shape),
                   dilation=[1, 1], **args)
            for counted in (True, False):
                sample("avg_pool2d", lambda x: F.avg_pool2d(x, kernel, stride, padding, count_include_pad=counted),
                       normal(*shape), count_include_pad=counted, **args)
            line = {k: v[0] for k, v in args.items()}
            k, s, p = line.values()
            sample("max_pool1d", lambda x: F.max_pool1d(x, k, s, p), distinct(*shape[1:]), dilation=1, **line)
            for counted in (True, False):
                sample("avg_pool1d", lambda x: F.avg_pool1d(x, k, s, p, count_include_pad=counted),
                       normal(*shape[1:]), count_include_pad=counted, **line)
    sample("max_pool2d", lambda x: F.max_pool2d(x, 2, 1, 0, (2, 1)), distinct(2, 1, 5, 4), kernel=[2, 2],
           stride=[1, 1], padding=[0, 0], dilation=[2, 1])
    for case, row in {"nan": [1.0, nan, 3.0, 4.0], "-inf": [-inf, -inf, 1.0, -inf],
                      "ties": [2.0, 2.0, 1.0, 3.0]}.items():
        sample("max_pool1d", lambda x: F.max_pool1d(x, 2), numbers([row]), case=case, kernel=2, stride=2, padding=0,
               dilation=1)
    for size in [(1, 1), (2, 3), (4, 4), (7, 5)]:
        sample("adaptive_avg_pool2d", lambda x: F.adaptive_avg_pool2d(x, size), normal(2, 2, 5, 7), size=size)
        sample("adaptive_avg_pool1d", lambda x: F.adaptive_avg_pool1d(x, size[1]), normal(2, 2, 7), size=size[1])


def record_normalizations():
    for shape in [(4,), (3, 5), (2, 3, 4), (3, 33)]:
        n = shape[-1]
        for eps in (1e-5, 0.1):
            sample("layer_norm", lambda x, g, b: F.layer_norm(x, (n,), g, b, eps), normal(*shape), normal(n),
                   normal(n), eps=eps)
            sample("rms_norm", lambda x, g: F.rms_norm(x, (n,), g, eps), normal(*shape), normal(n), eps=eps)
    for shape in [(4, 2), (2, 3, 4), (2, 2, 3, 3)]:
        c = shape[1]
        for training in (True, False):
            for momentum, eps in [(0.1, 1e-5), (0.5, 0.1)]:
                mean, variance = normal(c), uniform(0.5, 2, c)
                args = dict(training=training, momentum=momentum, eps=eps)

                def run(x, g, b, part):
                    m, v = mean.clone(), variance.clone()
                    y = F.batch_norm(x, m, v, g, b, training, momentum, eps)
                    return {"y": y, "mean": m, "variance": v}[part]

                inputs = normal(*shape), normal(c), normal(c)
                kept = dict(running_mean=mean.tolist(), running_variance=variance.tolist())
                for part in ("y", "mean", "variance"):
                    sample("batch_norm", lambda x, g, b: run(x, g, b, part), *inputs, part=part, **kept, **args)
    for shape, groups in [((2, 4), 2), ((2, 4, 3), 1), ((2, 4, 3), 4), ((1, 6, 2, 2), 3)]:
        c = shape[1]
        sample("group_norm", lambda x, g, b: F.group_norm(x, groups, g, b), normal(*shape), normal(c), normal(c),
               groups=groups, eps=1e-5)


def record_losses():
    each = dict(reduction="none")
    for shape in [(), (5,), (2, 3), (17, 2)]:
        sample("squared_error", lambda a, y: F.mse_loss(a, y, **each), normal(*shape), normal(*shape))
        sample("binary_cross_entropy", lambda a, y: F.binary_cross_entropy(a, y, **each), uniform(0.05, 0.95, *shape),
               uniform(0, 1, *shape))
        sample("binary_cross_entropy_with_logits", lambda z, y: F.binary_cross_entropy_with_logits(z, y, **each),
               normal(*shape, scale=3), uniform(0, 1, *shape))
    for a in (0.0, 1.0, 1e-45):
        for y in (0.0, 1.0, 0.5):
            sample("binary_cross_entropy", lambda a, y: F.binary_cross_entropy(a, y, **each), numbers(a), numbers(y),
                   case=f"{a:g}, {y:g}")
    for z in (1e4, -1e4, inf, -inf, nan, 0.0):
        for y in (0.0, 1.0, 0.25):
            sample("binary_cross_entropy_with_logits",
                   lambda z, y: F.binary_cross_entropy_with_logits(z, y, **each), numbers(z), numbers(y),
                   case=f"{z:g}, {y:g}")
    for shape, classes, axis in [((5,), 3, -1), ((2, 3), 4, 1), ((1,), 2, -1), ((17,), 10, -1)]:
        logits = list(shape)
        logits.insert(1, classes)  # PyTorch's classes lie along axis 1
        sample("softmax_cross_entropy", lambda z, t: F.cross_entropy(z, t, **each), normal(*logits, scale=3),
               whole(0, classes, *shape), axis=1)
        last = list(shape) + [classes]
        sample("softmax_cross_entropy", lambda z, t: F.cross_entropy(z.movedim(-1, 1), t, **each),
               normal(*last, scale=3), whole(0, classes, *shape), axis=-1)
    wrong = numbers([1e4, -1e4], [-1e4, 1e4])
    sample("softmax_cross_entropy", lambda z, t: F.cross_entropy(z, t, **each), wrong, torch.tensor([1, 1]),
           case="1e4", axis=1)
