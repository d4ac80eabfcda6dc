// The folders' order, read from their include lines: tensor <- autograd <- ops <- nn. A folder includes only itself and
// those to its left, and public headers bring in no other library's.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

const Strings layers = {"tensor", "autograd", "ops", "nn"};

struct Include {
  std::string file;  // "ops/math.cpp": from the top of the tree
  int line;
  std::string target;  // "xgrad/ops/math.hpp", "xtensor/xarray.hpp"
};

/// The include lines of one file; quoted ones are resolved against the file's folder.
std::vector<Include> includes_of(const std::string& file, std::istream& in) {
  static const std::regex directive(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  std::vector<Include> found;
  std::string text;
  for (int line = 1; std::getline(in, text); ++line) {
    std::smatch match;
    if (!std::regex_search(text, match, directive)) continue;
    std::string target = match[2];
    if (match[1] == "\"") {
      target =
          (fs::path("xgrad") / fs::path(file).parent_path() / target).lexically_normal().generic_string();
    }
    found.push_back({file, line, target});
  }
  return found;
}

bool starts_with(const std::string& text, const std::string& start) { return text.rfind(start, 0) == 0; }

/// The place of a path's folder among the layers, or the number of layers for any other path.
std::size_t layer_of(const std::string& path) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (starts_with(path, layers[i] + "/")) return i;
  }
  return layers.size();
}

/// Every rule that the include lines break.
Strings breaches(const std::vector<Include>& includes) {
  Strings found;
  const auto complain = [&](const Include& include, const std::string& rule) {
    found.push_back(include.file + ":" + std::to_string(include.line) + ": includes <" + include.target +
                    ">, but " + rule);
  };
  for (const Include& include : includes) {
    const std::size_t own = layer_of(include.file);
    const bool header = fs::path(include.file).extension() == ".hpp";
    const bool umbrella = include.file == "xgrad.hpp", bridge = include.file == "tensor/xtensor.hpp";

    if (starts_with(include.target, "xgrad/") && !umbrella) {
      const std::string path = include.target.substr(6);
      if (layer_of(path) > own)
        complain(include, layers[own] + "/ includes only itself and folders to its left");
    }
    const bool xtensor =
        std::regex_search(include.target, std::regex("^(xtensor|xtensor-blas|xtl|xsimd)/")) ||
        include.target == "xgrad/tensor/xtensor.hpp";
    if (xtensor && header && !bridge) complain(include, "tensor/xtensor.hpp is the one header with xtensor");
    if (xtensor && starts_with(include.file, "nn/"))
      complain(include, "nn/ composes operations, without xtensor");
    if (include.target == "xgrad/autograd/catch.hpp") complain(include, "the matcher is for tests");
    if (starts_with(include.target, "catch2/") && include.file != "autograd/catch.hpp") {
      complain(include, "autograd/catch.hpp is the one file with Catch2");
    }
    if (starts_with(include.target, "CLI/")) complain(include, "flags are the examples' affair");
    if (include.target == "zlib.h" && header) complain(include, "a public header needs no zlib");
  }
  return found;
}

std::vector<Include> includes_of_tree() {
  const fs::path source = XGRAD_SOURCE_DIR;
  std::vector<fs::path> files{source / "xgrad.hpp"};
  for (const std::string& layer : layers) {
    for (const auto& entry : fs::directory_iterator(source / layer)) {
      const auto extension = entry.path().extension();
      if (extension == ".hpp" || extension == ".cpp") files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  std::vector<Include> all;
  for (const fs::path& file : files) {
    std::ifstream in(file);
    for (Include& include : includes_of(file.lexically_relative(source).generic_string(), in)) {
      all.push_back(std::move(include));
    }
  }
  return all;
}

}  // namespace

TEST_CASE("a folder includes only itself and folders to its left", "[layers]") {
  const std::vector<Include> includes = includes_of_tree();
  CHECK(includes.size() > 100);
  for (const std::string& breach : breaches(includes)) FAIL_CHECK(breach);
}

TEST_CASE("each breach of the order is seen", "[layers]") {
  const auto complaint = [](const std::string& file, const std::string& text) {
    std::istringstream in("#pragma once\n" + text + "\n");
    const Strings found = breaches(includes_of(file, in));
    return found.empty() ? "" : found.front();
  };
  const auto contains = [](const std::string& text) { return Catch::Contains(text); };

  CHECK_THAT(complaint("autograd/tape.cpp", "#include <xgrad/ops/math.hpp>"),
             contains("autograd/tape.cpp:2: includes <xgrad/ops/math.hpp>, but autograd/"));
  CHECK_THAT(complaint("tensor/map.hpp", "  # include \"../nn/sgd.hpp\""), contains("tensor/map.hpp:2"));
  CHECK_THAT(complaint("nn/sgd.cpp", "#include <xgrad/xgrad.hpp>"), contains("to its left"));
  CHECK_THAT(complaint("tensor/tensor.hpp", "#include <xtensor/xarray.hpp>"), contains("the one header"));
  CHECK_THAT(complaint("tensor/tensor.hpp", "#include <xgrad/tensor/xtensor.hpp>"),
             contains("the one header"));
  CHECK_THAT(complaint("nn/data.cpp", "#include <xtensor-blas/xlinalg.hpp>"), contains("without xtensor"));
  CHECK_THAT(complaint("autograd/gradcheck.hpp", "#include <catch2/catch.hpp>"), contains("Catch2"));
  CHECK_THAT(complaint("xgrad.hpp", "#include <xgrad/autograd/catch.hpp>"), contains("for tests"));
  CHECK_THAT(complaint("nn/data.hpp", "#include <CLI/CLI.hpp>"), contains("flags"));
  CHECK_THAT(complaint("nn/idx.hpp", "#include <zlib.h>"), contains("zlib"));

  CHECK(complaint("nn/idx.cpp", "#include <zlib.h>").empty());
  CHECK(complaint("nn/sgd.cpp", "#include <xgrad/ops/update.hpp>").empty());
  CHECK(complaint("tensor/gemm.cpp", "#include <xtensor-blas/xblas.hpp>").empty());
  CHECK(complaint("tensor/xtensor.hpp", "#include <xtensor/xarray.hpp>").empty());
  CHECK(complaint("ops/math.cpp", "// #include <xgrad/nn/nn.hpp>").empty());
}
