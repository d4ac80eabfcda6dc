// The rows of op_table.hpp for losses that are made of other operations.
#pragma once

#include "../op_table.hpp"

namespace op_table {

// clang-format off

inline const std::vector<Row>& loss_rows() {
  constexpr Interval wide{-2, 2};
  static const std::vector<Row> rows = {
    // name                 call                                                  inputs  shapes
    {"entropy_with_logits", [](X x) { return entropy_with_logits(x[0]); },        {wide}, {{{4}}, {{2, 3}}, {{1, 3, 2}}}},
    {"entropy_with_logits", [](X x) { return entropy_with_logits(x[0], 0); },     {wide}, {{{4}}, {{3, 2}}, {{2, 1, 3}}}},
  };
  return rows;
}

// clang-format on

}  // namespace op_table
