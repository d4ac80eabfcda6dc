#include <algorithm>
#include <limits>
#include <xgrad/autograd/scope.hpp>
#include <xgrad/ops/einsum.hpp>
#include <xgrad/ops/einsum_formula.hpp>
#include <xgrad/ops/matrices.hpp>
#include <xgrad/ops/shaping.hpp>

namespace xgrad {

using detail::Call, detail::contains, detail::Formula, detail::Labelled, detail::Labels,
    detail::name_of_label;

namespace {

constexpr int dots = Formula::dots;  // its axes become dots + 1, dots + 2, ...

// A formula with its operands: every axis has a label, every label a size.
class Sum {
 public:
  Sum(const Call& call, const Formula& formula, std::vector<Operand>& operands, DType dtype)
      : call_(call), operands_(operands) {
    int wide = 0;  // the axes that "..." stands for
    for (std::size_t i = 0; i < operands.size(); ++i) wide = std::max(wide, dotted(formula.operands[i], i));
    for (std::size_t i = 0; i < operands.size(); ++i) {
      labels_.push_back(expanded(formula.operands[i], wide, dotted(formula.operands[i], i)));
      for (std::size_t axis = 0; axis < labels_[i].size(); ++axis) note_size(i, static_cast<int>(axis));
    }
    result = expanded(formula.result, wide, wide);
    if (wide > 0 && !contains(formula.result, dots)) {
      call.fail<ShapeError>("the result has no \"...\" for " + std::to_string(wide) +
                            " axes of the operands");
    }
    for (std::size_t i = 0; i < operands.size(); ++i)
      terms.push_back(without_repeats(operands[i].as(dtype), labels_[i]));
  }

  std::vector<Labelled> terms;
  Labels result;

  double size(const Labels& labels) const {
    double product = 1;
    for (int label : labels) product *= static_cast<double>(find_size(label)->size);
    return product;
  }

 private:
  // How many axes "..." stands for in operand i.
  int dotted(const Labels& labels, std::size_t i) const {
    const int named = static_cast<int>(labels.size()) - (contains(labels, dots) ? 1 : 0);
    const int rank = operands_[i].rank();
    if (contains(labels, dots) ? rank < named : rank != named) {
      call_.fail<ShapeError>("operand " + std::to_string(i) + ", " + operands_[i].describe() + ", has " +
                             std::to_string(rank) + " axes, the formula names " + std::to_string(named));
    }
    return rank - named;
  }
  static Labels expanded(const Labels& labels, int wide, int own) {
    Labels all;
    for (int label : labels) {
      if (label != dots) all.push_back(label);
      for (int k = wide - own; label == dots && k < wide; ++k) all.push_back(dots + 1 + k);
    }
    return all;
  }

  struct Size {
    int label;
    std::int64_t size;
    std::size_t operand;
  };
  std::vector<Size>::const_iterator find_size(int label) const {
    return std::find_if(sizes_.begin(), sizes_.end(),
                        [label](const Size& known) { return known.label == label; });
  }
  void note_size(std::size_t i, int axis) {
    const int label = labels_[i][static_cast<std::size_t>(axis)];
    const std::int64_t size = operands_[i].shape()[axis];
    const auto known = find_size(label);
    if (known == sizes_.end()) return sizes_.push_back({label, size, i});
    if (known->size == size || (label > dots && size == 1)) return;
    if (label > dots && known->size == 1) {
      sizes_[static_cast<std::size_t>(known - sizes_.begin())] = {label, size, i};
      return;
    }
    const auto place = [&](std::size_t operand, std::int64_t n) {
      return std::to_string(n) + " in operand " + std::to_string(operand) + ", " +
             operands_[operand].describe();
    };
    call_.fail<ShapeError>(name_of_label(label) + " is " + place(known->operand, known->size) + ", and " +
                           place(i, size));
  }

  // Diagonals where a label stands twice, and without the axes that broadcast.
  Labelled without_repeats(Variable x, Labels labels) const {
    for (std::size_t i = 0; i < labels.size();) {
      const auto again =
          std::find(labels.begin() + static_cast<std::ptrdiff_t>(i) + 1, labels.end(), labels[i]);
      if (again == labels.end()) {
        ++i;
        continue;
      }
      const int label = labels[i];
      x = detail::diagonal_of(x, static_cast<int>(i), static_cast<int>(again - labels.begin()));
      labels.erase(again);
      labels.erase(labels.begin() + static_cast<std::ptrdiff_t>(i));
      labels.push_back(label);
    }
    Labels kept;
    std::vector<std::int64_t> sizes;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const std::int64_t size = x.shape()[static_cast<int>(i)];
      if (size == 1 && find_size(labels[i])->size != 1) continue;
      kept.push_back(labels[i]);
      sizes.push_back(size);
    }
    return {reshape(x, Shape(std::span<const std::int64_t>(sizes))), kept};
  }

  const Call& call_;
  std::vector<Operand>& operands_;
  std::vector<Labels> labels_;
  std::vector<Size> sizes_;  // of a few labels
};

// Two terms, and what remains of their labels: those of the result first, in its order.
struct Pair {
  std::size_t a = 0, b = 1;
  Labels kept;
  double grows = std::numeric_limits<double>::infinity(), work = 0;
};

Pair cheapest_pair(const Sum& sum) {
  Pair best;
  for (std::size_t a = 0; a < sum.terms.size(); ++a) {
    for (std::size_t b = a + 1; b < sum.terms.size(); ++b) {
      const Labels &of_a = sum.terms[a].labels, &of_b = sum.terms[b].labels;
      Labels needed = sum.result, all = of_a;
      for (int label : of_b) {
        if (!contains(all, label)) all.push_back(label);
      }
      for (std::size_t c = 0; c < sum.terms.size(); ++c) {
        for (int label : sum.terms[c].labels) {
          if (c != a && c != b && !contains(needed, label)) needed.push_back(label);
        }
      }
      Pair pair{a, b, {}, 0, sum.size(all)};
      std::copy_if(needed.begin(), needed.end(), std::back_inserter(pair.kept),
                   [&](int label) { return contains(all, label); });
      pair.grows = sum.size(pair.kept) - sum.size(of_a) - sum.size(of_b);
      if (pair.grows < best.grows || (pair.grows == best.grows && pair.work < best.work)) best = pair;
    }
  }
  return best;
}

}  // namespace

Variable einsum(std::string_view formula, const std::vector<Variable>& operands, std::source_location where) {
  const Call call("einsum", where);
  const Formula parsed(call, formula);
  if (parsed.operands.size() != operands.size() || operands.empty()) {
    call.fail<Error>("\"" + std::string(formula) + "\" names " + std::to_string(parsed.operands.size()) +
                     " operands, there are " + std::to_string(operands.size()));
  }
  std::vector<Operand> given;
  std::vector<const Operand*> pointers;
  given.reserve(operands.size());
  for (const Variable& x : operands) pointers.push_back(&given.emplace_back(x, where));
  const DType dtype = detail::factor_dtype(call, pointers);
  const detail::At at(call.where);
  Sum sum(call, parsed, given, dtype);
  while (sum.terms.size() > 1) {
    const Pair pair = cheapest_pair(sum);
    sum.terms[pair.a] = detail::contract(sum.terms[pair.a], sum.terms[pair.b], pair.kept);
    sum.terms.erase(sum.terms.begin() + static_cast<std::ptrdiff_t>(pair.b));
  }
  return detail::in_order(detail::summed(sum.terms[0], sum.result), sum.result);
}

}  // namespace xgrad
