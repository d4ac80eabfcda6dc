// Data for the examples and tests: labelled images from IDX files, and the course's flower set.
#pragma once

#include <filesystem>
#include <span>
#include <vector>
#include <xgrad/nn/idx.hpp>
#include <xgrad/tensor/tensor.hpp>

namespace xgrad {

/// Labelled grey images, kept as bytes.
class ImageSet {
 public:
  /// Reads two IDX files (gzip or not). Throws IoError or FormatError; FormatError, too, if the images do not
  /// have three axes or there is not one label for each.
  ImageSet(const std::filesystem::path& images, const std::filesystem::path& labels);

  std::int64_t size() const { return images_.sizes[0]; }
  std::int64_t pixels() const { return images_.sizes[1] * images_.sizes[2]; }
  std::uint8_t label(std::int64_t i) const { return labels_.bytes[static_cast<std::size_t>(i)]; }

  /// The images named, in columns: (pixels, count), each pixel in [0, 1]. Throws Error if an index is out of
  /// range, DTypeError unless the dtype is float32 or float64.
  Tensor columns(std::span<const std::int64_t> which, DType dtype = float32) const;
  /// Their labels: (count,), int64.
  Tensor labels(std::span<const std::int64_t> which) const;

 private:
  void require(std::span<const std::int64_t> which) const;
  IdxArray images_, labels_;
};

/// The folder where Debian's dataset-fashion-mnist installs.
inline constexpr const char* fashion_mnist_folder = "/usr/share/datasets/fashion-mnist";

struct Split {
  ImageSet train, test;
};
/// Fashion-MNIST: 60,000 images for training and 10,000 for testing, 28 x 28, ten classes. Throws IoError or
/// FormatError.
Split fashion_mnist(const std::filesystem::path& folder = fashion_mnist_folder);

struct Flower {
  Tensor X, Y;  ///< (2, m) and (1, m)
};
/// The planar set of the course (week 3, homework): m points, half of each class, on two curves r = 4 sin(4
/// t) + noise in polar coordinates. Throws Error if m < 2.
Flower flower(std::int64_t m = 400, std::uint64_t seed = 1, DType dtype = float32);

/// The share of examples for which (a > 0.5) is y; a and y are (1, m), as in the notes. Throws ShapeError if
/// they differ.
double binary_accuracy(const Tensor& a, const Tensor& y);
/// The share of columns of `scores` (classes, m) whose maximum stands in the row that `labels` (m,) names.
double class_accuracy(const Tensor& scores, const Tensor& labels);

}  // namespace xgrad
