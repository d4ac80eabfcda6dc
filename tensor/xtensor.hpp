// The bridge to xtensor: the one public header that includes it.
//
//   xgrad::Tensor t = xt::view(a, xt::all(), xt::range(_, _, -1));   any expression: evaluated, copied right
//   xgrad::Tensor u = std::move(a);                    an xt::xarray in row-major order: no copy
//   auto mean = xt::mean(t.as<float>())();             a view for xtensor: no copy
//
// Element types: float -> float32, double -> float64, bool -> bool, every integer -> int64.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>
#include <vector>
#include <xgrad/tensor/strided.hpp>
#include <xgrad/tensor/tensor.hpp>
#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#include <xtensor/xtensor.hpp>

namespace xgrad {

namespace detail {

template <class T>
using StoredAs =
    std::conditional_t<Element<T>, T, std::conditional_t<std::is_integral_v<T>, std::int64_t, void>>;

template <class E>
concept XtExpression = xt::is_xexpression<E>::value && std::is_arithmetic_v<typename E::value_type>;

// Whether the array's buffer can be taken over: elements as we store them, in row-major order.
template <class E>
concept OwnsBuffer = requires(E& e) {
  e.storage().data();
  e.data();
}
&&Element<typename E::value_type>&& E::static_layout ==
    xt::layout_type::row_major&& std::is_same_v<E, typename E::temporary_type>;

template <class S>
Shape shape_of(const S& sizes) {
  std::vector<std::int64_t> converted(sizes.begin(), sizes.end());
  return Shape(std::span<const std::int64_t>(converted));
}

template <class T>
struct AsXtensor {
  static auto view(const Tensor& tensor) {
    const std::vector<std::size_t> sizes(tensor.shape().begin(), tensor.shape().end());
    return xt::adapt(tensor.data<T>(), static_cast<std::size_t>(tensor.size()), xt::no_ownership(), sizes);
  }
};

}  // namespace detail

template <class E>
requires detail::XtExpression<E>
struct ToTensor<E> {
  using Value = typename E::value_type;
  using Stored = detail::StoredAs<Value>;
  static_assert(!std::is_void_v<Stored>,
                "xgrad holds float, double, bool and integers; cast the expression first");

  static Tensor convert(const E& expression) {
    Tensor result(detail::shape_of(expression.shape()), dtype_of<Stored>);
    if (result.size() == 0) return result;
    auto* out = detail::mutable_data<Stored>(result);
    if constexpr (xt::has_data_interface<E>::value && std::is_same_v<Value, Stored>) {
      // Arrays and strided, reversed or broadcast views of them: xtensor's strides are taken as they are.
      std::vector<std::int64_t> strides;
      for (std::size_t axis = 0; axis < expression.dimension(); ++axis) {
        strides.push_back(static_cast<std::int64_t>(expression.strides()[axis]));
      }
      kernel::gather(out, expression.data() + expression.data_offset(), sizeof(Stored), result.shape(),
                     strides);
    } else {
      for (auto it = expression.template cbegin<xt::layout_type::row_major>(),
                end = expression.template cend<xt::layout_type::row_major>();
           it != end; ++it) {
        *out++ = static_cast<Stored>(*it);
      }
    }
    return result;
  }

  static Tensor convert(E&& expression) requires(detail::OwnsBuffer<E>) {
    auto owner = std::make_unique<E>(std::move(expression));
    const std::size_t bytes = owner->size() * sizeof(Value);
    Shape shape = detail::shape_of(owner->shape());
    auto storage =
        detail::Storage::adopt(owner->data(), bytes, owner.get(), [](void* p) { delete static_cast<E*>(p); });
    owner.release();
    return Tensor(std::move(shape), dtype_of<Value>, std::move(storage));
  }
};

}  // namespace xgrad
