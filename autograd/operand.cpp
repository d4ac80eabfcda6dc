#include <sstream>
#include <vector>
#include <xgrad/autograd/operand.hpp>
#include <xgrad/autograd/scope.hpp>
#include <xgrad/autograd/tape.hpp>

namespace xgrad {

void Operand::become(DType dtype) {
  if (weak_ != Weak::no) {
    own_ = Variable(scalar(number_, dtype));
    weak_ = Weak::no;
  } else if (parameter_ != nullptr) {
    own_ = Variable(*parameter_);
    parameter_ = nullptr;
  }
  if (own_) reference_ = &*own_;
  if (tensor().dtype() != dtype) {
    own_ = Variable(tensor().astype(dtype));
    reference_ = &*own_;
  }
}

std::string Operand::describe() const {
  if (weak_ == Weak::boolean) return number_ != 0 ? "true" : "false";
  if (weak_ != Weak::no) {
    std::ostringstream out;
    out << number_;
    return out.str();
  }
  const std::string name = parameter_ != nullptr ? parameter_->name() : detail::name_of(*reference_);
  return (name.empty() ? "" : name + " ") + to_string(shape());
}

namespace detail {

std::string Call::message(const std::string& what, const std::string& hint) const {
  std::string text = std::string(op) + ": " + what;
  if (!hint.empty()) text += "; " + hint;
  const std::string path = Scope::path();
  if (where.line() != 0) text += " (at " + to_string(where) + (path.empty() ? ")" : ", in " + path + ")");
  if (where.line() == 0 && !path.empty()) text += " (in " + path + ")";
  return text;
}

DType Call::common_dtype(std::span<const Operand* const> operands) const {
  const Operand* strongest = nullptr;  // of the tensors
  auto weakest = Operand::Weak::no;    // the most demanding number
  const auto order = [](DType d) { return is_floating(d) ? 2 : d == int64 ? 1 : 0; };
  for (const Operand* x : operands) {
    if (x->weak() != Operand::Weak::no) {
      weakest = std::max(weakest, x->weak());
    } else if (strongest == nullptr || order(x->dtype()) > order(strongest->dtype())) {
      strongest = x;
    } else if (is_floating(x->dtype()) && x->dtype() != strongest->dtype()) {
      fail<DTypeError>(std::string("dtypes differ: ") + strongest->describe() + " is " +
                           name(strongest->dtype()) + ", " + x->describe() + " is " + name(x->dtype()),
                       std::string("convert one with astype(") + name(x->dtype()) + ")");
    }
  }
  using Weak = Operand::Weak;
  if (strongest == nullptr) return weakest == Weak::boolean ? bool_ : number_dtype;
  const DType dtype = strongest->dtype();
  if (weakest == Weak::real && !is_floating(dtype)) return number_dtype;
  if (weakest == Weak::integer && dtype == bool_) return int64;
  return dtype;
}

Shape Call::common_shape(const Operand& a, const Operand& b) const {
  auto shape = broadcast(a.shape(), b.shape());
  if (!shape) {
    std::string hint;
    const Shape &s = a.shape(), &t = b.shape();
    if (s.rank() == 1 && t.rank() == 2 && s[0] == t[0]) {
      hint = "a vector is a row; reshape it to (" + std::to_string(s[0]) + ", 1) for a column";
    } else if (t.rank() == 1 && s.rank() == 2 && t[0] == s[0]) {
      hint = "a vector is a row; reshape it to (" + std::to_string(t[0]) + ", 1) for a column";
    } else if (s.rank() == 2 && t.rank() == 2 && s[0] == t[1] && s[1] == t[0]) {
      hint = "did you mean transpose?";
    }
    fail<ShapeError>("shapes do not broadcast: " + a.describe() + " and " + b.describe(), hint);
  }
  return *std::move(shape);
}

Shape Call::common_shape(std::span<const Operand* const> operands) const {
  if (operands.size() == 2) return common_shape(*operands[0], *operands[1]);
  Shape shape = operands[0]->shape();
  for (const Operand* x : operands.subspan(1)) {
    auto wider = broadcast(shape, x->shape());
    if (!wider) {
      std::vector<const Operand*> tensors;  // a number fits everything
      for (const Operand* y : operands) {
        if (y->weak() == Operand::Weak::no) tensors.push_back(y);
      }
      std::string all;
      for (std::size_t i = 0; i < tensors.size(); ++i) {
        all += (i == 0 ? "" : i + 1 < tensors.size() ? ", " : " and ") + tensors[i]->describe();
      }
      fail<ShapeError>("shapes do not broadcast: " + all);
    }
    shape = *std::move(wider);
  }
  return shape;
}

int Call::axis(int axis, const Operand& x) const {
  const int rank = x.rank();
  if (axis < -rank || axis >= rank) {
    fail<ShapeError>("axis " + std::to_string(axis) + " is out of range for " + x.describe() +
                     ", which has " + std::to_string(rank) + (rank == 1 ? " axis" : " axes"));
  }
  return axis < 0 ? axis + rank : axis;
}

}  // namespace detail
}  // namespace xgrad
