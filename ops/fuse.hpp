// fuse: any formula of your own as one node, at the speed of a hand-written loop.
//
//   Variable y = fuse([](auto x) { return x / (1 + exp(-x)); }, z);                    // swish
//   Variable cost = fuse_mean([](auto a, auto y) { return (a - y) * (a - y); }, a, y);
//
// The lambda is generic and is called with one to eight values, one for each tensor; the tensors broadcast.
// It is compiled three times over:
//   - on SIMD packs, as one forward pass, for every instruction set, in your own source, whatever its flags;
//   - on dual numbers over packs, as one reverse pass that computes only the partials that are needed;
//   - on Variables, under create_graph: derivatives of any order.
//
// In it: numbers, + - * /, comparisons, & | ! on them, where(condition, a, b), and every elementwise function of
// arithmetic.hpp, math.hpp and activation.hpp (docs/fuse.md lists them), called without a namespace. A branch on a value, or a function of one number such as
// std::exp, does not compile and says so. Integer and bool tensors are converted to the common floating dtype.
// Every function here throws ShapeError if the shapes do not broadcast and DTypeError if float32 meets
// float64.
#pragma once

#include <xgrad/autograd/linear.hpp>
#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/fuse_kernel.hpp>
#include <xgrad/ops/math.hpp>
#include <xgrad/ops/reduction.hpp>

namespace xgrad {

namespace detail {

/// What becomes of the elements.
enum class Fold { none, sum, mean };

/// The operands of one call: of one floating dtype, and the shape they broadcast to.
struct FusedInputs {
  Call call;
  DType dtype;
  Shape shape;
  std::size_t count = 0;
  std::array<const Variable*, 8> at{};
  std::uint32_t tracked = 0;  ///< bit i: input i leads to a leaf
  FusedInputs(const char* op, std::initializer_list<Operand*> operands);
};

/// The contributions to the wanted inputs when they are to be differentiated again: `run`, on Variables, is
/// recorded and walked back with create_graph.
void pull_graph(const Variable& g, std::span<const Variable> inputs, std::uint64_t wanted,
                Variable* contributions, Variable (*run)(const void* f, const Variable* inputs),
                const void* f);

template <Fold fold, class F, std::size_t... I>
Variable run_on_variables(const F& f, const Variable* x, std::index_sequence<I...>);

/// The sum or mean of elementwise tangents.
Variable folded(const Variable& t, Fold fold);
/// What a tangent of an input of a sum contributes, from the partial that was computed with the value.
Variable pushed_sum(const Variable& t, const Tensor& partial);

template <Fold fold, class F, std::size_t N>
struct FusedPullback final : Pullback {
  static constexpr bool joint = true;
  F f;
  std::array<Variable, N> inputs;
  Shape shape;
  // Of a sum: the partials, computed in the same pass as the value.
  std::array<Tensor, fold == Fold::none ? 0 : N> partials;

  FusedPullback(const F& function, const FusedInputs& in) : f(function), shape(in.shape) {
    for (std::size_t i = 0; i < N; ++i) inputs[i] = *in.at[i];
  }

  void pull_all(const Variable& g, std::uint64_t wanted, Variable* out) const override {
    if (Tape::recording() != nullptr) {
      const auto run = [](const void* function, const Variable* x) {
        return run_on_variables<fold>(*static_cast<const F*>(function), x, std::make_index_sequence<N>{});
      };
      return pull_graph(g, inputs, wanted, out, run, &f);
    }
    visit_floating(g.dtype(), [&]<class T>(T) {
      if constexpr (fold == Fold::none) {
        std::array<const Tensor*, N> x;
        for (std::size_t i = 0; i < N; ++i) x[i] = &inputs[i].value();
        std::array<Tensor, N> result;
        kernel::fused_reverse<T>(f, shape, g.value(), x, static_cast<unsigned>(wanted), result);
        for (std::size_t i = 0; i < N; ++i) {
          if ((wanted >> i & 1) != 0) out[i] = Variable(std::move(result[i]));
        }
      } else {
        for (std::size_t i = 0; i < N; ++i) {
          if ((wanted >> i & 1) != 0) out[i] = Variable(kernel::scaled<T>(partials[i], g.value()));
        }
      }
    });
  }

