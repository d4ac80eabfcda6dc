// Calls a formula of lines.hpp for the instruction set in use. Included by sources only.
#pragma once

#include <xgrad/tensor/dispatch.hpp>
#include <xgrad/tensor/lines.hpp>
#include <xgrad/tensor/tensor.hpp>
#include <xgrad/tensor/threads.hpp>

namespace xgrad::kernel::detail {

/// The array's axes before, at and behind one of them.
struct View {
  std::int64_t outer = 1, n = 1, inner = 1;
  View(std::int64_t outer, std::int64_t n, std::int64_t inner) : outer(outer), n(n), inner(inner) {}
  View(const Shape& shape, int axis) {
    for (int a = 0; a < shape.rank(); ++a) (a < axis ? outer : a == axis ? n : inner) *= shape[a];
  }
};

/// f(first, last) for parts of the view's lines, on several threads where that pays; line o * inner + c goes
/// down column c of array o. A line is computed in one order, whatever part it is in. Columns that share lines
/// of the cache stay together.
template <class F>
void in_lines(const View& view, const F& f) {
  const std::int64_t lines = view.outer * view.inner;
  if (lines * view.n <= parallel_elements / 2) return f(std::int64_t{0}, lines);
  const std::int64_t worth = parallel_elements / 8 / view.n;
  const std::int64_t unit = view.inner == 1 ? (worth < 64 ? 1 : 64) : view.inner < 128 ? view.inner : 64;
  xgrad::detail::parallel(lines, std::max(unit, worth / unit * unit), f);
}

/// f over all lines of a and b along the view's axis.
template <class T, class F>
void run(const F& f, const View& view, const void* a, const void* b, void* out) {
  if (view.outer * view.n * view.inner == 0) return;
  in_lines(view, [&](std::int64_t first, std::int64_t last) {
    const xgrad::detail::Storage scratch(static_cast<std::size_t>(Lines<T, F>::scratch(view.n, view.inner)) *
                                         sizeof(T));
    const Arrays<T> arrays{{static_cast<const T*>(a), static_cast<const T*>(b)},
                           static_cast<T*>(out),
                           static_cast<T*>(scratch.data())};
    xgrad::detail::dispatch<Lines<T, F>, const F*, const Arrays<T>*, std::int64_t, std::int64_t, std::int64_t,
                            std::int64_t>(&f, &arrays, view.n, view.inner, first, last);
  });
}

}  // namespace xgrad::kernel::detail
