// The rows of op_table.hpp for ways of calling an operation that have no row elsewhere, and for other parts of its domain.
#pragma once

#include "../op_table.hpp"

namespace op_table {

// clang-format off

inline const std::vector<Row>& variant_rows() {
  constexpr Interval wide{-2, 2}, between_poles{-0.8, -0.2};
  static const std::vector<std::vector<Shape>> any{{Shape{}}, {{4}}, {{2, 3}}}, cube{{{2, 3, 4}}, {{1, 3, 2}}};
  static const std::vector<std::int64_t> places{1, 2};
  static const std::vector<Row> rows = {
    // name         call                                                   inputs            shapes
    {"roll",        [](X x) { return roll(x[0], -1, 1); },                 {wide},           cube},
    {"split",       [](X x) { return split(x[0], places, 1)[2]; },         {wide},           cube},
    {"polygamma",   [](X x) { return polygamma(1, x[0]); },                {between_poles},  any},
    {"polygamma",   [](X x) { return polygamma(2, x[0]); },                {between_poles},  any},
  };
  return rows;
}

// clang-format on

}  // namespace op_table
