#include <algorithm>
#include <xgrad/ops/arithmetic.hpp>
#include <xgrad/ops/contraction.hpp>
#include <xgrad/ops/matmul.hpp>
#include <xgrad/ops/reduction.hpp>
#include <xgrad/ops/shaping.hpp>

namespace xgrad::detail {
namespace {

Labels joined(std::initializer_list<Labels> groups) {
  Labels all;
  for (const Labels& group : groups) all.insert(all.end(), group.begin(), group.end());
  return all;
}

std::int64_t size_of_label(const Labelled& x, int label) {
  const auto at = std::find(x.labels.begin(), x.labels.end(), label) - x.labels.begin();
  return x.value.shape()[static_cast<int>(at)];
}

Labels only(const Labels& labels, const auto& wanted) {
  Labels result;
  std::copy_if(labels.begin(), labels.end(), std::back_inserter(result), wanted);
  return result;
}

Shape sizes_of(const Labelled& x, const Labels& labels) {
  std::vector<std::int64_t> sizes;
  for (int label : labels) sizes.push_back(size_of_label(x, label));
  return Shape(std::span<const std::int64_t>(sizes));
}

// x as matrices: (batch, rows, columns), or (batch, columns, rows) where that needs no copy.
struct Matrices {
  Variable value;
  bool transposed;
  Matrices(const Labelled& x, const Labels& batch, const Labels& rows, const Labels& columns) {
    const Labels other = joined({batch, columns, rows});
    transposed = x.labels == other && x.labels != joined({batch, rows, columns});
    const Variable y = transposed ? x.value : in_order(x, joined({batch, rows, columns}));
    const std::int64_t m = sizes_of(x, rows).size(), n = sizes_of(x, columns).size();
    const std::int64_t first = transposed ? n : m, second = transposed ? m : n;
    value =
        batch.empty() ? reshape(y, {first, second}) : reshape(y, {sizes_of(x, batch).size(), first, second});
  }
};

// The products of elements, in the order `kept`.
Labelled product_of_elements(const Labelled& a, const Labelled& b, const Labels& kept) {
  const auto spread = [&](const Labelled& x) {
    const Labels own = only(kept, [&](int label) { return contains(x.labels, label); });
    std::vector<std::int64_t> sizes;
    for (int label : kept) sizes.push_back(contains(x.labels, label) ? size_of_label(x, label) : 1);
    return reshape(in_order(x, own), Shape(std::span<const std::int64_t>(sizes)));
  };
  return {spread(a) * spread(b), kept};
}

}  // namespace

DType factor_dtype(const Call& call, std::span<const Operand* const> operands) {
  const DType common = call.common_dtype(operands);
  return common == bool_ ? int64 : common;
}

bool contains(const Labels& labels, int label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

Variable in_order(const Labelled& x, const Labels& labels) {
  if (x.labels == labels) return x.value;
  std::vector<int> order;
  for (int label : labels) {
    order.push_back(static_cast<int>(std::find(x.labels.begin(), x.labels.end(), label) - x.labels.begin()));
  }
  return transpose(x.value, order);
}

Labelled summed(const Labelled& x, const Labels& kept) {
  std::vector<int> axes;
  for (std::size_t i = 0; i < x.labels.size(); ++i) {
    if (!contains(kept, x.labels[i])) axes.push_back(static_cast<int>(i));
  }
  if (axes.empty()) return x;
  return {sum(x.value, axes), only(x.labels, [&](int label) { return contains(kept, label); })};
}

Labelled contract(const Labelled& first, const Labelled& second, const Labels& kept) {
  // Summed before the product what only one of them has.
  const Labelled a = summed(first, joined({kept, second.labels})),
                 b = summed(second, joined({kept, first.labels}));
  const auto in_a = [&](int label) { return contains(a.labels, label); };
  const auto in_b = [&](int label) { return contains(b.labels, label); };
  const auto is_kept = [&](int label) { return contains(kept, label); };
  const Labels inner = only(a.labels, [&](int label) { return in_b(label) && !is_kept(label); });
  if (inner.empty()) {
    return product_of_elements(a, b, only(kept, [&](int label) { return in_a(label) || in_b(label); }));
  }
  const Labels batch = only(kept, [&](int label) { return in_a(label) && in_b(label); });
  const auto own = [&](const Labelled& x, const auto& in_other) {
    return only(x.labels, [&](int label) { return is_kept(label) && !in_other(label); });
  };
  const Labels rows = own(a, in_b), columns = own(b, in_a);
  // The product whose axes lie as the result's do.
  const auto first_of = [&](const Labels& labels) {
    return std::find_if(kept.begin(), kept.end(), [&](int label) { return contains(labels, label); });
  };
  if (first_of(columns) < first_of(rows)) return contract(b, a, kept);
  const Matrices left(a, batch, rows, inner), right(b, batch, inner, columns);
  const Variable y = matmul(left.value, right.value, {left.transposed, right.transposed});
  const Labels labels = joined({batch, rows, columns});
  std::vector<std::int64_t> sizes;
  for (int label : labels) sizes.push_back(size_of_label(in_a(label) ? a : b, label));
  return {reshape(y, Shape(std::span<const std::int64_t>(sizes))), labels};
}

}  // namespace xgrad::detail
