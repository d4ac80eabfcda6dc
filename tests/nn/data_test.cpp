#include <stdlib.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <complaint.hpp>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <system_error>
#include <temporary_folder.hpp>
#include <vector>
#include <xgrad/nn/data.hpp>

namespace {

using namespace xgrad;
namespace fs = std::filesystem;

class Folder : public TemporaryFolder {
 public:
  // An IDX file of unsigned bytes.
  fs::path write(const std::string& name, const std::vector<int>& sizes, const std::string& bytes) const {
    std::string text = {0, 0, 8, static_cast<char>(sizes.size())};
    for (const int size : sizes) text += {0, 0, static_cast<char>(size >> 8), static_cast<char>(size)};
    std::ofstream(path_ / name, std::ios::binary) << text << bytes;
    return path_ / name;
  }
  const fs::path& path() const { return path_; }
};

using Indices = std::vector<std::int64_t>;

// Three images of 1 x 2 pixels.
ImageSet three(const Folder& folder) {
  using namespace std::string_literals;
  return {folder.write("images", {3, 1, 2}, "\0\xff\x33\x66\1\2"s), folder.write("labels", {3}, "\7\0\xff"s)};
}

}  // namespace

TEST_CASE("An image set gives columns and labels", "[data]") {
  const Folder folder;
  const ImageSet set = three(folder);
  CHECK(set.size() == 3);
  CHECK(set.pixels() == 2);
  CHECK(set.label(0) == 7);
  CHECK(set.label(2) == 255);
  CHECK(equal(set.columns(Indices{0, 1, 2}),
              tensor({{0, 51.F / 255, 1.F / 255}, {1, 102.F / 255, 2.F / 255}})));
  CHECK(equal(set.columns(Indices{1, 1, 0}, float64),
              tensor({{51. / 255, 51. / 255, 0}, {102. / 255, 102. / 255, 1}}, float64)));
  CHECK(equal(set.labels(Indices{2, 0}), tensor({255, 7}).astype(int64)));
  CHECK(set.columns(Indices{}).shape() == Shape{2, 0});
  CHECK(set.labels(Indices{}).shape() == Shape{0});
  const Indices many(100, 1);  // more columns than a block
  const Tensor repeated = set.columns(many, float64);
  CHECK(repeated.shape() == Shape{2, 100});
  CHECK(repeated.at({1, 99}) == 102. / 255);
}

TEST_CASE("An image set's errors", "[data]") {
  const Folder folder;
  const ImageSet set = three(folder);
  CHECK(complaint<Error>([&] { set.columns(Indices{0, 3}); }) == "ImageSet: index 3 is not in [0, 3)");
  CHECK(complaint<Error>([&] { set.labels(Indices{-1}); }) == "ImageSet: index -1 is not in [0, 3)");
  CHECK_THROWS_AS(set.columns(Indices{std::numeric_limits<std::int64_t>::max()}), Error);
  CHECK(complaint<DTypeError>([&] { set.columns(Indices{0}, int64); }) ==
        "ImageSet: pixels are float32 or float64, not int64");
  CHECK_THROWS_AS(set.columns(Indices{0}, bool_), DTypeError);

  const fs::path images = folder.path() / "images", labels = folder.path() / "labels";
  const auto flat = folder.write("flat", {3, 2}, "abcdef"), two = folder.write("two", {2}, "ab"),
             square = folder.write("square", {3, 1}, "abc");
  CHECK(complaint<FormatError>([&] { ImageSet(flat, labels); }) ==
        flat.string() + ": images have 3 axes (count, rows, columns), not 2");
  CHECK(complaint<FormatError>([&] { ImageSet(images, two); }) == two.string() + ": 2 labels for 3 images");
  CHECK_THROWS_AS(ImageSet(images, square), FormatError);
  CHECK_THROWS_AS(ImageSet(labels, images), FormatError);
  CHECK_THROWS_AS(ImageSet(folder.path() / "none", labels), IoError);
  CHECK_THROWS_AS(ImageSet(images, folder.path() / "none"), IoError);
  CHECK_THROWS_AS(fashion_mnist(folder.path()), IoError);
}

