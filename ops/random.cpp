#include <sstream>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/random.hpp>
#include <xgrad/ops/structural.hpp>
#include <xgrad/tensor/threads.hpp>

namespace xgrad {
namespace {

// Calls f(copy of the generator at its place, first, count) for parts of n numbers.
template <class F>
void in_parts(Generator& random, std::int64_t n, const F& f) {
  constexpr std::int64_t worth_a_thread = 1 << 13;
  detail::note_obstacle("it draws random numbers; pass them in as an argument");
  detail::parallel(n, worth_a_thread, [&](std::int64_t begin, std::int64_t end) {
    Generator part = random;
    part.seek(random.position() + static_cast<std::uint64_t>(begin));
    f(part, begin, end - begin);
  });
  random.seek(random.position() + static_cast<std::uint64_t>(n));
}

// fill(generator, span) for each part of a new tensor.
template <class F>
Tensor filled(const Shape& shape, Generator& random, DType dtype, const F& fill) {
  if (!is_floating(dtype))
    throw DTypeError(std::string("random values are float32 or float64, not ") + name(dtype));
  Tensor result(shape, dtype);
  detail::visit_floating(dtype, [&]<class T>(T) {
    T* to = detail::mutable_data<T>(result);
    in_parts(random, result.size(), [&](Generator& part, std::int64_t first, std::int64_t count) {
      fill(part, std::span<T>(to + first, static_cast<std::size_t>(count)));
    });
  });
  return result;
}

bool is_probability(double p) { return p >= 0 && p <= 1; }

std::string shown(double p) {
  std::ostringstream out;
  out << p;
  return out.str();
}

// take(i, u) for n elements, with u uniform in [0, 1).
template <class F>
void each_uniform(Generator& random, std::int64_t n, const F& take) {
  in_parts(random, n, [&](Generator& part, std::int64_t first, std::int64_t count) {
    constexpr std::int64_t most = 256;
    double numbers[most];
    for (std::int64_t i = 0; i < count; i += most) {
      const std::int64_t here = std::min(most, count - i);
      part.fill_uniform(std::span<double>(numbers, static_cast<std::size_t>(here)), 0, 1);
      for (std::int64_t k = 0; k < here; ++k) take(first + i + k, numbers[k]);
    }
  });
}

}  // namespace

Tensor uniform(const Shape& shape, Generator& random, double low, double high, DType dtype) {
  return filled(shape, random, dtype, [&](Generator& part, auto out) { part.fill_uniform(out, low, high); });
}

Tensor normal(const Shape& shape, Generator& random, double mean, double stddev, DType dtype) {
  return filled(shape, random, dtype,
                [&](Generator& part, auto out) { part.fill_normal(out, mean, stddev); });
}

Tensor bernoulli(const Shape& shape, Generator& random, double p) {
  if (!is_probability(p)) throw Error("bernoulli: the probability must be within [0, 1], not " + shown(p));
  Tensor result(shape, bool_);
  bool* to = detail::mutable_data<bool>(result);
  each_uniform(random, result.size(), [to, p](std::int64_t i, double u) { to[i] = u < p; });
  return result;
}

Tensor bernoulli(const Tensor& p, Generator& random) {
  if (!is_floating(p.dtype())) {
    throw DTypeError("bernoulli: the probabilities " + to_string(p.shape()) + " are " + name(p.dtype()) +
                     ", not float32 or float64");
  }
  Tensor result(p.shape(), bool_);
  bool* to = detail::mutable_data<bool>(result);
  detail::visit_floating(p.dtype(), [&]<class T>(T) {
    const T* own = p.data<T>();
    for (std::int64_t i = 0; i < p.size(); ++i) {
      if (is_probability(static_cast<double>(own[i]))) continue;
      throw Error("bernoulli: the probability of element " + std::to_string(i) +
                  " must be within [0, 1], not " + shown(static_cast<double>(own[i])) + ": " +
                  to_string(p.shape()));
    }
    each_uniform(random, p.size(),
                 [to, own](std::int64_t i, double u) { to[i] = u < static_cast<double>(own[i]); });
  });
  return result;
}

Tensor permutation(std::int64_t n, Generator& random) {
  return Tensor(Shape{std::max<std::int64_t>(n, 0)}, random.permutation(n));
}

Variable dropout(Operand x, double p, Generator& random) {
  const detail::Call call("dropout", x);
  if (!is_probability(p)) {
    call.fail<Error>("the probability must be within [0, 1], not " + shown(p) + ": " + x.describe());
  }
  const DType dtype = is_floating(x.dtype()) ? x.dtype() : float32;
  const Variable& v = x.as(dtype);
  Tensor mask(v.shape(), dtype);
  detail::visit_floating(dtype, [&]<class T>(T) {
    T* to = detail::mutable_data<T>(mask);
    const T kept = p < 1 ? static_cast<T>(1 / (1 - p)) : T(0);
    each_uniform(random, mask.size(),
                 [to, kept, p](std::int64_t i, double u) { to[i] = static_cast<T>(u >= p) * kept; });
  });
  const auto masked = [mask](const Variable& g) { return g * mask; };
  Tensor value = [&] {
    const Tape::Pause pause;
    return masked(v).value();
  }();
  return detail::structural<1>(call, std::move(value), {&v}, detail::linear(masked, masked));
}

}  // namespace xgrad
