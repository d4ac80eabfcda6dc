// The rows of op_table.hpp for what draws random numbers: the same ones at every call.
#pragma once

#include "../op_table.hpp"

namespace op_table {

inline Variable dropped(const Variable& x, double p) {
  Generator random(2);  // keeps the first element
  return dropout(x, p, random);
}

// clang-format off

inline const std::vector<Row>& random_rows() {
  constexpr Interval wide{-2, 2};
  static const Facts draws{.draws = true};
  static const std::vector<std::vector<Shape>> any{{Shape{}}, {{4}}, {{2, 3}}, {{1, 3, 1}}};
  static const std::vector<Row> rows = {
    // name      call                                          inputs   shapes facts
    {"dropout",  [](X x) { return dropped(x[0], 0.4); },       {wide},  any,   draws},
    {"dropout",  [](X x) { return dropped(x[0], 0); },         {wide},  any,   draws},
  };
  return rows;
}

// clang-format on

}  // namespace op_table
