#include <memory>
#include <xgrad/ops/moving.hpp>
#include <xgrad/ops/pooling.hpp>
#include <xgrad/tensor/pooling.hpp>

namespace xgrad {

using detail::Call, detail::moved;

namespace {

struct Pooled {
  Call call;
  const char* adjoint;  // its name
  std::shared_ptr<const kernel::Pooling> windows;
  Shape from, to;

  Call adjoint_call() const { return {adjoint, call.where}; }
};

Variable mean_pooled(const Pooled& how, const Variable& x);
Variable mean_unpooled(const Pooled& how, const Variable& g);

struct MeanMove {
  Pooled how;
  bool back;  // of the adjoint
  Variable pull(const Variable& g) const { return back ? mean_pooled(how, g) : mean_unpooled(how, g); }
  Variable push(const Variable& t) const { return back ? mean_unpooled(how, t) : mean_pooled(how, t); }
};

Variable mean_pooled(const Pooled& how, const Variable& x) {
  return moved(how.call, kernel::mean_pool(*how.windows, x.value(), how.to), x, [&] {
    return MeanMove{how, false};
  });
}
Variable mean_unpooled(const Pooled& how, const Variable& g) {
  return moved(how.adjoint_call(), kernel::mean_unpool(*how.windows, g.value(), how.from), g, [&] {
    return MeanMove{how, true};
  });
}

// Which elements the maxima are, for what is linear beside them.
struct Maxima {
  Pooled how;
  Tensor x, y;
};

Variable chosen(const Maxima& maxima, const Variable& t);
Variable max_unpooled(const Maxima& maxima, const Variable& g);

struct MaxMove {
  Maxima maxima;
  bool back;
  Variable pull(const Variable& g) const { return back ? chosen(maxima, g) : max_unpooled(maxima, g); }
  Variable push(const Variable& t) const { return back ? max_unpooled(maxima, t) : chosen(maxima, t); }
};

Variable chosen(const Maxima& maxima, const Variable& t) {
  return moved(maxima.how.call, kernel::choose(*maxima.how.windows, maxima.x, maxima.y, t.value()), t, [&] {
    return MaxMove{maxima, false};
  });
}
Variable max_unpooled(const Maxima& maxima, const Variable& g) {
  return moved(maxima.how.adjoint_call(),
               kernel::max_unpool(*maxima.how.windows, maxima.x, maxima.y, g.value()), g, [&] {
                 return MaxMove{maxima, true};
               });
}

Variable max_pooled(const Pooled& how, const Variable& x) {
  Tensor y = kernel::max_pool(*how.windows, x.value(), how.to);
  return moved(how.call, y, x, [&] { return MaxMove{{how, x.value(), y}, false}; });
}

const Variable& require_image(const Call& call, Operand& x, int axes) {
  if (x.rank() != axes + 2) {
    call.fail<ShapeError>(
        std::string("x is ") + (axes == 1 ? "(N, C, L)" : "(N, C, H, W)") + ", not " + x.describe(),
        x.rank() == axes + 1 ? "give a single example its axis with expand_dims(x, 0)" : "");
  }
  return x.as(is_floating(x.dtype()) ? x.dtype() : float32);
}

struct AxisOptions {
  PerAxis kernel, stride, padding, dilation;
  bool counts_padding;
};

kernel::Windows windows_of(const Call& call, const Operand& x, const AxisOptions& options, int axes,
                           int axis) {
  const auto number = [&](const char* what, const PerAxis& given, std::int64_t least) {
    return detail::number_of(call, what, given, axes, axis, least);
  };
  const std::int64_t taps = number("kernel", options.kernel, 1), given = number("stride", options.stride, 0),
                     stride = given == 0 ? taps : given, padding = number("padding", options.padding, 0),
                     dilation = number("dilation", options.dilation, 1);
  const std::int64_t covered = dilation * (taps - 1) + 1;
  kernel::Windows all{x.shape()[axis + 2], dilation, {}};
  detail::require_fit(call, covered, dilation != 1, all.size + 2 * padding, axis + 2, x.describe());
  for (std::int64_t i = 0; i <= (all.size + 2 * padding - covered) / stride; ++i) {
    const std::int64_t start = i * stride - padding,
                       before = start < 0 ? (-start + dilation - 1) / dilation : 0,
                       first = start + before * dilation,
                       room = first < all.size ? (all.size - 1 - first) / dilation + 1 : 0,
                       count = std::min(taps - before, room);
    if (count <= 0) {
      call.fail<ShapeError>("window " + std::to_string(i) + " of axis " + std::to_string(axis + 2) +
                            " lies in the padding alone: " + x.describe() + " with a padding of " +
                            std::to_string(padding));
    }
    all.windows.push_back({first, count, options.counts_padding ? taps : count});
  }
  return all;
}

template <class F>
Pooled pooled(const Call& call, const char* adjoint, const Shape& from, int axes, const F& windows) {
  auto how = std::make_shared<kernel::Pooling>();
  if (axes == 2) how->high = windows(0);
  how->wide = windows(axes - 1);
  const Shape to = axes == 1 ? Shape{from[0], from[1], how->wide.count()}
                             : Shape{from[0], from[1], how->high.count(), how->wide.count()};
  return {call, adjoint, std::move(how), from, to};
}

Variable max_pool(const char* name, const char* adjoint, int axes, Operand& x, PerAxis kernel,
                  const MaxPoolOptions& o) {
  const Call call(name, x);
  const Variable& v = require_image(call, x, axes);
  const AxisOptions options{kernel, o.stride, o.padding, o.dilation, false};
  return max_pooled(pooled(call, adjoint, v.shape(), axes,
                           [&](int axis) { return windows_of(call, x, options, axes, axis); }),
                    v);
}

Variable avg_pool(const char* name, const char* adjoint, int axes, Operand& x, PerAxis kernel,
                  const AvgPoolOptions& o) {
  const Call call(name, x);
  const Variable& v = require_image(call, x, axes);
  const AxisOptions options{kernel, o.stride, o.padding, 1, o.count_include_pad};
  return mean_pooled(pooled(call, adjoint, v.shape(), axes,
                            [&](int axis) { return windows_of(call, x, options, axes, axis); }),
                     v);
}

Variable adaptive(const char* name, const char* adjoint, int axes, Operand& x, PerAxis size) {
  const Call call(name, x);
  const Variable& v = require_image(call, x, axes);
  const auto windows = [&](int axis) {
    const std::int64_t n = v.shape()[axis + 2], count = detail::number_of(call, "size", size, axes, axis, 1);
    if (n == 0) {
      call.fail<ShapeError>("the mean of no elements along axis " + std::to_string(axis + 2) + ": " +
                            x.describe());
    }
    kernel::Windows all{n, 1, {}};
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t first = i * n / count, places = ((i + 1) * n + count - 1) / count - first;
      all.windows.push_back({first, places, places});
    }
    return all;
  };
  return mean_pooled(pooled(call, adjoint, v.shape(), axes, windows), v);
}

}  // namespace

Variable max_pool2d(Operand x, PerAxis kernel, const MaxPoolOptions& options) {
  return max_pool("max_pool2d", "max_unpool2d", 2, x, kernel, options);
}
Variable max_pool1d(Operand x, std::int64_t kernel, const MaxPoolOptions& options) {
  return max_pool("max_pool1d", "max_unpool1d", 1, x, kernel, options);
}
Variable avg_pool2d(Operand x, PerAxis kernel, const AvgPoolOptions& options) {
  return avg_pool("avg_pool2d", "avg_unpool2d", 2, x, kernel, options);
}
Variable avg_pool1d(Operand x, std::int64_t kernel, const AvgPoolOptions& options) {
  return avg_pool("avg_pool1d", "avg_unpool1d", 1, x, kernel, options);
}
Variable adaptive_avg_pool2d(Operand x, PerAxis size) {
  return adaptive("adaptive_avg_pool2d", "avg_unpool2d", 2, x, size);
}
Variable adaptive_avg_pool1d(Operand x, std::int64_t size) {
  return adaptive("adaptive_avg_pool1d", "avg_unpool1d", 1, x, size);
}

}  // namespace xgrad
