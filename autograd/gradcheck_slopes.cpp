#include <xgrad/autograd/gradcheck_impl.hpp>

namespace xgrad::detail::checking {
namespace {

Variable require_float64(Variable y) {
  if (y.dtype() == float64) return y;
  throw DTypeError(std::string("gradcheck: the function's result is ") + name(y.dtype()) +
                   "; it must compute in float64: are its data float32?");
}

Point zeros_like(const Subject& f) {
  Point x;
  for (const Shape& shape : f.shapes) x.emplace_back(static_cast<std::size_t>(shape.size()), 0.0);
  return x;
}

}  // namespace

std::vector<Tensor> Subject::tensors(const Point& x) const {
  std::vector<Tensor> values;
  for (std::size_t i = 0; i < x.size(); ++i) values.emplace_back(shapes[i], x[i]);
  return values;
}

std::int64_t Subject::elements() const {
  std::int64_t n = 0;
  for (const Shape& shape : shapes) n += shape.size();
  return n;
}

Tensor Subject::value(const Point& x) const {
  const Tape::Pause pause;
  Variables leaves(x.size());
  return require_float64(call(nullptr, tensors(x), leaves)).value();
}

Variable Subject::record(Tape& tape, const Point& x, Variables& leaves) const {
  leaves.resize(x.size());
  return require_float64(call(&tape, tensors(x), leaves));
}

double dot(const Tensor& a, const Tensor& b) {
  long double total = 0;  // differences subtract such sums
  const double *p = address<double>(a), *q = address<double>(b);
  for (std::int64_t i = 0; i < a.size(); ++i) total += static_cast<long double>(p[i]) * q[i];
  return static_cast<double>(total);
}

Tensor random_like(const Shape& shape, Generator& random) {
  Tensor result(shape, float64);
  random.fill_normal(std::span<double>(mutable_data<double>(result), static_cast<std::size_t>(shape.size())),
                     0, 1);
  return result;
}

Slopes first_order(const Subject& f, const std::vector<Tensor>& cotangents) {
  const auto values = [&f, cotangents](const Point& x) {
    const Tensor y = f.value(x);
    std::vector<double> all;
    for (const Tensor& cotangent : cotangents) all.push_back(dot(y, cotangent));
    return all;
  };
  const auto gradients = [&f, cotangents](const Point& x) {
    Tape tape;
    Variables leaves;
    const Variable y = f.record(tape, x, leaves);
    std::vector<Point> all;
    for (const Tensor& cotangent : cotangents) {
      all.push_back(zeros_like(f));
      if (y.is_constant()) continue;
      const Gradients found = tape.backward(y, {.seed = cotangent, .retain = true});
      for (std::size_t i = 0; i < x.size(); ++i) {
        const Variable* g = found.find(leaves[i]);
        if (g != nullptr) all.back()[i] = g->value().to_vector<double>();
      }
    }
    return all;
  };
  return {values, gradients};
}

Slopes second_order(const Subject& f, const Tensor& cotangent, const std::vector<Tensor>& directions) {
  const auto values = [first = first_order(f, {cotangent}), directions](const Point& x) {
    const Point g = first.gradients(x)[0];
    long double total = 0;
    for (std::size_t i = 0; i < g.size(); ++i) {
      const double* d = address<double>(directions[i]);
      for (std::size_t k = 0; k < g[i].size(); ++k) total += static_cast<long double>(g[i][k]) * d[k];
    }
    return std::vector<double>{static_cast<double>(total)};
  };
  const auto gradients = [&f, cotangent, directions](const Point& x) {
    Tape tape;
    Variables leaves;
    std::vector<Point> sum{zeros_like(f)};
    const Variable y = f.record(tape, x, leaves);
    if (y.is_constant()) return sum;
    const Gradients first = tape.backward(y, {.seed = cotangent, .create_graph = true});
    for (std::size_t i = 0; i < x.size(); ++i) {
      const Variable* g = first.find(leaves[i]);
      if (g == nullptr || g->is_constant()) continue;
      const Gradients again = tape.backward(*g, {.seed = directions[i], .retain = true});
      for (std::size_t j = 0; j < x.size(); ++j) {
        const Variable* h = again.find(leaves[j]);
        if (h == nullptr) continue;
        const double* p = address<double>(h->value());
        for (std::size_t k = 0; k < sum[0][j].size(); ++k) sum[0][j][k] += p[k];
      }
    }
    return sum;
  };
  return {values, gradients};
}

}  // namespace xgrad::detail::checking
