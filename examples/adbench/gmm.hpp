// ADBench's Gaussian mixture: the log likelihood of n points in d dimensions under k Gaussians, with a Wishart prior
// on their precisions (F. Srajer, Z. Kukelova, A. Fitzgibbon, A benchmark of selected algorithmic differentiation tools
// on some problems in computer vision and machine learning, 2018).
#pragma once

#include <cmath>
#include <numbers>
#include <xgrad/xgrad.hpp>

namespace adbench {

using xgrad::Tensor;
using xgrad::Variable;

struct GmmData {
  Tensor x;            ///< (n, d)
  double gamma = 1;    ///< of the prior
  std::int64_t m = 0;  ///< likewise
};

struct GmmParameters {
  Tensor alphas;  ///< (k,): logarithms of the weights, up to a constant
  Tensor means;   ///< (k, d)
  Tensor icf;     ///< (k, d + d (d - 1) / 2): log diag(Q), then Q below the diagonal, column by column
};

/// The lower triangle Q of each Gaussian, (k, d, d), whose Q'Q is the precision.
inline Variable gmm_triangles(const Variable& icf, std::int64_t d) {
  // Where each element of the matrix stands in a row of icf; behind its end stands a 0.
  const std::int64_t row = icf.shape()[1];
  std::vector<std::int64_t> place(static_cast<std::size_t>(d * d), row);
  for (std::int64_t column = 0, next = d; column < d; ++column) {
    for (std::int64_t i = column + 1; i < d; ++i) place[static_cast<std::size_t>(i * d + column)] = next++;
  }
  const Variable padded = pad(icf, {{0, 0}, {0, 1}});
  return take(padded, Tensor({d, d}, place), 1) +
         expand_dims(exp(slice(icf, 1, {0, d})), 1) * xgrad::eye(d, icf.dtype());
}

/// The log likelihood and the prior, as ADBench's programs compute them (they add |Q|^2 and subtract the log determinants):
///
///   sum over i of logsumexp over k of (alpha_k + log det Q_k - |Q_k (x_i - mu_k)|^2 / 2) - n logsumexp(alpha) - n d log(2 pi) / 2
///     + sum over k of (gamma^2 |Q_k|^2 / 2 - m log det Q_k) - k C,
///
/// with C = f d (log gamma - log(2) / 2) - log Gamma_d(f / 2), f = d + m + 1.
inline Variable gmm_objective(const Variable& alphas, const Variable& means, const Variable& icf,
                              const GmmData& data) {
  const std::int64_t n = data.x.shape()[0], d = data.x.shape()[1], k = alphas.shape()[0];
  const Variable triangles = gmm_triangles(icf, d);
  const Variable sum_q = sum(slice(icf, 1, {0, d}), 1);     // log det Q
  const Variable centred = data.x - expand_dims(means, 1);  // (k, n, d)
  const Variable distance = sum_squares(matmul(centred, triangles, {.b = true}), -1);
  const Variable likelihood = sum(logsumexp(expand_dims(alphas + sum_q, 1) - 0.5 * distance, 0)) -
                              static_cast<double>(n) * logsumexp(alphas);

  const double freedom = static_cast<double>(d + data.m + 1), dimensions = static_cast<double>(d);
  double gammas = 0.25 * dimensions * (dimensions - 1) * std::log(std::numbers::pi);
  for (std::int64_t j = 0; j < d; ++j) gammas += std::lgamma(0.5 * (freedom - static_cast<double>(j)));
  const double each = freedom * dimensions * (std::log(data.gamma) - 0.5 * std::numbers::ln2) - gammas;
  const double constants = -0.5 * static_cast<double>(n) * dimensions * std::log(2 * std::numbers::pi) -
                           static_cast<double>(k) * each;
  const Variable prior =
      0.5 * data.gamma * data.gamma * sum_squares(triangles) - static_cast<double>(data.m) * sum(sum_q);
  return likelihood + prior + constants;
}

inline std::pair<GmmParameters, GmmData> random_gmm(std::int64_t n, std::int64_t d, std::int64_t k,
                                                    std::uint64_t seed = 1) {
  xgrad::Generator random(seed);
  const auto normal = [&](const xgrad::Shape& shape, double stddev) {
    return xgrad::normal(shape, random, 0, stddev, xgrad::float64);
  };
  return {{normal({k}, 1), normal({k, d}, 1), normal({k, d + d * (d - 1) / 2}, 0.3)},
          {normal({n, d}, 1.5), 0.8, 2}};
}

}  // namespace adbench
