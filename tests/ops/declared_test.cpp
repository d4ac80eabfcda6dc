// The op table counted against the headers: what ops/ declares has a row, every way of calling it one of its own.
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "declarations.hpp"
#include "op_table.hpp"

using declarations::Declaration;
using declarations::functions_of;
using op_table::all_rows;
using op_table::Row;

namespace {

// Public functions of tensors that have no row, or fewer rows than overloads.
const std::map<std::string, std::string> exceptions{
    {"uniform", "makes a tensor from none; random_test.cpp"},
    {"normal", "makes a tensor from none; random_test.cpp"},
    {"bernoulli", "makes a tensor that nothing flows back through; random_test.cpp"},
    {"permutation", "makes a tensor from none; random_test.cpp"},
    {"sgd_update", "changes a parameter and records nothing; update_test.cpp"},
    {"momentum_update", "changes a parameter and records nothing; update_test.cpp"},
    {"fuse", "one function, written out for each number of operands; fuse_test.cpp has all of them"},
    {"fuse_sum", "as fuse; fuse_sum_test.cpp"},
    {"fuse_mean", "as fuse; fuse_sum_test.cpp"},
};

// All that the installed headers of ops/ declare and that takes or makes tensors.
std::vector<Declaration> declared() {
  static const std::regex tensors(R"(\b(Operand|Variable|Parameter|Tensor|Shape|Generator)\b|A&&)");
  std::vector<Declaration> found;
  for (const auto& file : std::filesystem::directory_iterator(XGRAD_SOURCE_DIR "/ops")) {
    if (file.path().extension() != ".hpp") continue;
    std::ifstream in(file.path());
    std::stringstream text;
    text << in.rdbuf();
    for (Declaration& each : functions_of(text.str())) {
      if (std::regex_search(each.parameters, tensors)) found.push_back(std::move(each));
    }
  }
  return found;
}

// An operator, or an overload for xtensor's expressions, calls the function that has the row.
bool forwards(const Declaration& declaration) {
  return declaration.name.starts_with("operator") || declaration.parameters.find("A&&") != std::string::npos;
}

std::string called_by(const Declaration& declaration) {
  static const std::regex call(R"(return (?:a = )?(\w+)\()");
  std::smatch name;
  return std::regex_search(declaration.body, name, call) ? name[1].str() : "nothing";
}

}  // namespace

TEST_CASE("ops: every public operation has a row, and one for each overload", "[ops]") {
  std::map<std::string, int> rows;
  for (const Row& row : all_rows()) ++rows[row.name];
  std::map<std::string, std::vector<std::string>> overloads;
  std::size_t operators = 0;
  for (const Declaration& declaration : declared()) {
    if (forwards(declaration)) {
      INFO(declaration.name << "(" << declaration.parameters << ") { " << declaration.body);
      CHECK(rows.contains(called_by(declaration)));
      ++operators;
    } else {
      overloads[declaration.name].push_back(declaration.parameters);
    }
  }
  for (const auto& [name, signatures] : overloads) {
    if (exceptions.contains(name)) continue;
    std::string shown;
    for (const std::string& parameters : signatures) shown += "\n  " + name + "(" + parameters + ")";
    INFO("declared in ops/, with " << rows[name] << " rows in tests/ops/rows:" << shown);
    CHECK(static_cast<std::size_t>(rows[name]) >= signatures.size());
  }
  for (const auto& [name, count] : rows) {
    INFO(name << " has a row and is not declared in ops/");
    CHECK((count == 0 || overloads.contains(name)));
  }
  for (const auto& [name, reason] : exceptions) {
    INFO(name << " needs no exception: " << reason);
    REQUIRE(overloads.contains(name));
    CHECK(static_cast<std::size_t>(rows[name]) < overloads[name].size());
  }
  CHECK(overloads.size() >= 180);
  CHECK(operators >= 30);
}

TEST_CASE("ops: what counts as declared", "[ops]") {
  const auto found = functions_of(R"(
#include <x>
// Variable commented(Operand x);
namespace xgrad {
/// Doc { with a brace.
Variable plain(Operand x, Options options = {});
std::map<int, Variable> other_type(const std::vector<Variable>& parts,
                                   int axis = 0);
template <class F> Variable generic(const F& f, Operand a) { if (f) { return g(a); } return h(a); }
inline Variable operator+(Operand a, Operand b) { return add(a, b); }
struct Options { Variable member(Operand x); int n = f(2); };
using Function = std::function<Variable(Operand)>;
namespace detail { Variable hidden(Operand x); }
namespace detail { inline Variable hidden_too(Operand x) { return x; } }
Variable last(Operand x);
}  // namespace xgrad
namespace xgrad::kernel { Tensor kernel(const Tensor& x); }
)");
  std::vector<std::string> shown;
  for (const Declaration& each : found) shown.push_back(each.name + "(" + each.parameters + ")");
  CHECK(shown == std::vector<std::string>{"plain(Operand x, Options options = {})",
                                          "other_type(const std::vector<Variable>& parts, int axis = 0)",
                                          "generic(const F& f, Operand a)", "operator+(Operand a, Operand b)",
                                          "last(Operand x)"});
  CHECK(called_by(found[3]) == "add");
}
