// Switches on the faults that scripts/mutants wrote into ops/, one at a time, and runs gradcheck on rows of the op table
// that reach it. Reads `id number_of_kinds` from the standard input and prints `id kind verdict row` for each.
#include <algorithm>
#include <iostream>
#include <map>
#include <set>
#include <xgrad/autograd/gradcheck_trace.hpp>

#include "../ops/mutants.hpp"
#include "../ops/op_table.hpp"
#include "mutation.hpp"

namespace xgrad::mutation {

int active = -1, kind = 0;
bool reached[most] = {};

Variable fault(int id, const Variable& x) {
  reached[id] = true;
  if (id != active || !is_floating(x.dtype())) return x;
  active = -1;  // not in what computes the fault
  using mutants::Kind;
  constexpr Kind kinds[] = {Kind::negated, Kind::doubled, Kind::rolled, Kind::wrong_axis, Kind::transposed};
  Variable y = mutants::faulty(kinds[kind], x);
  active = id;
  return y;
}

}  // namespace xgrad::mutation

namespace {

using namespace op_table;
using mutants::Kind;
namespace checking = detail::checking;
namespace mutation = xgrad::mutation;

struct Case {
  std::string name;
  Function f;
  std::vector<Tensor> inputs;
  std::map<int, std::set<std::size_t>> owners;  // of each fault, the nodes whose pullback or push reaches it
  Doubles value;
  std::array<Doubles, 3> right;
};

constexpr Kind views[] = {Kind::negated, Kind::recorded_wrong, Kind::pushed_wrong};

void note_reached(Case& c, std::size_t node) {
  for (int id = 0; id < mutation::most; ++id) {
    if (mutation::reached[id]) c.owners[id].insert(node);
  }
  std::fill(std::begin(mutation::reached), std::end(mutation::reached), false);
}

// Pulls and pushes node i in all ways, so that what this reaches shows.
void use(Tape& tape, std::size_t i) {
  const Node& node = tape.node(i);
  if (node.pullback == nullptr || node.dtype != float64) return;
  const Tensor g = checking::cotangent_of(node, i, 1);
  {
    const Tape::Pause pause;
    checking::pulled_by(tape, node, Variable(g));
    for (std::uint32_t k = 0; k < node.input_count; ++k) {
      if (node.inputs[k] < 0) continue;
      checking::pushed_by(node, k, ones(tape.node(static_cast<std::size_t>(node.inputs[k])).shape, float64));
    }
  }
  checking::pulled_by(tape, node, tape.watch(g));
}

void find_owners(Case& c) {
  Tape tape;
  Variables leaves;
  for (const Tensor& x : c.inputs) leaves.push_back(tape.watch(x));
  c.f(leaves);
  const std::size_t own = tape.size();
  std::fill(std::begin(mutation::reached), std::end(mutation::reached), false);
  for (std::size_t i = 0; i < own; ++i) {
    const std::size_t first = tape.size();
    use(tape, i);
    const std::size_t last = tape.size();
    for (std::size_t j = first; j < last; ++j) use(tape, j);  // what its pullback recorded
    note_reached(c, i);
  }
}

Case case_of(const std::string& name, const Function& call, const std::vector<Tensor>& inputs) {
  const auto f = [call](const Variables& x) { return square(call(x) + 0.5); };
  Case c{name, f, inputs, {}, doubles(f(Variables(inputs.begin(), inputs.end()))), {}};
  find_owners(c);
  for (std::size_t v = 0; v < 3; ++v) c.right[v] = mutants::seen(c.f, c.inputs, views[v]);
  return c;
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const Row& row : all_rows()) {
    if (!row.facts.differentiable || !row.facts.slopes) continue;
    for (const auto& shapes : row.shapes) {
      std::int64_t n = 0;
      for (const Shape& shape : shapes) n += shape.size();
      if (n < 3) continue;
      cases.push_back(case_of(row.name, row.call, sample(row, shapes, 3)));
    }
  }
  // What the rows' matrices are too small or too regular for.
  const auto det_of = [](const Variables& x) { return det(x[0]); };
  const Tensor regular = tensor({{1, 2, 3, 4}, {2, 5, 6, 8}, {1, 0, 1, 2}, {0, 1, 5, -1}}, float64);
  const Tensor singular = tensor({{1, 2, 3, 4}, {2, 4, 6, 8}, {1, 0, 1, 2}, {0, 1, 5, -1}}, float64);
  for (const Tensor& a : {regular, singular}) cases.push_back(case_of("det", det_of, {a}));
  return cases;
}

bool has_effect(const Case& c) {
  for (std::size_t v = 0; v < 3; ++v) {
    if (!mutants::is_equivalent(c.right[v], mutants::seen(c.f, c.inputs, views[v]))) return true;
  }
  return false;
}

// A formula that the value is computed by, too: another function then, with its own right derivative.
bool changes_value(const Case& c) {
  return !mutants::is_equivalent(c.value, doubles(c.f(Variables(c.inputs.begin(), c.inputs.end()))));
}

// "survived", "killed" or "located".
std::string verdict_of(const Case& c, int id) {
  GradReport report;
  for (int order = 1; order <= 2; ++order) {
    report = gradcheck(c.f, c.inputs, {.order = order, .max_kinks = 1});
    if (!report.passed) break;
  }
  if (report.passed) return "survived";
  const std::set<std::size_t>& owners = c.owners.at(id);
  const bool located =
      !report.faults.empty() && std::all_of(report.faults.begin(), report.faults.end(),
                                            [&](const GradFault& f) { return owners.count(f.node) == 1; });
  if (!located) std::cerr << c.name << ", fault " << id << ":\n" << report;
  return located ? "located" : "killed";
}

void try_fault(const std::vector<Case>& cases, int id, int kind) {
  std::string verdict = "unreached", where = "-";
  int tried = 0;
  for (const Case& c : cases) {
    if (c.owners.count(id) == 0) continue;
    if (verdict == "unreached") verdict = "equivalent";
    mutation::active = id, mutation::kind = kind;
    try {
      if (changes_value(c)) {
        verdict = "value", where = c.name;
        ++tried;
      } else if (has_effect(c)) {
        verdict = verdict_of(c, id), where = c.name;
        ++tried;
      }
    } catch (const std::exception& error) {
      std::cerr << c.name << ", fault " << id << ": " << error.what() << "\n";
      verdict = "killed", where = c.name;  // by a shape that does not fit
    }
    mutation::active = -1;
    if (verdict == "killed" || verdict == "located" || tried == 8) break;
  }
  std::cout << id << ' ' << kind << ' ' << verdict << ' ' << where << std::endl;
}

}  // namespace

int main() {
  const std::vector<Case> cases = all_cases();
  for (int id = 0, kinds = 0; std::cin >> id >> kinds;) {
    for (int kind = 0; kind < kinds; ++kind) try_fault(cases, id, kind);
  }
}
