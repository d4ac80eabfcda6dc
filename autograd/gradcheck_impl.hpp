// The parts of a gradient check, for its sources: what is checked (Subject), the scalar functions that it is made
// of (Slopes), the lines along which they are probed, and the search for the node at fault.
#pragma once

#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>
#include <xgrad/autograd/gradcheck.hpp>
#include <xgrad/autograd/tape.hpp>
#include <xgrad/tensor/philox.hpp>

namespace xgrad::detail::checking {

using Point = std::vector<std::vector<double>>;  // for each input its elements, row-major

/// A function of float64 inputs, each with its name and its value at the point of the check.
struct Subject {
  std::vector<std::string> names;
  std::vector<Shape> shapes;
  Point start;
  /// The function's value at these inputs. With a tape, `leaves` are filled with the inputs' places on it.
  std::function<Variable(Tape*, const std::vector<Tensor>&, Variables& leaves)> call;

  std::vector<Tensor> tensors(const Point& x) const;
  std::int64_t elements() const;
  /// Not recorded. Throws DTypeError unless it is float64.
  Tensor value(const Point& x) const;
  /// Recorded on `tape`.
  Variable record(Tape& tape, const Point& x, Variables& leaves) const;
};

/// ||a - n|| / (||a|| + ||n||)
struct Difference {
  long double difference = 0, analytic = 0, numeric = 0;
  void add(long double a, long double n) {
    difference += (a - n) * (a - n), analytic += a * a, numeric += n * n;
  }
  double relative() const {
    const long double norms = std::sqrt(analytic) + std::sqrt(numeric);
    return norms == 0 ? 0 : static_cast<double>(std::sqrt(difference) / norms);
  }
};

double dot(const Tensor& a, const Tensor& b);
Tensor random_like(const Shape& shape, Generator& random);

/// Several scalar functions of one point with their analytic gradients, evaluated together.
struct Slopes {
  std::function<std::vector<double>(const Point&)> values;
  std::function<std::vector<Point>(const Point&)> gradients;
};

/// <f(x), c> for each cotangent c, differentiated by one backward pass each.
Slopes first_order(const Subject& f, const std::vector<Tensor>& cotangents);
/// <gradient of <f, cotangent>, directions>, differentiated by a backward pass over the graph of the backward
/// pass.
Slopes second_order(const Subject& f, const Tensor& cotangent, const std::vector<Tensor>& directions);

/// A line through the start: a coordinate's, or a dense random one of length 1.
struct Line {
  std::size_t input = 0;
  std::int64_t index = -1;
  std::shared_ptr<const Point> direction;  // of a dense line
  double scale = 1;

  Point at(const Point& x, double t) const;
  double slope(const Point& gradient) const;
};

/// All coordinates; of many elements dense random lines and a sample of the coordinates of each input: one of
/// each of so many strata, the one with the largest gradient, and one whose gradient is 0.
std::vector<Line> lines_of(const Subject& f, const std::vector<Point>& gradients,
                           const GradCheckOptions& options, Generator& random);

/// A step of the 4-point stencil for a line of this scale: eps^(1/5), where its truncation meets its rounding.
/// A power of two, so that it is exact.
double first_step(double scale);

/// The slopes along a line by differences against the analytic ones: of several functions the worst.
GradProbe probe(const Slopes& f, const Point& x, const Line& line, const std::vector<double>& analytic,
                const GradCheckOptions& options);

/// Whether forward mode can walk to y: each node has a push, or a pullback that records what it does and so can be
/// transposed.
bool can_be_pushed(Tape& tape, const Variable& y);

/// Leaves memory full of NaN behind, so that a kernel which does not write all of its result shows.
void poison(const Subject& f);

bool is_connected(const Subject& f);

/// Whether <v, J u> = <J' v, u>, forward against reverse mode. If not, the report says so, and which of the two the
/// differences contradict.
bool transposes_agree(const Subject& f, const Tensor& v, const std::vector<Tensor>& u,
                      const GradCheckOptions& options, GradReport& report);

/// H u, by reverse over reverse mode, with u.
struct HessianAlong {
  Point product;
  std::vector<Tensor> direction;
};
/// Whether v' H u = u' H v. If not, the report says so.
bool is_symmetric(const HessianAlong& a, const HessianAlong& b, const GradCheckOptions& options,
                  GradReport& report);
/// Whether H u of <f, cotangent> is the same by forward over reverse mode. If not, the report says so.
bool hessians_agree(const Subject& f, const Tensor& cotangent, const HessianAlong& a,
                    const GradCheckOptions& options, GradReport& report);

/// The nodes whose pullback does not fit their values, in the order of the tape. Each node's change along
/// `lines` through the start is compared with what its pullback makes of the changes of its inputs. With order
/// 2 also what its pullback records is checked in the same way. Draws them if asked to.
std::vector<GradFault> faults_of(const Subject& f, const std::vector<Line>& lines,
                                 const GradCheckOptions& options, int order);

/// The whole check.
GradReport check(const Subject& f, const GradCheckOptions& options);

}  // namespace xgrad::detail::checking
