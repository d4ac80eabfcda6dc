// Where xgrad answers otherwise than PyTorch, on purpose: the one table. docs/differences-from-pytorch.md is written from
// it (scripts/differences), differences_test.cpp runs its right side, and scripts/differences --check its left one.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>
#include <xgrad/ops/ops.hpp>

namespace differences {

using namespace xgrad;

/// What an expression gave, as text: "[1, 0]", "nan", "float32".
class Shown {
 public:
  Shown(Variable y) : value_(std::move(y)) {}
  Shown(Tensor y) : value_(std::move(y)) {}
  Shown(DType dtype) : text_(name(dtype)) {}
  Shown(const std::vector<Variable>& parts);
  const std::optional<Variable>& value() const { return value_; }
  std::string text() const;

 private:
  std::optional<Variable> value_;
  std::string text_;
};

/// One expression in both libraries. Where `at` is given, x is a leaf and what is shown is the gradient of the sum of
/// the expression with respect to it.
struct Row {
  std::string what;
  std::optional<Tensor> at;
  std::string torch, torch_gives;
  std::string xgrad, gives;
  std::string why;
  std::function<Shown(const Variable& x)> run;
};

/// What takes more than one expression: words, and a check that they are true of xgrad.
struct Words {
  std::string what, torch, xgrad, why;
  std::function<bool()> check;
};

struct Section {
  std::string title;
  std::vector<Row> rows;
  std::vector<Words> words;
};

const std::vector<Section>& table();

/// What a row gives now: its text, or "throws ShapeError: message".
std::string run(const Row& row);
/// A tensor in one line.
std::string to_line(const Tensor& x);
/// docs/differences-from-pytorch.md.
std::string page();

}  // namespace differences