TEST_CASE("An empty image set is a set", "[data]") {
  const Folder folder;
  const ImageSet set(folder.write("images", {0, 28, 28}, ""), folder.write("labels", {0}, ""));
  CHECK(set.size() == 0);
  CHECK(set.pixels() == 784);
  CHECK(set.columns(Indices{}).shape() == Shape{784, 0});
}

TEST_CASE("Fashion-MNIST", "[data]") {
  if (!fs::exists(fashion_mnist_folder)) {
    WARN("no Fashion-MNIST in " << fashion_mnist_folder);
    return;
  }
  const Split data = fashion_mnist();
  CHECK(data.train.size() == 60'000);
  CHECK(data.test.size() == 10'000);
  CHECK(data.train.pixels() == 784);
  CHECK(data.test.pixels() == 784);
  const Tensor X = data.train.columns(Indices{0, 59'999, 17});
  CHECK(X.shape() == Shape{784, 3});
  double brightest = 0;
  for (const double v : X.to_vector<double>()) {
    REQUIRE((v >= 0 && v <= 1));
    brightest = std::max(brightest, v);
  }
  CHECK(brightest > 0.9);
  CHECK(data.train.label(0) == 9);  // an ankle boot, as its pages say
  CHECK(data.test.label(0) == 9);
}

TEST_CASE("The flower has two kinds of petals", "[data]") {
  const Flower data = flower();
  CHECK(data.X.shape() == Shape{2, 400});
  CHECK(data.Y.shape() == Shape{1, 400});
  CHECK(data.X.dtype() == float32);
  double positive = 0;
  for (const double y : data.Y.to_vector<double>()) {
    REQUIRE((y == 0 || y == 1));
    positive += y;
  }
  CHECK(positive == 200);
  for (std::int64_t i = 0; i < 400; ++i) CHECK(std::hypot(data.X.at({0, i}), data.X.at({1, i})) < 5.5);
  CHECK(equal(flower().X, data.X));
  CHECK_FALSE(equal(flower(400, 2).X, data.X));
  CHECK(equal(flower(400, 1, float64).X.astype(float32), data.X));
  CHECK(flower(400, 1, float64).Y.dtype() == float64);
}

TEST_CASE("Small and odd flowers", "[data]") {
  for (const std::int64_t m : {2, 3, 5, 101}) {
    const Flower data = flower(m);
    CHECK(data.X.shape() == Shape{2, m});
    double positive = 0;
    for (const double y : data.Y.to_vector<double>()) positive += y;
    CHECK(positive == static_cast<double>(m - m / 2));
    for (const double x : data.X.to_vector<double>()) CHECK(std::isfinite(x));
  }
  CHECK(complaint<Error>([] { flower(1); }) == "flower: needs at least 2 points, not 1");
  CHECK_THROWS_AS(flower(-5), Error);
}

TEST_CASE("The share of right answers", "[data]") {
  CHECK(binary_accuracy(tensor({{0.9, 0.2, 0.6, 0.4}}), tensor({{1, 0, 0, 1}})) == 0.5);
  CHECK(binary_accuracy(tensor({{0.5, 0.51}}), tensor({{0, 1}})) == 1);  // 0.5 is not above 0.5
  CHECK(binary_accuracy(tensor({{0.9}}, float64), tensor({{1}})) == 1);
  CHECK(complaint<ShapeError>([] {
          binary_accuracy(ones({1, 3}), ones({3}));
        }) == "binary_accuracy: predictions (1, 3) and targets (3,) differ in shape");
  const Tensor scores = tensor({{0.1, 0.8, 0.3}, {0.7, 0.1, 0.3}, {0.2, 0.1, 0.4}});
  CHECK(class_accuracy(scores, tensor({1, 0, 2}).astype(int64)) == 1);
  CHECK(class_accuracy(scores, tensor({1, 1, 1}).astype(int64)) == Approx(1. / 3));
  CHECK(complaint<ShapeError>([&] { class_accuracy(scores, zeros({2}, int64)); }) ==
        "class_accuracy: scores (3, 3) (classes, m) for labels (2,)");
  CHECK_THROWS_AS(class_accuracy(scores, zeros({1, 3}, int64)), ShapeError);
  CHECK_THROWS_AS(class_accuracy(ones({0, 3}), zeros({3}, int64)), ShapeError);
}
