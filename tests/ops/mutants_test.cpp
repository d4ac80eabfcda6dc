// The checker is checked: faults are planted in the pullbacks of every operation of the table, one at a time, and
// gradcheck must fail and name the node. `scripts/mutants` runs all of them; the ordinary run takes a sample.
#include "mutants.hpp"

#include <iomanip>
#include <iostream>
#include <map>

#include "op_table.hpp"

using namespace op_table;
using namespace mutants;

namespace {

struct Tally {
  int planted = 0, equivalent = 0, killed = 0, located = 0;
  void operator+=(const Tally& other) {
    planted += other.planted, equivalent += other.equivalent;
    killed += other.killed, located += other.located;
  }
  int real() const { return planted - equivalent; }
};

std::ostream& operator<<(std::ostream& out, const Tally& t) {
  return out << t.planted << " planted, " << t.equivalent << " without effect, " << t.killed << " of "
             << t.real() << " found, " << t.located << " located";
}

// Plants every `stride`-th mutant of the row.
void try_row(const Row& row, const std::vector<Shape>& shapes, int stride, int& counter,
             std::map<Kind, Tally>& tallies, std::vector<std::string>& survivors) {
  const std::vector<Tensor> inputs = sample(row, shapes, 3);
  const Function f = [&](const Variables& x) { return square(row.call(x) + 0.5); };
  std::map<bool, Doubles> right;
  for (const Mutant& mutant : mutants_of(row.call, inputs)) {
    if (counter++ % stride != 0) continue;
    Tally& tally = tallies[mutant.kind];
    ++tally.planted;
    const Function wrong = planted(f, mutant);
    if (is_equivalent(seen(f, inputs, mutant.kind), seen(wrong, inputs, mutant.kind))) {
      ++tally.equivalent;
      continue;
    }
    const GradReport report =
        gradcheck(wrong, inputs, {.order = mutant.kind == Kind::recorded_wrong ? 2 : 1, .max_kinks = 1});
    const bool located = !report.faults.empty() &&
                         std::all_of(report.faults.begin(), report.faults.end(),
                                     [&](const GradFault& fault) { return fault.node == mutant.node; });
    tally.killed += !report.passed;
    tally.located += located;
    if (report.passed || !located) {
      std::ostringstream text;
      text << row.name << " " << to_string(shapes[0]) << ", node " << mutant.node << ", input "
           << mutant.input << ": " << kinds[static_cast<std::size_t>(mutant.kind)].second
           << (report.passed ? ": not found" : ": not located");
      survivors.push_back(text.str());
      survivors.back() += "\n" + to_string(report);
    }
  }
}

// The shapes of a row with the most elements.
const std::vector<Shape>& largest(const Row& row) {
  const auto elements = [](const std::vector<Shape>& shapes) {
    std::int64_t n = 0;
    for (const Shape& shape : shapes) n += shape.size();
    return n;
  };
  return *std::max_element(row.shapes.begin(), row.shapes.end(),
                           [&](const auto& a, const auto& b) { return elements(a) < elements(b); });
}

Tally try_all(int stride, bool all_shapes, std::ostream* out) {
  std::map<Kind, Tally> tallies;
  std::vector<std::string> survivors;
  int counter = 0;
  for (const Row& row : all_rows()) {
    if (!row.facts.differentiable || !row.facts.slopes) continue;
    if (!all_shapes) {
      try_row(row, largest(row), stride, counter, tallies, survivors);
      continue;
    }
    for (const auto& shapes : row.shapes) try_row(row, shapes, stride, counter, tallies, survivors);
  }
  Tally sum;
  for (const auto& [kind, what] : kinds) {
    sum += tallies[kind];
    if (out != nullptr) *out << std::left << std::setw(36) << what << tallies[kind] << "\n";
  }
  if (out != nullptr) {
    *out << std::left << std::setw(36) << "in all" << sum << "\n";
    for (const std::string& survivor : survivors) *out << survivor << "\n";
  }
  return sum;
}

}  // namespace

TEST_CASE("mutants: a fault in any pullback is found, and its node named", "[ops][gradcheck]") {
  const Tally tally = try_all(7, false, nullptr);
  INFO(tally);
  CHECK(tally.planted >= 300);
  CHECK(tally.killed == tally.real());
  CHECK(tally.located >= 0.95 * tally.real());
}

TEST_CASE("mutants: every fault", "[.mutants]") {
  const Tally tally = try_all(1, true, &std::cout);
  CHECK(tally.killed == tally.real());
  CHECK(tally.located >= 0.95 * tally.real());
}
