// The objectives of ADBench against plain loops over doubles, and their derivatives against differences and closed forms.
#include <catch2/catch.hpp>
#include <cmath>
#include <numbers>

#include "../../examples/adbench/bundle_adjustment.hpp"
#include "../../examples/adbench/gmm.hpp"
#include "../../examples/adbench/lstm.hpp"
#include "../random_graphs/slope.hpp"

using namespace adbench;
using xgrad::Shape;

namespace {

using Doubles = std::vector<double>;

Doubles doubles(const Tensor& x) { return x.to_vector<double>(); }
Doubles doubles(const Variable& x) { return doubles(x.value()); }

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

/// ADBench's measure of two derivatives.
double apart(double a, double b) { return std::abs(a - b) / std::max(1.0, std::abs(a) + std::abs(b)); }

/// The slope of f along one element of x.
double slope_of(const std::function<double(const Tensor&)>& f, const Tensor& x, std::size_t element) {
  const auto moved = [&](double h) {
    Doubles values = doubles(x);
    values[element] += h;
    return f(Tensor(x.shape(), values));
  };
  return random_graphs::central_slope(moved, 0.01, 1e-12).value;
}

/// The largest distance of a gradient from the slopes of f, over all elements.
double worst(const std::function<double(const Tensor&)>& f, const Tensor& x, const Tensor& gradient) {
  REQUIRE(gradient.shape() == x.shape());
  const Doubles given = doubles(gradient);
  double most = 0;
  for (std::size_t i = 0; i < given.size(); ++i) most = std::max(most, apart(given[i], slope_of(f, x, i)));
  return most;
}

double log_sum_exp(const Doubles& x) {
  double largest = x[0], total = 0;
  for (double v : x) largest = std::max(largest, v);
  for (double v : x) total += std::exp(v - largest);
  return largest + std::log(total);
}

/// What the mixture's components say of each point, alpha_k + log det Q_k - |Q_k (x_i - mu_k)|^2 / 2, by plain loops.
std::vector<Doubles> component_logs(const GmmParameters& p, const GmmData& data) {
  const std::int64_t n = data.x.shape()[0], d = data.x.shape()[1], k = p.alphas.shape()[0],
                     row = p.icf.shape()[1];
  const Doubles alphas = doubles(p.alphas), means = doubles(p.means), icf = doubles(p.icf),
                x = doubles(data.x);
  std::vector<Doubles> all;
  for (std::int64_t i = 0; i < n; ++i) {
    Doubles logs;
    for (std::int64_t c = 0; c < k; ++c) {
      const auto centred = [&](std::int64_t j) { return x[at(i * d + j)] - means[at(c * d + j)]; };
      Doubles y(at(d));
      double total = alphas[at(c)];
      for (std::int64_t j = 0; j < d; ++j) {
        y[at(j)] = std::exp(icf[at(c * row + j)]) * centred(j);
        total += icf[at(c * row + j)];
      }
      std::int64_t next = c * row + d;
      for (std::int64_t column = 0; column < d; ++column) {
        for (std::int64_t j = column + 1; j < d; ++j) y[at(j)] += icf[at(next++)] * centred(column);
      }
      for (double v : y) total -= 0.5 * v * v;
      logs.push_back(total);
    }
    all.push_back(logs);
  }
  return all;
}

double plain_gmm(const GmmParameters& p, const GmmData& data) {
  const std::int64_t n = data.x.shape()[0], d = data.x.shape()[1], k = p.alphas.shape()[0],
                     row = p.icf.shape()[1];
  double total = -0.5 * static_cast<double>(n * d) * std::log(2 * std::numbers::pi);
  for (const Doubles& logs : component_logs(p, data))
    total += log_sum_exp(logs) - log_sum_exp(doubles(p.alphas));
  const Doubles icf = doubles(p.icf);
  for (std::int64_t c = 0; c < k; ++c) {
    for (std::int64_t j = 0; j < row; ++j) {
      const double v = icf[at(c * row + j)];
      const double q = j < d ? std::exp(v) : v;
      total += 0.5 * data.gamma * data.gamma * q * q;
      if (j < d) total -= static_cast<double>(data.m) * v;
    }
  }
  const double f = static_cast<double>(d + data.m + 1), size = static_cast<double>(d);
  double log_gamma = 0.25 * size * (size - 1) * std::log(std::numbers::pi);
  for (std::int64_t j = 1; j <= d; ++j) log_gamma += std::lgamma(0.5 * f + 0.5 * static_cast<double>(1 - j));
  return total -
         static_cast<double>(k) * (f * size * (std::log(data.gamma) - 0.5 * std::log(2.0)) - log_gamma);
}

/// One observation by plain numbers: rotation with a matrix exponential's closed form, then projection.
std::array<double, 2> plain_residual(const double* c, const double* x, double weight, const double* seen) {
  const double shifted[3] = {x[0] - c[3], x[1] - c[4], x[2] - c[5]};
  const double angle = std::sqrt(c[0] * c[0] + c[1] * c[1] + c[2] * c[2]);
  const double a = std::sin(angle) / angle, b = (1 - std::cos(angle)) / (angle * angle);
  // R = I + a K + b K^2, K the cross product with the rotation vector.
  const double k[3][3] = {{0, -c[2], c[1]}, {c[2], 0, -c[0]}, {-c[1], c[0], 0}};
  double turned[3];
  for (int i = 0; i < 3; ++i) {
    turned[i] = shifted[i];
    for (int j = 0; j < 3; ++j) {
      double squared = 0;
      for (int l = 0; l < 3; ++l) squared += k[i][l] * k[l][j];
      turned[i] += (a * k[i][j] + b * squared) * shifted[j];
    }
  }
  const double u = turned[0] / turned[2], v = turned[1] / turned[2], r2 = u * u + v * v;
  const double distortion = 1 + c[9] * r2 + c[10] * r2 * r2;
  return {weight * (c[6] * u * distortion + c[7] - seen[0]),
          weight * (c[6] * v * distortion + c[8] - seen[1])};
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double plain_lstm(const LstmParameters& p, const LstmData& data) {
  const std::int64_t layers = p.main.shape()[0], c = data.sequence.shape()[0], b = data.sequence.shape()[1];
  const Doubles main = doubles(p.main), extra = doubles(p.extra), text = doubles(data.sequence);
  Doubles state = doubles(data.state);
  double total = 0;
  for (std::int64_t t = 0; t + 1 < c; ++t) {
    Doubles z;
    double others = 2;
    for (std::int64_t j = 0; j < b; ++j) {
      double x = text[at(t * b + j)] * extra[at(j)];
      for (std::int64_t i = 0; i < layers; ++i) {
        double &hidden = state[at(2 * i * b + j)], &cell = state[at((2 * i + 1) * b + j)];
        const auto gate = [&](std::int64_t g, double input) {
          return main[at((8 * i + g) * b + j)] * input + main[at((8 * i + 4 + g) * b + j)];
        };
        const double change = std::tanh(gate(3, hidden)), in = sigmoid(gate(1, hidden));
        cell = cell * sigmoid(gate(0, x)) + in * change;
        hidden = sigmoid(gate(2, x)) * std::tanh(cell);
        x = hidden;
      }
      z.push_back(x * extra[at(b + j)] + extra[at(2 * b + j)]);
      others += std::exp(z.back());
    }
    for (std::int64_t j = 0; j < b; ++j) total -= text[at((t + 1) * b + j)] * (z[at(j)] - std::log(others));
  }
  return total / static_cast<double>((c - 1) * b);
}

}  // namespace

TEST_CASE("The Gaussian mixture of ADBench", "[adbench]") {
  for (const auto& [n, d, k] : {std::array<std::int64_t, 3>{7, 3, 4}, {5, 1, 2}, {6, 5, 1}}) {
    INFO("n " << n << ", d " << d << ", k " << k);
    const auto [p, data] = random_gmm(n, d, k);
    const auto f = [&data = data](const Variable& a, const Variable& m, const Variable& q) {
      return gmm_objective(a, m, q, data);
    };
    const auto [value, slopes] = xgrad::value_and_grad<0, 1, 2>(f)(p.alphas, p.means, p.icf);
    CHECK(value.value().item() == Approx(plain_gmm(p, data)).epsilon(1e-13));
    const auto with = [&data = data](GmmParameters given) { return plain_gmm(given, data); };
    CHECK(worst(
              [&, &p = p](const Tensor& x) {
                return with({x, p.means, p.icf});
              },
              p.alphas, slopes[0].value()) < 1e-8);
    CHECK(worst(
              [&, &p = p](const Tensor& x) {
                return with({p.alphas, x, p.icf});
              },
              p.means, slopes[1].value()) < 1e-8);
    CHECK(worst(
              [&, &p = p](const Tensor& x) {
                return with({p.alphas, p.means, x});
              },
              p.icf, slopes[2].value()) < 1e-8);

    // In closed form, with the responsibilities r: sum_i r_ik - n softmax(alpha)_k.
    const Doubles alphas = doubles(p.alphas), given = doubles(slopes[0]);
    for (std::size_t c = 0; c < alphas.size(); ++c) {
      double expected = -static_cast<double>(n) * std::exp(alphas[c] - log_sum_exp(alphas));
      for (const Doubles& logs : component_logs(p, data)) expected += std::exp(logs[c] - log_sum_exp(logs));
      CHECK(apart(given[c], expected) < 1e-12);
    }
  }
}

TEST_CASE("The bundle adjustment of ADBench", "[adbench]") {
  const BundleAdjustment problem = random_bundle_adjustment(3, 5, 11);
  const SparseJacobian jacobian = sparse_jacobian(problem);
  const Doubles cameras = doubles(problem.cameras), points = doubles(problem.points),
                weights = doubles(problem.weights), seen = doubles(problem.observations);
  const auto camera_of = problem.camera_of.to_vector<std::int64_t>(),
             point_of = problem.point_of.to_vector<std::int64_t>();
  const Doubles value = doubles(jacobian.residuals), errors = doubles(jacobian.weight_residuals);
  const Doubles by_camera = doubles(jacobian.cameras), by_point = doubles(jacobian.points),
                by_weight = doubles(jacobian.weights), of_errors = doubles(jacobian.weight_errors);
  REQUIRE(jacobian.cameras.shape() == Shape{11, 2, 11});
  REQUIRE(jacobian.points.shape() == Shape{11, 2, 3});
  double most = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double *c = &cameras[at(11 * camera_of[i])], *x = &points[at(3 * point_of[i])];
    Doubles all(c, c + 11);
    all.insert(all.end(), x, x + 3);
    all.push_back(weights[i]);
    const Tensor own({15}, all);
    for (std::size_t column = 0; column < 2; ++column) {
      const auto f = [&](const Tensor& given) {
        const Doubles v = doubles(given);
        return plain_residual(&v[0], &v[11], v[14], &seen[2 * i])[column];
      };
      CHECK(value[2 * i + column] == Approx(f(own)).epsilon(1e-11));
      const std::size_t row = 2 * i + column;
      for (std::size_t j = 0; j < 15; ++j) {
        const double given = j < 11   ? by_camera[row * 11 + j]
                             : j < 14 ? by_point[row * 3 + j - 11]
                                      : by_weight[row];
        most = std::max(most, apart(given, slope_of(f, own, j)));
      }
    }
    CHECK(errors[i] == Approx(1 - weights[i] * weights[i]));
    CHECK(of_errors[i] == Approx(-2 * weights[i]));
  }
  CHECK(most < 1e-8);
}

