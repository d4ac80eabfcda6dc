// What the tests of compile share: plain and replayed results, bit for bit.
#pragma once

#include <tensor/support.hpp>
#include <vector>
#include <xgrad/autograd/compile.hpp>

namespace xgrad::test {

/// A function's results, or the message of the error that it threw.
struct Outcome {
  std::vector<Tensor> tensors;
  std::string error;
};

template <class F>
Outcome outcome(F&& f) {
  Outcome result;
  try {
    const auto made = f();
    detail::each_tensor(made, [&](const Tensor& tensor) { result.tensors.push_back(tensor); });
  } catch (const Error& error) {
    result.error = error.what();
  }
  return result;
}

/// Checks that both functions give the same bits, or the same error.
template <class F, class G>
void check_same(F&& plain, G&& compiled) {
  const Outcome a = outcome(plain), b = outcome(compiled);
  CHECK(a.error == b.error);
  REQUIRE(a.tensors.size() == b.tensors.size());
  for (std::size_t i = 0; i < a.tensors.size(); ++i) {
    INFO("result " << i << ":\n" << a.tensors[i] << "\n" << b.tensors[i]);
    CHECK(same_bits(a.tensors[i], b.tensors[i]));
  }
}

/// f, called once without and once with `step`, the compiled form of the same function.
template <class F, class S, class... X>
void check_call(const F& f, S& step, const X&... x) {
  check_same([&] { return f(Variable(x)...); }, [&] { return step(x...); });
}

}  // namespace xgrad::test
