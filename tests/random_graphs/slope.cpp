#include "slope.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace random_graphs {

namespace {

/// One more row of Neville's scheme below `above`, for an error in powers of h^order.
std::vector<double> next_row(const std::vector<double>& above, double difference, double order) {
  std::vector<double> row{difference};
  double factor = 1;
  for (double better : above) {
    factor *= order;
    row.push_back(row.back() + (row.back() - better) / (factor - 1));
  }
  return row;
}

/// The best number so far, if the newest row holds it.
void take_best(Slope& best, const std::vector<double>& above, const std::vector<double>& row,
               double rounding) {
  for (std::size_t k = 1; k < row.size(); ++k) {
    const double spread = std::max(std::abs(row[k] - row[k - 1]), std::abs(row[k] - above[k - 1]));
    if (spread + rounding <= best.error) {
      best.value = row[k];
      best.error = spread + rounding;
    }
  }
}

constexpr double eps = std::numeric_limits<double>::epsilon();

}  // namespace

Slope central_slope(const std::function<double(double)>& f, double step, double target) {
  Slope best{std::nan(""), std::numeric_limits<double>::infinity(), 0};
  std::vector<double> above;
  for (int i = 0; i < 14; ++i, step /= 2) {
    const double high = f(step), low = f(-step);
    best.evaluations += 2;
    const double rounding = 4 * eps * std::max(std::abs(high), std::abs(low)) / step;
    std::vector<double> row = next_row(above, (high - low) / (2 * step), 4);
    take_best(best, above, row, rounding);
    above = std::move(row);
    if (i >= 3 && best.error <= target) break;
  }
  return best;
}

Slope one_sided_slope(const std::function<double(double)>& f, double side, double step) {
  Slope best{std::nan(""), std::numeric_limits<double>::infinity(), 1};
  const double middle = f(0);
  std::vector<double> above;
  for (int i = 0; i < 14; ++i, step /= 2) {
    const double there = f(side * step);
    ++best.evaluations;
    const double rounding = 8 * eps * std::max(std::abs(there), std::abs(middle)) / step;
    std::vector<double> row = next_row(above, (there - middle) / (side * step), 2);
    take_best(best, above, row, rounding);
    above = std::move(row);
  }
  return best;
}

}  // namespace random_graphs
