// The examples of docs/pitfalls.md.
#include <cmath>
#include <iostream>
#include <xgrad/tensor/xtensor.hpp>
#include <xgrad/xgrad.hpp>
#include <xtensor/xmath.hpp>

using namespace xgrad;

// Prints what f throws.
template <class F>
void complaint(F f) {
  try {
    f();
    std::cout << "nothing was thrown\n";
  } catch (const Error& error) {
    std::cout << error.what() << "\n";
  }
}

// [materialise]
Tensor normalised(const xt::xarray<double>& a) {
  const xt::xarray<double> shifted = a - 1.0;
  return xt::exp(shifted) / 2.0;  // a Tensor: evaluated here, while `shifted` lives
}
// [/materialise]

int main() {
  {
    const auto example = [] {
      // [dtypes]
      Parameter w("w", zeros({2, 2}));                     // float32
      const Tensor X = tensor({{1, 2}, {3, 4}}, float64);  // float64
      return matmul(w, X);
      // [/dtypes]
    };
    complaint(example);
  }
  {
    // [numbers]
    const Tensor x = tensor({1, 2, 3}, float64);
    std::cout << name((0.1 * Variable(x)).dtype()) << "\n";  // a number takes the other operand's dtype
    const Variable c = 0.1;                                  // a variable has a dtype of its own
    std::cout << name(c.dtype()) << "\n";
    // [/numbers]
    complaint([&] { return c * x; });
    // [precision]
    const auto f = [](Variable x) { return x * x; };
    std::cout << name(grad(f)(0.1).dtype()) << ", " << name(grad(f)(scalar(0.1, float64)).dtype()) << "\n";
    // [/precision]
  }
  {
    // [rows]
    const Variable a = tensor({1, 2, 3});  // (3,)
    const Variable b = reshape(a, {3, 1});
    std::cout << to_string((a + a).shape()) << " " << to_string((a + b).shape()) << "\n";
    // [/rows]
    complaint([&] {
      const Variable M = zeros({3, 2});
      // [row_error]
      return M + a;  // (3, 2) and (3,)
      // [/row_error]
    });
  }
  complaint([] {
    // [losses]
    const Variable a = zeros({4, 1}), y = zeros({4});
    return mean(squared_error(a, y));
    // [/losses]
  });
  {
    Parameter w("w", 3.0);
    complaint([&] {
      // [walked]
      Tape tape;
      const Variable y = exp(w);
      tape.backward(y);         // pass {.retain = true} to keep what the nodes saved
      return tape.backward(y);  // too late
      // [/walked]
    });
  }
  {
    // [update]
    Parameter w("w", 3.0);
    Tape tape;
    const Variable before = w * w;  // w is 3 here
    w.set(scalar(10));
    const Variable after = w * w;  // and 10 here
    std::cout << tape.backward(before, {.retain = true})[w] << " "
              << tape.backward(after, {.retain = true})[w] << " " << tape.backward(before + after)[w] << "\n";
    // [/update]
  }
  {
    Parameter w("w", 3.0);
    complaint([&] {
      // [outer]
      Tape outer;
      const Variable y = w * w;
      Tape inner;
      return y * w;
      // [/outer]
    });
    // [ended]
    Variable y;
    {
      Tape tape;
      y = w * w;
    }
    Tape tape;
    const Variable z = y * w;  // y's tape has ended: a constant
    std::cout << tape.backward(z)[w] << "\n";
    // [/ended]
  }
  {
    Parameter w("w", 3.0), unused("unused", 1.0);
    // [stop]
    Tape tape;
    const Variable target = stop_gradient(w * w);  // a constant for what follows
    {
      const Tape::Pause pause;
      std::cout << "w is now " << w * 1 << "\n";  // not recorded
    }
    const Gradients grad = tape.backward(w * target);
    std::cout << grad[w] << "\n";
    // [/stop]
    complaint([&] {
      // [absent]
      return grad[unused];
      // [/absent]
    });
    // [or_zeros]
    std::cout << grad.or_zeros(unused) << "\n";
    // [/or_zeros]
  }
  {
    // [kinks]
    const auto slope = [](auto f, double x) { return grad([f](Variable v) { return sum(f(v)); })(x); };
    const Tensor tie = tensor({2, 2});
    const auto both = grad<0, 1>([](Variable a, Variable b) { return sum(maximum(a, b)); })(2.0, 2.0);
    std::cout << "relu at 0: " << slope([](Variable x) { return relu(x); }, 0)
              << "\nleaky_relu at 0: " << slope([](Variable x) { return leaky_relu(x, 0.25); }, 0)
              << "\nabs at 0: " << slope([](Variable x) { return abs(x); }, 0)
              << "\nclip at its bounds: " << slope([](Variable x) { return clip(x, -1, 1); }, -1) << " "
              << slope([](Variable x) { return clip(x, -1, 1); }, 1) << "\nmaximum at a tie: " << both[0]
              << " " << both[1] << "\nmax at a tie: " << grad([](Variable x) { return max(x); })(tie)
              << "\nsqrt at 0: " << slope([](Variable x) { return sqrt(x); }, 0)
              << "\npow(x, 0) at 0: " << slope([](Variable x) { return pow(x, 0); }, 0)
              << "\npow(0, x) at 1: " << slope([](Variable x) { return pow(scalar(0), x); }, 1) << "\n";
    // [/kinks]
  }
  {
    // [at_kink]
    const auto f = [](const Variables& x) { return relu(x[0]); };
    std::cout << gradcheck(f, {tensor({0, 0, 0, 1})}).passed << " "
              << gradcheck(f, {tensor({-1, 0.5, 2, 1})}).passed << "\n";
    // [/at_kink]
  }
  {
    // [c_functions]
    const auto a = exp(1.0);                                        // C's exp: a double, never recorded
    const Variable b = exp(Variable(1.0));                          // xgrad's
    const Sequential net{Linear(2, 3), tanh, Linear(3, 1)};         // ours: C's does not fit
    const auto squash = [](const Variable& z) { return tanh(z); };  // elsewhere, a lambda says which
    // [/c_functions]
    std::cout << (a > 2) << " " << b << " " << net.parameters().size() << " " << squash(0.0) << "\n";
  }
  {
    // [comparison]
    const Tensor a = tensor({1, 2}), b = tensor({1, 3});
    std::cout << (Variable(a) == b) << " " << equal(a, b) << "\n";  // element by element; as a whole
    // [/comparison]
  }
  {
    // [views]
    Parameter w("w", tensor({1, 2, 3}));
    Tape tape;
    const Tensor g = tape.backward(sum(w * w))[w].value();  // a Tensor that owns its share
    const auto view = g.as<float>();                        // refers to g
    std::cout << xt::amax(view)() << "\n";
    // [/views]
    std::cout << normalised(xt::xarray<double>{1.0, 1.0}) << "\n";
  }
  {
    // [branches]
    const auto naive = [](Variable x) { return where(x > 0, sqrt(x), 0); };
    const auto safe = [](Variable x) { return where(x > 0, sqrt(where(x > 0, x, 1)), 0); };
    std::cout << (std::isnan(grad(naive)(-1.0).item()) ? "NaN" : "a number") << ", " << grad(safe)(-1.0)
              << "\n";
    // [/branches]
  }
  {
    const Variable x = tensor({1, 2});
    const xt::xarray<float> a = {1, 2, 3};
    // [mixed]
    const auto with_operator = [&] { return x + a; };
    const auto by_name = [&] { return add(x, a); };
    // [/mixed]
    complaint(with_operator);
    complaint(by_name);
  }
  {
    // [version]
    const VersionInfo info = version_info();
    if (!info.warning.empty()) std::cerr << "warning: " << info.warning << "\n";
    // [/version]
  }
}
