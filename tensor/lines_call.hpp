// Calls a formula of lines.hpp for the instruction set in use. Included by sources only.
#pragma once

#include <xgrad/tensor/dispatch.hpp>
#include <xgrad/tensor/lines.hpp>
#include <xgrad/tensor/tensor.hpp>

namespace xgrad::kernel::detail {

/// The array's axes before, at and behind one of them.
struct View {
  std::int64_t outer = 1, n = 1, inner = 1;
  View(const Shape& shape, int axis) {
    for (int a = 0; a < shape.rank(); ++a) (a < axis ? outer : a == axis ? n : inner) *= shape[a];
  }
};

/// f over all lines of a and b along the view's axis.
template <class T, class F>
void run(const F& f, const View& view, const void* a, const void* b, void* out) {
  if (view.outer * view.n * view.inner == 0) return;
  const xgrad::detail::Storage scratch(static_cast<std::size_t>(Lines<T, F>::scratch(view.n, view.inner)) *
                                       sizeof(T));
  const Arrays<T> arrays{{static_cast<const T*>(a), static_cast<const T*>(b)},
                         static_cast<T*>(out),
                         static_cast<T*>(scratch.data())};
  xgrad::detail::dispatch<Lines<T, F>, const F*, const Arrays<T>*, std::int64_t, std::int64_t, std::int64_t>(
      &f, &arrays, view.outer, view.n, view.inner);
}

}  // namespace xgrad::kernel::detail
