#include <xgrad/tensor/batch_norm.hpp>
#include <xgrad/tensor/map.hpp>
#include <xgrad/tensor/reduce.hpp>

namespace xgrad::kernel {
namespace {

Tensor channel_sums(const Tensor& x) { return sum(x, (~AxisSet{0} >> (64 - x.rank())) & ~AxisSet{2}); }

double elements_of_a_channel(const Tensor& x) {
  return static_cast<double>(x.size()) / static_cast<double>(x.shape()[1]);
}

template <class T>
Tensor scaled(const Tensor& x, double factor) {
  return map<T>([factor = static_cast<T>(factor)](auto v) { return v * factor; }, x.shape(), x);
}

}  // namespace

Shape channel_shape(const Shape& shape) {
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(shape.rank()), 1);
  sizes[1] = shape[1];
  return Shape(std::span<const std::int64_t>(sizes));
}

Moments channel_moments(const Tensor& x) {
  Moments moments;
  const double share = 1 / elements_of_a_channel(x);
  xgrad::detail::visit_floating(x.dtype(), [&]<class T>(T) {
    moments.mean = scaled<T>(channel_sums(x), share);
    const auto square = [](auto v, auto m) { return (v - m) * (v - m); };
    moments.variance = scaled<T>(channel_sums(map<T, T>(square, x.shape(), x, moments.mean)), share);
  });
  return moments;
}

Tensor batch_norm(const Tensor& x, const Moments& moments, const Tensor& gamma, const Tensor& beta,
                  double eps) {
  Tensor y;
  xgrad::detail::visit_floating(x.dtype(), [&]<class T>(T) {
    const Tensor slope = map<T, T>(
        [eps = static_cast<T>(eps)](auto variance, auto scale) { return scale / sqrt(variance + eps); },
        gamma.shape(), moments.variance, gamma);
    y = map<T, T, T, T>([](auto v, auto m, auto a, auto b) { return (v - m) * a + b; }, x.shape(), x,
                        moments.mean, slope, beta);
  });
  return y;
}

BatchNormGradients batch_norm_backward(const Tensor& x, const Moments& moments, bool own, const Tensor& gamma,
                                       const Tensor& g, double eps) {
  BatchNormGradients result;
  const double share = 1 / elements_of_a_channel(x);
  xgrad::detail::visit_floating(x.dtype(), [&]<class T>(T) {
    const Tensor rstd =
        map<T>([eps = static_cast<T>(eps)](auto variance) { return 1 / sqrt(variance + eps); }, gamma.shape(),
               moments.variance);
    const Tensor products = channel_sums(
        map<T, T, T>([](auto v, auto m, auto c) { return c * (v - m); }, x.shape(), x, moments.mean, g));
    const auto times = [](auto a, auto b) { return a * b; };
    const Tensor slope = map<T, T>(times, gamma.shape(), gamma, rstd);
    result.dbeta = channel_sums(g);
    result.dgamma = map<T, T>(times, gamma.shape(), products, rstd);
    if (!own) {
      result.dx = map<T, T>(times, x.shape(), g, slope);
      return;
    }
    const Tensor along_z =
        map<T, T>([share = static_cast<T>(share)](auto total, auto r) { return total * r * share; },
                  gamma.shape(), result.dgamma, rstd);
    const Tensor mean_g = scaled<T>(result.dbeta, share);
    result.dx = map<T, T, T, T, T, T>(
        [](auto v, auto c, auto m, auto a, auto mean_c, auto q) { return a * (c - mean_c - (v - m) * q); },
        x.shape(), x, g, moments.mean, slope, mean_g, along_z);
  });
  return result;
}

}  // namespace xgrad::kernel