TEST_CASE("The sparse Jacobian holds all that the dense one does", "[adbench]") {
  const BundleAdjustment problem = random_bundle_adjustment(2, 3, 4, 7);
  const SparseJacobian sparse = sparse_jacobian(problem);
  const auto f = [&](const Variable& cameras) {
    return reprojection(take(cameras, problem.camera_of), take(problem.points, problem.point_of),
                        problem.weights, problem.observations);
  };
  const Doubles dense = doubles(xgrad::jacobian(f)(problem.cameras)), rows = doubles(sparse.cameras);
  const auto camera_of = problem.camera_of.to_vector<std::int64_t>();
  for (std::size_t row = 0; row < 8; ++row) {
    for (std::int64_t camera = 0; camera < 2; ++camera) {
      for (std::size_t j = 0; j < 11; ++j) {
        const double expected = camera == camera_of[row / 2] ? rows[row * 11 + j] : 0;
        CHECK(dense[(row * 2 + at(camera)) * 11 + j] == Approx(expected).margin(1e-12));
      }
    }
  }
}

TEST_CASE("A camera that is not turned has a Jacobian", "[adbench]") {
  const Tensor r = xgrad::zeros({1, 3}, xgrad::float64), x = xgrad::tensor({{0.5, -1, 2}}, xgrad::float64);
  const auto J = xgrad::jacobian([&](const Variable& v) { return rotated(v, x); })(r);
  // d(r x x)/dr = -[x]_x
  const Doubles expected{0, 2, 1, -2, 0, 0.5, -1, -0.5, 0};
  const Doubles given = doubles(J);
  for (std::size_t i = 0; i < 9; ++i) CHECK(given[i] == Approx(expected[i]).margin(1e-15));
  CHECK(doubles(rotated(r, x)) == doubles(x));
}

TEST_CASE("The LSTM of ADBench", "[adbench]") {
  for (const auto& [l, c, b] : {std::array<std::int64_t, 3>{2, 6, 5}, {1, 2, 3}, {3, 4, 1}}) {
    INFO("l " << l << ", c " << c << ", b " << b);
    const auto [p, data] = random_lstm(l, c, b);
    const auto f = [&data = data](const Variable& main, const Variable& extra) {
      return lstm_objective(main, extra, data);
    };
    const auto [value, slopes] = xgrad::value_and_grad<0, 1>(f)(p.main, p.extra);
    CHECK(value.value().item() == Approx(plain_lstm(p, data)).epsilon(1e-13));
    const auto with = [&data = data](LstmParameters given) { return plain_lstm(given, data); };
    CHECK(worst(
              [&, &p = p](const Tensor& x) {
                return with({x, p.extra});
              },
              p.main, slopes[0].value()) < 1e-8);
    CHECK(worst(
              [&, &p = p](const Tensor& x) {
                return with({p.main, x});
              },
              p.extra, slopes[1].value()) < 1e-8);
  }
}
