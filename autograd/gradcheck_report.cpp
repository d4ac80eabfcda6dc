#include <cmath>
#include <cstdio>
#include <limits>
#include <ostream>
#include <sstream>
#include <xgrad/autograd/gradcheck.hpp>

namespace xgrad {
namespace {

constexpr double right = 1e-7, wrong = 1e-3;  // of the course's number

void print_probe(std::ostream& out, const GradProbe& p) {
  char line[256];
  const double ulp = std::numeric_limits<double>::epsilon() * std::abs(p.numeric);
  const char* verdict = p.inconclusive ? "inconclusive:" : p.excess > 1 ? "wrong:" : "ok:";
  std::snprintf(line, sizeof line,
                "%s order %d  analytic %.17g  numeric %.17g  (error %.1e, step %.1e, %.1e ulp apart)%s",
                verdict, p.order, p.analytic, p.numeric, p.error, p.step,
                p.analytic == p.numeric ? 0 : std::abs(p.analytic - p.numeric) / ulp, p.kink ? "  kink" : "");
  out << "  " << p.input;
  if (p.index >= 0) out << '[' << p.index << ']';
  out << "  " << line << '\n';
}

void print_fault(std::ostream& out, const GradFault& fault) {
  out << "  at fault: " << fault.op << " (at " << fault.where;
  if (!fault.scope.empty()) out << ", in " << fault.scope;
  out << "), node " << fault.node << (fault.order == 2 ? ", of order 2" : "") << ": " << fault.what << '\n';
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const GradReport& report) {
  char line[256];
  std::snprintf(line, sizeof line, "gradient check %s: %lld of %lld slopes differ, relative difference %.1e",
                report.passed ? "passed" : "FAILED", static_cast<long long>(report.failed),
                static_cast<long long>(report.probes), report.relative_difference);
  out << line;
  if (report.kinks > 0) out << ", " << report.kinks << (report.kinks == 1 ? " kink" : " kinks");
  out << '\n';
  for (const GradFault& fault : report.faults) print_fault(out, fault);
  for (const std::string& problem : report.problems) out << "  problem: " << problem << '\n';
  const auto is_call = [](const std::string& note) { return note.rfind("to repeat: ", 0) == 0; };
  for (const std::string& note : report.notes) {
    if (!is_call(note)) out << "  note: " << note << '\n';
  }
  if (!report.passed) {
    for (const GradInput& input : report.inputs) {
      std::snprintf(line, sizeof line, ": %lld of %lld slopes differ, relative difference %.1e (%s)",
                    static_cast<long long>(input.failed), static_cast<long long>(input.probes),
                    input.relative_difference,
                    input.relative_difference < right   ? "right"
                    : input.relative_difference > wrong ? "wrong"
                                                        : "suspicious");
      out << "  " << input.name << line << '\n';
    }
  }
  for (const GradProbe& p : report.worst) print_probe(out, p);
  for (const GradProbe& p : report.at_kinks) {
    out << "  kink at " << p.input;
    if (p.index >= 0) out << '[' << p.index << ']';
    out << '\n';
  }
  for (const std::string& note : report.notes) {
    if (is_call(note)) out << "  " << note << '\n';
  }
  return out;
}

std::string to_string(const GradReport& report) {
  std::ostringstream out;
  out << report;
  return out.str();
}

}  // namespace xgrad
