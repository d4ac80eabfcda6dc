// ADBench's bundle adjustment: n cameras see m points p times. The residuals are vectors, and their Jacobian is sparse:
// an observation depends on its camera, its point and its weight alone.
#pragma once

#include <array>
#include <xgrad/xgrad.hpp>

namespace adbench {

using xgrad::Tensor;
using xgrad::Variable;

struct BundleAdjustment {
  Tensor
      cameras;    ///< (n, 11): rotation (angle times axis), centre, focal length, principal point, distortion
  Tensor points;  ///< (m, 3)
  Tensor weights;       ///< (p,)
  Tensor camera_of;     ///< (p,) of int64: which camera made each observation,
  Tensor point_of;      ///< (p,) of int64: of which point,
  Tensor observations;  ///< (p, 2): and where the point appeared
};

inline Variable columns(const Variable& x, std::int64_t first, std::int64_t end) {
  return slice(x, -1, {first, end});
}

/// The cross product of rows of three.
inline Variable cross(const Variable& a, const Variable& b) {
  return roll(a, -1, -1) * roll(b, -2, -1) - roll(a, -2, -1) * roll(b, -1, -1);
}

/// Rows x, each turned by its row of r: by the angle |r| around r (Rodrigues). For small angles, x + r x x.
inline Variable rotated(const Variable& r, const Variable& x) {
  const Variable squared = sum_squares(r, -1, true);
  const Variable turns = squared > 0;
  const Variable angle =
      sqrt(where(turns, squared, 1));  // chosen before the root: its slope at 0 is infinite
  const Variable axis = r / angle, cosine = cos(angle);
  const Variable full =
      x * cosine + cross(axis, x) * sin(angle) + axis * (sum(axis * x, -1, true) * (1 - cosine));
  return where(turns, full, x + cross(r, x));
}

/// Where cameras (p, 11) see points (p, 3), one each: (p, 2).
inline Variable projected(const Variable& cameras, const Variable& points) {
  const Variable seen = rotated(columns(cameras, 0, 3), points - columns(cameras, 3, 6));
  const Variable flat = columns(seen, 0, 2) / columns(seen, 2, 3);
  const Variable r2 = sum_squares(flat, -1, true);
  const Variable distortion = 1 + columns(cameras, 9, 10) * r2 + columns(cameras, 10, 11) * square(r2);
  return columns(cameras, 6, 7) * (flat * distortion) + columns(cameras, 7, 9);
}

/// The reprojection errors, (p, 2), of observations whose cameras (p, 11), points (p, 3) and weights (p,) are given row by row.
inline Variable reprojection(const Variable& cameras, const Variable& points, const Variable& weights,
                             const Tensor& observations) {
  return expand_dims(weights, -1) * (projected(cameras, points) - observations);
}

/// The errors of the weights, (p,).
inline Variable weight_errors(const Variable& weights) { return 1 - square(weights); }

/// All reprojection errors, (p, 2), and errors of the weights, (p,).
inline std::pair<Variable, Variable> residuals(const BundleAdjustment& problem) {
  return {reprojection(take(problem.cameras, problem.camera_of), take(problem.points, problem.point_of),
                       problem.weights, problem.observations),
          weight_errors(problem.weights)};
}

/// The Jacobian without its zeros: row i holds the derivatives of observation i with respect to its own parameters.
struct SparseJacobian {
  Tensor residuals;         ///< (p, 2)
  Tensor weight_residuals;  ///< (p,)
  Tensor cameras;           ///< (p, 2, 11)
  Tensor points;            ///< (p, 2, 3)
  Tensor weights;           ///< (p, 2)
  Tensor weight_errors;     ///< (p,)
};

/// Rows do not meet, so one walk with a cotangent of ones in a column gives that column's derivatives of all observations:
/// two walks, however many there are.
inline SparseJacobian sparse_jacobian(const BundleAdjustment& problem) {
  const Variable cameras = take(problem.cameras, problem.camera_of),
                 points = take(problem.points, problem.point_of);
  const auto f = [&](const Variable& c, const Variable& x, const Variable& w) {
    return reprojection(c, x, w, problem.observations);
  };
  const auto [value, pull] = vjp(f, cameras, points, problem.weights);
  std::array<std::vector<Variable>, 3> rows;
  for (std::int64_t column = 0; column < 2; ++column) {
    const Tensor ones =
        one_hot(xgrad::full({value.shape()[0]}, static_cast<double>(column), xgrad::int64), 2).value();
    auto pulled = pull(ones.astype(value.dtype()));
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].push_back(std::move(pulled[i]));
  }
  const auto errors = xgrad::vjp(weight_errors, problem.weights);
  return {value.value(),
          errors.value.value(),
          xgrad::stack(rows[0], 1).value(),
          xgrad::stack(rows[1], 1).value(),
          xgrad::stack(rows[2], 1).value(),
          errors.pull(xgrad::ones(problem.weights.shape(), xgrad::float64)).value()};
}

inline BundleAdjustment random_bundle_adjustment(std::int64_t n, std::int64_t m, std::int64_t p,
                                                 std::uint64_t seed = 1) {
  xgrad::Generator random(seed);
  const auto uniform = [&](const xgrad::Shape& shape, double low, double high) {
    return Variable(xgrad::uniform(shape, random, low, high, xgrad::float64));
  };
  const auto picks = [&](std::int64_t bound) {
    std::vector<std::int64_t> values(static_cast<std::size_t>(p));
    for (auto& value : values)
      value = static_cast<std::int64_t>(random.next_index(static_cast<std::uint64_t>(bound)));
    return Tensor({p}, values);
  };
  // Points around the origin, before cameras that look at them from some distance along the third axis.
  const Variable centre = xgrad::concat({uniform({n, 2}, -0.5, 0.5), uniform({n, 1}, -6, -4)}, 1);
  const Variable cameras = xgrad::concat({uniform({n, 3}, -0.2, 0.2), centre, uniform({n, 1}, 300, 500),
                                          uniform({n, 2}, -20, 20), uniform({n, 2}, -0.1, 0.1)},
                                         1);
  const Variable points = uniform({m, 3}, -1, 1);
  const Tensor camera_of = picks(n), point_of = picks(m);
  const Variable seen = projected(take(cameras, camera_of), take(points, point_of)) + uniform({p, 2}, -3, 3);
  return {cameras.value(), points.value(), uniform({p}, 0.5, 1.5).value(), camera_of, point_of, seen.value()};
}

}  // namespace adbench
