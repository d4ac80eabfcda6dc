// Reading tests/reference/*.txt: cases with their inputs and results, as hexadecimal floats.
#pragma once

#include <fstream>
#include <sstream>

#include "checks.hpp"

namespace checks {

struct Reference {
  std::string name;
  std::vector<Tensor> inputs, results;
};

/// "2x3 0x1.8p+0 ..."
inline Tensor parse_tensor(std::istringstream& in) {
  std::string shape, number;
  in >> shape;
  std::vector<std::int64_t> sizes;
  if (shape != "scalar") {
    std::istringstream axes(shape);
    while (std::getline(axes, number, 'x')) sizes.push_back(std::stoll(number));
  }
  Doubles values;
  while (in >> number) values.push_back(std::strtod(number.c_str(), nullptr));
  return Tensor(Shape(std::span<const std::int64_t>(sizes)), values);
}

inline std::vector<Reference> read_references(const std::string& file) {
  std::ifstream in(std::string(XGRAD_SOURCE_DIR) + "/tests/reference/" + file);
  REQUIRE(in);
  std::vector<Reference> all;
  for (std::string line; std::getline(in, line);) {
    if (line[0] == '#') continue;
    if (line.starts_with("case ")) {
      all.push_back({line.substr(5), {}, {}});
      continue;
    }
    std::istringstream rest(line);
    std::string kind;
    rest >> kind;
    (kind == "input" ? all.back().inputs : all.back().results).push_back(parse_tensor(rest));
  }
  return all;
}

}  // namespace checks
