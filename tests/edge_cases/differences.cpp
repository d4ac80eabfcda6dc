#include "differences.hpp"

#include <cmath>
#include <cstdio>
#include <sstream>
#include <xgrad/autograd/tape.hpp>

namespace differences {
namespace {

std::string number(double v) {
  if (std::isnan(v)) return "nan";
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", v == 0 ? 0.0 : v);
  return text;
}

std::string nested(const std::vector<double>& values, const Shape& shape, int axis, std::size_t& next) {
  if (axis == shape.rank()) return number(values[next++]);
  std::string text = "[";
  for (std::int64_t i = 0; i < shape[axis]; ++i)
    text += (i == 0 ? "" : ", ") + nested(values, shape, axis + 1, next);
  return text + "]";
}

// An error's kind and message, without the line of the call.
template <class E>
std::string refusal(const char* kind, const E& error) {
  const std::string message = error.what();
  return std::string("throws ") + kind + ": " + message.substr(0, message.find(" (at "));
}

std::string code(const std::string& text) { return "`" + text + "`"; }

}  // namespace

std::string to_line(const Tensor& x) {
  std::size_t next = 0;
  return nested(x.to_vector<double>(), x.shape(), 0, next);
}

Shown::Shown(const std::vector<Variable>& parts) {
  for (const Variable& part : parts) text_ += (text_.empty() ? "" : ", ") + to_line(part.value());
}

std::string Shown::text() const { return value_ ? to_line(value_->value()) : text_; }

std::string run(const Row& row) {
  try {
    if (!row.at) return row.run(Variable()).text();
    Tape tape;
    const Variable x = tape.watch(*row.at);
    return to_line(tape.backward(sum(*row.run(x).value()))[x].value());
  } catch (const ShapeError& error) {
    return refusal("ShapeError", error);
  } catch (const DTypeError& error) {
    return refusal("DTypeError", error);
  } catch (const GraphError& error) {
    return refusal("GraphError", error);
  } catch (const Error& error) {
    return refusal("Error", error);
  }
}

std::string page() {
  std::ostringstream out;
  out << "# Differences from PyTorch\n\n"
         "Where the same computation answers otherwise than in PyTorch, on purpose, and why. What is not "
         "here and differs is\n"
         "a bug.\n\n"
         "This page is written by `scripts/differences` from the table in "
         "`tests/edge_cases/differences_table.cpp`. The tests run\n"
         "the column of xgrad; `scripts/differences --check` runs the other one, last with PyTorch 2.13. "
         "Where x is given, what\n"
         "is shown is the gradient of the sum. Names are those of `import torch`, `import "
         "torch.nn.functional as F` and\n"
         "`using namespace xgrad`.\n";
  for (const Section& section : table()) {
    out << "\n## " << section.title << "\n\n| | PyTorch | xgrad | why |\n| --- | --- | --- | --- |\n";
    for (const Row& row : section.rows) {
      out << "| " << row.what << (row.at ? ", x = " + to_line(*row.at) : "") << " | " << code(row.torch)
          << ": " << row.torch_gives << " | " << code(row.xgrad) << ": " << row.gives << " | " << row.why
          << " |\n";
    }
    for (const Words& row : section.words) {
      out << "| " << row.what << " | " << row.torch << " | " << row.xgrad << " | " << row.why << " |\n";
    }
  }
  return out.str();
}

}  // namespace differences
