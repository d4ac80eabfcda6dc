#include <cmath>
#include <xgrad/autograd/tape.hpp>
#include <xgrad/nn/data.hpp>
#include <xgrad/ops/ops.hpp>
#include <xgrad/tensor/philox.hpp>

namespace xgrad {

ImageSet::ImageSet(const std::filesystem::path& images, const std::filesystem::path& labels)
    : images_(read_idx(images)), labels_(read_idx(labels)) {
  if (images_.sizes.size() != 3) {
    throw FormatError(images.string() + ": images have 3 axes (count, rows, columns), not " +
                      std::to_string(images_.sizes.size()));
  }
  if (labels_.sizes.size() != 1 || labels_.sizes[0] != images_.sizes[0]) {
    throw FormatError(labels.string() + ": " + std::to_string(labels_.bytes.size()) + " labels for " +
                      std::to_string(images_.sizes[0]) + " images");
  }
}

void ImageSet::require(std::span<const std::int64_t> which) const {
  for (std::int64_t i : which) {
    if (i < 0 || i >= size()) {
      throw Error("ImageSet: index " + std::to_string(i) + " is not in [0, " + std::to_string(size()) + ")");
    }
  }
}

Tensor ImageSet::columns(std::span<const std::int64_t> which, DType dtype) const {
  require(which);
  if (!is_floating(dtype))
    throw DTypeError(std::string("ImageSet: pixels are float32 or float64, not ") + name(dtype));
  const std::int64_t n = pixels(), m = static_cast<std::int64_t>(which.size());
  Tensor result({n, m}, dtype);
  detail::visit_floating(dtype, [&]<class T>(T) {
    T* out = detail::mutable_data<T>(result);
    constexpr std::int64_t block =
        16;  // columns at a time, so that a row's cache line is filled while it is near
    for (std::int64_t first = 0; first < m; first += block) {
      const std::int64_t last = std::min(first + block, m);
      for (std::int64_t p = 0; p < n; ++p) {
        for (std::int64_t j = first; j < last; ++j) {
          const std::uint8_t byte =
              images_.bytes[static_cast<std::size_t>(which[static_cast<std::size_t>(j)] * n + p)];
          out[p * m + j] = static_cast<T>(byte) / T(255);
        }
      }
    }
  });
  return result;
}

Tensor ImageSet::labels(std::span<const std::int64_t> which) const {
  require(which);
  std::vector<std::int64_t> values;
  for (std::int64_t i : which) values.push_back(label(i));
  return Tensor({static_cast<std::int64_t>(values.size())}, values);
}

Split fashion_mnist(const std::filesystem::path& folder) {
  return {ImageSet(folder / "train-images-idx3-ubyte.gz", folder / "train-labels-idx1-ubyte.gz"),
          ImageSet(folder / "t10k-images-idx3-ubyte.gz", folder / "t10k-labels-idx1-ubyte.gz")};
}

Flower flower(std::int64_t m, std::uint64_t seed, DType dtype) {
  if (m < 2) throw Error("flower: needs at least 2 points, not " + std::to_string(m));
  const std::int64_t half = m / 2;
  Generator random(seed);
  std::vector<double> noise(static_cast<std::size_t>(2 * m)), x(static_cast<std::size_t>(2 * m)),
      y(static_cast<std::size_t>(m));
  random.fill_normal(std::span<double>(noise), 0, 0.2);
  for (std::int64_t i = 0; i < m; ++i) {
    const std::int64_t petal = i < half ? 0 : 1, count = petal == 0 ? half : m - half, k = i - petal * half;
    const auto j = static_cast<std::size_t>(i), second = static_cast<std::size_t>(m + i);
    const double along = count > 1 ? static_cast<double>(k) / static_cast<double>(count - 1) : 0;
    const double angle = 3.12 * (static_cast<double>(petal) + along) + noise[j];
    const double radius = 4 * std::sin(4 * angle) + noise[second];
    x[j] = radius * std::sin(angle);
    x[second] = radius * std::cos(angle);
    y[j] = static_cast<double>(petal);
  }
  return {Tensor({2, m}, x).astype(dtype), Tensor({1, m}, y).astype(dtype)};
}

double binary_accuracy(const Tensor& a, const Tensor& y) {
  if (a.shape() != y.shape()) {
    throw ShapeError("binary_accuracy: predictions " + to_string(a.shape()) + " and targets " +
                     to_string(y.shape()) + " differ in shape");
  }
  const Tape::Pause pause;
  return mean((Variable(a) > 0.5) == (Variable(y) > 0.5)).item();
}

double class_accuracy(const Tensor& scores, const Tensor& labels) {
  const Tape::Pause pause;
  const Variable best = argmax(scores, 0);
  if (best.shape() != labels.shape()) {
    throw ShapeError("class_accuracy: scores " + to_string(scores.shape()) + " (classes, m) for labels " +
                     to_string(labels.shape()));
  }
  return mean(best == labels).item();
}

}  // namespace xgrad
