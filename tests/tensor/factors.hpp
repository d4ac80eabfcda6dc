// Random numbers to multiply.
#pragma once

#include "support.hpp"

namespace xgrad::test {

/// Signs and halves, so that long products neither vanish nor round.
inline Tensor factors(const Shape& shape, DType dtype, std::mt19937& random) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < shape.size(); ++i) {
    constexpr double likely[] = {1, -1, 1, -1, 2, 0.5};
    values.push_back(likely[random() % (dtype == int64 ? 4 : 6)]);
  }
  return Tensor(shape, values).astype(dtype);
}

}  // namespace xgrad::test
