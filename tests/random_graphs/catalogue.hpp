// What random graphs are made of: the rows of the op table, as far as differences can show their slopes, and rows for
// what the table has no row for.
#pragma once

#include <functional>
#include <string>
#include <vector>
#include <xgrad/autograd/tape.hpp>

namespace random_graphs {

using namespace xgrad;

struct Domain {
  double low, high;
};

/// A row of the catalogue: an operation with some of its arguments.
struct Entry {
  std::string name;
  std::function<Variable(const std::vector<Variable>&)> call;
  std::vector<Domain> domain;              // of each operand
  std::vector<std::vector<Shape>> shapes;  // to choose from, of all operands
  std::vector<double> kinks;
  /// Elements stay apart from each other, each in an interval of its own: ties, singular matrices and variances of 0
  /// are kept away by construction.
  bool apart = false;
  /// It takes any numbers of size about 1, so that they need not be squashed into the domain.
  bool unbounded = false;
};

const std::vector<Entry>& catalogue();

/// Operations whose rows in the table differences cannot follow: steps, and those with another gradient than their slope on
/// purpose. Each stands in the catalogue in a form that they can.
const std::vector<std::string>& replaced_rows();

}  // namespace random_graphs
