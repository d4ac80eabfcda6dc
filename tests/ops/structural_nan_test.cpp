// NaN through reductions, scans, convolutions, pooling and normalisation: what an element has a part in, its NaN reaches.
#include "op_table.hpp"

using namespace op_table;

namespace {

Tensor with(const Tensor& x, std::size_t at, double value) {
  Doubles values = doubles(x);
  values[at] = value;
  return Tensor(x.shape(), values);
}

bool has_nan(const Doubles& values) {
  return std::any_of(values.begin(), values.end(), [](double v) { return std::isnan(v); });
}

// Where a change of element `at` of input k changes the result, NaN makes it NaN; where it changes the element's own
// slope, that too.
void check_element(const Row& row, const std::vector<Tensor>& inputs, std::size_t k, std::size_t at,
                   DType dtype) {
  const auto outcome = [&](double value) {
    std::vector<Tensor> changed = inputs;
    changed[k] = with(inputs[k], at, value);
    return run(row.call, as(dtype, changed));
  };
  const double own = doubles(inputs[k])[at];
  const Result plain = outcome(own), nan = outcome(NaN);
  const auto slope = [&](const Result& r) { return doubles(r.gradients[k])[at]; };
  bool matters = false, bends = false;
  for (double value : {own + 10, own - 10, 0.0}) {
    const Result other = outcome(value);
    matters |= doubles(other.value) != doubles(plain.value);
    bends |= slope(other) != slope(plain);
  }
  if (matters) {
    CHECK(has_nan(doubles(nan.value)));
  } else {
    CHECK(same(doubles(nan.value), doubles(plain.value)));
  }
  // cummax and cummin take elements by their places: a cotangent goes to NaN as to any other.
  if (bends && row.name != "cummax" && row.name != "cummin") CHECK(std::isnan(slope(nan)));
}

}  // namespace

TEST_CASE("ops: NaN goes where its element has a part", "[ops][simd]") {
  for (const auto* rows : {&reduction_rows(), &convolution_rows()}) {
    for (const Row& row : *rows) {
      // The first mask is made of the elements: where they are NaN, it is false.
      if (!row.facts.differentiable || row.name == "masked_softmax") continue;
      for (const auto& shapes : row.shapes) {
        for (DType dtype : {float32, float64}) {
          const std::vector<Tensor> inputs = sample(row, shapes, 11);
          for (std::size_t k = 0; k < inputs.size(); ++k) {
            for (std::size_t at = 0; at < static_cast<std::size_t>(inputs[k].size()); ++at) {
              INFO(row.name << " " << to_string(shapes[0]) << " " << name(dtype) << ", input " << k
                            << ", element " << at);
              check_element(row, inputs, k, at, dtype);
            }
          }
        }
      }
    }
  }
}