  // The derivative along an input that has the whole shape is elementwise, its own transpose.
  std::optional<Variable> push(const Variable& t, std::size_t k, const Shape&) const override {
    if constexpr (fold != Fold::none) {
      if (Tape::recording() == nullptr) return pushed_sum(t, partials[k]);
    }
    std::array<Variable, N> x = inputs;
    x[k] = broadcast_to(x[k], shape);
    const Variable g = broadcast_to(t, shape);
    std::array<Variable, N> out;
    if constexpr (fold == Fold::none) {
      FusedPullback whole(*this);
      whole.inputs = std::move(x);
      whole.pull_all(g, std::uint64_t{1} << k, out.data());
    } else {
      const auto run = [](const void* function, const Variable* v) {
        return run_on_variables<Fold::none>(*static_cast<const F*>(function), v,
                                            std::make_index_sequence<N>{});
      };
      pull_graph(g, x, std::uint64_t{1} << k, out.data(), run, &f);
    }
    return folded(out[k], fold);
  }
};

template <class F, class... D>
constexpr bool check_function() {
  static_assert(std::is_invocable_v<const F&, D...>,
                "fuse: the function cannot be called with one value for each tensor: give the lambda as many "
                "`auto` parameters as there are tensors, by value or by const reference");
  if constexpr (dual::Refused<F>) {
    return false;
  } else if constexpr (std::is_invocable_v<const F&, D...>) {
    using R = std::remove_cvref_t<std::invoke_result_t<const F&, D...>>;
    static_assert(
        dual::is_dual<R>,
        "fuse: the function must return a number made of its arguments; a lambda with `auto` parameters "
        "computes on a vector of elements at a time, and where(condition, 1, 0) makes a number of a "
        "condition");
    return dual::is_dual<R>;
  }
  return false;
}

template <Fold fold, class F, std::size_t... I>
Variable fuse_inputs(const F& f, const FusedInputs& in, std::index_sequence<I...>) {
  constexpr std::size_t n = sizeof...(I);
  using Probe = dual::Dual<simd::Pack<float, 4>, 0>;
  if constexpr (check_function<F, decltype((void)I, Probe())...>()) {
    return visit_floating(in.dtype, [&]<class T>(T) {
      const std::array<const Tensor*, n> x{&in.at[I]->value()...};
      std::array<Tensor, n> partials;
      Tensor value = [&] {
        if constexpr (fold == Fold::none) {
          return kernel::fused_forward<T>(f, in.shape, x);
        } else {
          const double scale = fold == Fold::sum ? 1 : 1 / static_cast<double>(in.shape.size());
          return kernel::fused_sum<T>(f, in.shape, x, scale, in.tracked, partials);
        }
      }();
      if (in.tracked == 0) return Variable(std::move(value));
      Variable y(std::move(value), next_place);
      auto& node = record<FusedPullback<fold, F, n>>(
          in.call.op, in.call.where, y, std::span<const Variable* const>(in.at.data(), n), f, in);
      if constexpr (fold != Fold::none) node.partials = std::move(partials);
      return y;
    });
  } else {
    return Variable();
  }
}

template <Fold fold, class F, class... X>
Variable fuse(const char* op, const F& f, X&... x) {
  static_assert(sizeof...(X) <= 8);
  return fuse_inputs<fold>(f, FusedInputs(op, {&x...}), std::index_sequence_for<X...>{});
}

template <Fold fold, class F, std::size_t... I>
Variable run_on_variables(const F& f, const Variable* x, std::index_sequence<I...>) {
  Shape shape;
  ((shape = *broadcast(shape, x[I].shape())), ...);
  const Variable y = broadcast_to(Variable(f(x[I]...)), shape);
  if constexpr (fold == Fold::none) {
    return y;
  } else {
    return fold == Fold::sum ? sum(y) : mean(y);
  }
}

}  // namespace detail

// clang-format off

/// f(x...) for every element, as one node. Gradient to input i: g df/dx_i, summed where it was broadcast.
template <class F> Variable fuse(const F& f, Operand a) { return detail::fuse<detail::Fold::none>("fuse", f, a); }
template <class F> Variable fuse(const F& f, Operand a, Operand b) { return detail::fuse<detail::Fold::none>("fuse", f, a, b); }
template <class F> Variable fuse(const F& f, Operand a, Operand b, Operand c) { return detail::fuse<detail::Fold::none>("fuse", f, a, b, c); }
template <class F> Variable fuse(const F& f, Operand a, Operand b, Operand c, Operand d) { return detail::fuse<detail::Fold::none>("fuse", f, a, b, c, d); }
template <class F> Variable fuse(const F& f, Operand a, Operand b, Operand c, Operand d, Operand e) { return detail::fuse<detail::Fold::none>("fuse", f, a, b, c, d, e); }
template <class F> Variable fuse(const F& f, Operand a, Operand b, Operand c, Operand d, Operand e, Operand g) { return detail::fuse<detail::Fold::none>("fuse", f, a, b, c, d, e, g); }
template <class F> Variable fuse(const F& f, Operand a, Operand b, Operand c, Operand d, Operand e, Operand g, Operand h) { return detail::fuse<detail::Fold::none>("fuse", f, a, b, c, d, e, g, h); }
template <class F> Variable fuse(const F& f, Operand a, Operand b, Operand c, Operand d, Operand e, Operand g, Operand h, Operand i) { return detail::fuse<detail::Fold::none>("fuse", f, a, b, c, d, e, g, h, i); }

/// sum(fuse(f, x...)) without storing the elements: value and partials in one pass; pairwise. 0 over no
/// elements.
template <class F> Variable fuse_sum(const F& f, Operand a) { return detail::fuse<detail::Fold::sum>("fuse_sum", f, a); }
template <class F> Variable fuse_sum(const F& f, Operand a, Operand b) { return detail::fuse<detail::Fold::sum>("fuse_sum", f, a, b); }
template <class F> Variable fuse_sum(const F& f, Operand a, Operand b, Operand c) { return detail::fuse<detail::Fold::sum>("fuse_sum", f, a, b, c); }
template <class F> Variable fuse_sum(const F& f, Operand a, Operand b, Operand c, Operand d) { return detail::fuse<detail::Fold::sum>("fuse_sum", f, a, b, c, d); }
template <class F> Variable fuse_sum(const F& f, Operand a, Operand b, Operand c, Operand d, Operand e) { return detail::fuse<detail::Fold::sum>("fuse_sum", f, a, b, c, d, e); }
template <class F> Variable fuse_sum(const F& f, Operand a, Operand b, Operand c, Operand d, Operand e, Operand g) { return detail::fuse<detail::Fold::sum>("fuse_sum", f, a, b, c, d, e, g); }
template <class F> Variable fuse_sum(const F& f, Operand a, Operand b, Operand c, Operand d, Operand e, Operand g, Operand h) { return detail::fuse<detail::Fold::sum>("fuse_sum", f, a, b, c, d, e, g, h); }
template <class F> Variable fuse_sum(const F& f, Operand a, Operand b, Operand c, Operand d, Operand e, Operand g, Operand h, Operand i) { return detail::fuse<detail::Fold::sum>("fuse_sum", f, a, b, c, d, e, g, h, i); }

/// mean(fuse(f, x...)), likewise. NaN over no elements.
template <class F> Variable fuse_mean(const F& f, Operand a) { return detail::fuse<detail::Fold::mean>("fuse_mean", f, a); }
template <class F> Variable fuse_mean(const F& f, Operand a, Operand b) { return detail::fuse<detail::Fold::mean>("fuse_mean", f, a, b); }
template <class F> Variable fuse_mean(const F& f, Operand a, Operand b, Operand c) { return detail::fuse<detail::Fold::mean>("fuse_mean", f, a, b, c); }
template <class F> Variable fuse_mean(const F& f, Operand a, Operand b, Operand c, Operand d) { return detail::fuse<detail::Fold::mean>("fuse_mean", f, a, b, c, d); }
template <class F> Variable fuse_mean(const F& f, Operand a, Operand b, Operand c, Operand d, Operand e) { return detail::fuse<detail::Fold::mean>("fuse_mean", f, a, b, c, d, e); }
template <class F> Variable fuse_mean(const F& f, Operand a, Operand b, Operand c, Operand d, Operand e, Operand g) { return detail::fuse<detail::Fold::mean>("fuse_mean", f, a, b, c, d, e, g); }
template <class F> Variable fuse_mean(const F& f, Operand a, Operand b, Operand c, Operand d, Operand e, Operand g, Operand h) { return detail::fuse<detail::Fold::mean>("fuse_mean", f, a, b, c, d, e, g, h); }
template <class F> Variable fuse_mean(const F& f, Operand a, Operand b, Operand c, Operand d, Operand e, Operand g, Operand h, Operand i) { return detail::fuse<detail::Fold::mean>("fuse_mean", f, a, b, c, d, e, g, h, i); }

// clang-format on

}  // namespace xgrad
