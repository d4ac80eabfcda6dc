// What tests/oracle/generate.py wrote: PyTorch's values and gradients, one sample a line.
#pragma once

#include <zlib.h>

#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>
#include <xgrad/ops/ops.hpp>

namespace oracle {

using namespace xgrad;
using Json = nlohmann::json;

/// A number as JSON holds it: "nan", "inf" and "-inf" are strings.
inline double number(const Json& value) {
  if (!value.is_string()) return value.get<double>();
  const auto& text = value.get_ref<const std::string&>();
  if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (text != "inf" && text != "-inf") throw std::runtime_error("oracle: no number: " + text);
  return text[0] == '-' ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
}

inline Tensor tensor_of(const Json& json) {
  const Shape shape{std::span<const std::int64_t>(json.at("shape").get<std::vector<std::int64_t>>())};
  const auto& dtype = json.at("dtype").get_ref<const std::string&>();
  if (dtype == "int64") return {shape, json.at("data").get<std::vector<std::int64_t>>()};
  std::vector<double> values;
  for (const Json& value : json.at("data"))
    values.push_back(value.is_boolean() ? value.get<bool>() : number(value));
  const Tensor x(shape, values);
  if (dtype == "bool") return x.astype(bool_);
  if (dtype == "float32") return x.astype(float32);
  if (dtype != "float64") throw std::runtime_error("oracle: unknown dtype " + dtype);
  return x;
}

/// The arguments of a call that are no tensors.
struct Args {
  Json json;

  const Json& operator[](const char* name) const { return json.at(name); }
  double real(const char* name) const { return number(json.at(name)); }
  std::int64_t whole(const char* name) const { return json.at(name).get<std::int64_t>(); }
  int axis(const char* name = "axis") const { return json.at(name).get<int>(); }
  bool flag(const char* name) const { return json.at(name).get<bool>(); }
  std::string text(const char* name) const { return json.at(name).get<std::string>(); }
  std::vector<int> ints(const char* name) const { return json.at(name).get<std::vector<int>>(); }
  std::vector<std::int64_t> sizes(const char* name) const {
    return json.at(name).get<std::vector<std::int64_t>>();
  }
  Shape shape() const { return Shape(std::span<const std::int64_t>(sizes("shape"))); }
  bool has(const char* name) const { return !json.at(name).is_null(); }

  /// null: all axes; one; or several.
  Axes axes() const {
    const Json& given = json.at("axis");
    if (given.is_null()) return {};
    if (given.is_number()) return given.get<int>();
    return given.get<std::vector<int>>();
  }
};

struct Sample {
  std::string op, place;  // `place` names what is special, "nan" or "ties"; or is empty
  Args args;
  std::vector<Tensor> inputs;
  Tensor output;
  std::optional<Tensor> cotangent;  // of an output that has a derivative
  std::vector<std::optional<Tensor>> gradients;
  std::string line;  // for messages
};

inline Sample sample_of(const std::string& line) {
  const Json json = Json::parse(line);
  Sample sample{json.at("op"), json.at("case"), {json.at("args")}, {}, tensor_of(json.at("output")), {}, {},
                line};
  for (const Json& input : json.at("inputs")) sample.inputs.push_back(tensor_of(input));
  if (!json.contains("cotangent")) return sample;
  sample.cotangent = tensor_of(json.at("cotangent"));
  for (const Json& gradient : json.at("gradients"))
    sample.gradients.push_back(gradient.is_null() ? std::nullopt : std::optional(tensor_of(gradient)));
  return sample;
}

/// All samples of a file, and how many its first line promises. Throws if the file is missing, damaged or cut off.
inline std::vector<Sample> read_samples(const std::string& path) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  if (file == nullptr) throw std::runtime_error("oracle: cannot read " + path);
  std::string text;
  char buffer[1 << 16];
  int n = 0;
  while ((n = gzread(file.get(), buffer, sizeof buffer)) > 0)
    text.append(buffer, static_cast<std::size_t>(n));
  if (n < 0) throw std::runtime_error("oracle: " + path + " is damaged");
  std::vector<Sample> samples;
  std::optional<std::size_t> promised;
  for (std::size_t begin = 0, end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string line = text.substr(begin, end - begin);
    if (promised) {
      samples.push_back(sample_of(line));
    } else {
      promised = Json::parse(line).at("samples").get<std::size_t>();
    }
  }
  if (promised != samples.size()) throw std::runtime_error("oracle: " + path + " is cut off");
  return samples;
}

/// What xgrad computes for a sample, from its inputs and arguments.
using Call = std::function<Variable(const std::vector<Variable>&, const Args&)>;

}  // namespace oracle
