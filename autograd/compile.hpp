// compile: record once, replay. A function of tensors is run once for given shapes; what it computed is then
// computed again on other data without running it: no recording, no dispatch, no allocation.
//
//   auto step = compile([&](const Variable& x, const Variable& y) {
//     Tape tape;
//     const Variable cost = mean(softmax_cross_entropy(model(x), y));
//     return std::pair(cost, tape.backward(cost));
//   });
//   for (...) {
//     auto [cost, gradients] = step(x, y);
//     sgd.step(gradients);
//   }
//
// A replay gives the same bits as the function itself. What may change between calls: the arguments'
// elements and the Parameters' values. Everything else that the function saw is as it was at the first call:
// tensors and numbers that it captured, loops and branches. A branch on an element (item()) is watched, and
// another outcome runs the function again. So do other shapes or dtypes. What cannot be replayed (drawing
// random numbers, updating a Parameter, reading elements in other ways than item()) is run as it is, each
// time, and the report says so.
#pragma once

#include <array>
#include <tuple>
#include <utility>
#include <xgrad/autograd/functional.hpp>
#include <xgrad/tensor/program.hpp>

namespace xgrad {

struct CompileOptions {
  /// Throw GraphError where a call could be neither replayed nor recorded for the first time with its shapes.
  bool strict = false;
};

/// How the calls of a compiled function went.
struct CompileReport {
  std::size_t replays = 0;
  std::size_t recordings = 0;  ///< calls that ran the function and kept what it did
  std::size_t plain = 0;       ///< calls that only ran the function
  std::string reason;          ///< why the last call that was no replay was none
  // Of the newest recording.
  std::size_t kernel_calls = 0, passes = 0;            ///< passes: after joining elementwise neighbours
  std::size_t planned_bytes = 0, temporary_bytes = 0;  ///< the plan's memory; what it would be without one
};
/// One line: "12 replays, 1 recording, 0 plain calls (...); 40 kernel calls in 31 passes, 1.2 MB for ..."
std::string to_string(const CompileReport& report);

namespace detail {

/// Calls see(tensor) for every tensor of a result, always in the same order.
template <class R, class See>
void each_tensor(const R& result, const See& see);
/// A result like the model, of the tensors that next() gives.
template <class R, class Next>
R rebuilt(const R& model, const Next& next);

template <class T>
inline constexpr bool is_value_and_grad = false;
template <class G>
inline constexpr bool is_value_and_grad<ValueAndGrad<G>> = true;
template <class T>
concept TupleLike = requires {
  std::tuple_size<T>::value;
};

template <class R, class See>
void each_tensor(const R& result, const See& see) {
  if constexpr (std::same_as<R, Tensor>) {
    see(result);
  } else if constexpr (std::same_as<R, Variable>) {
    see(result.value());
  } else if constexpr (std::same_as<R, Gradients>) {
    for (const auto& entry : result.entries()) see(entry.gradient.value());
  } else if constexpr (is_value_and_grad<R>) {
    each_tensor(result.value, see);
    each_tensor(result.grad, see);
  } else if constexpr (TupleLike<R>) {
    std::apply([&](const auto&... part) { (each_tensor(part, see), ...); }, result);
  } else {
    static_assert(std::same_as<R, std::vector<typename R::value_type>>,
                  "compile: the function returns tensors, Variables, Gradients, or pairs, tuples, arrays and "
                  "vectors of them");
    for (const auto& part : result) each_tensor(part, see);
  }
}

template <class R, class Next>
R rebuilt(const R& model, const Next& next) {
  if constexpr (std::same_as<R, Tensor> || std::same_as<R, Variable>) {
    return R(next());
  } else if constexpr (std::same_as<R, Gradients>) {
    Gradients gradients = Gradients::reusing();
    for (const auto& entry : model.entries()) {
      gradients.add({entry.given, entry.parameter, entry.place, Variable(next())});
    }
    return gradients;
  } else if constexpr (is_value_and_grad<R>) {
    return R{rebuilt(model.value, next), rebuilt(model.grad, next)};
  } else if constexpr (TupleLike<R>) {
    return std::apply([&](const auto&... part) { return R{rebuilt(part, next)...}; }, model);
  } else {
    R parts;
    for (const auto& part : model) parts.push_back(rebuilt(part, next));
    return parts;
  }
}

/// What was recorded for one set of shapes.
struct Recording {
  std::vector<Shape> shapes;
  std::vector<DType> dtypes;
  int simd = 0, threads = 0;
  int misses = 0;  // calls since the last replay for these shapes: counted in their first recording
  std::optional<Program> program;  // none: it cannot be replayed
  std::string obstacle;
  std::shared_ptr<const void> model;  // a result of the function

  Recording(std::span<const Variable> arguments);
  bool fits(std::span<const Variable> arguments) const;
};

/// The part of a compiled function that does not depend on its type.
class Compiler {
 public:
  explicit Compiler(const CompileOptions& options) : options_(options) {}
  const CompileReport& report() const { return report_; }

 protected:
  /// The recording that has just computed `results_` from these arguments, or nullptr: the function is to be run,
  /// and recorded if `record`.
  const Recording* replay(std::span<const Variable> arguments, bool& record);
  void keep(Recording recording);
  /// Copies, so that no two arguments, and no argument and constant, share their memory while recording.
  static std::vector<Variable> separate(std::span<const Variable> arguments);

  std::vector<Tensor> results_;

 private:
  void refuse() const;
  CompileOptions options_;
  CompileReport report_;
  std::vector<Recording> recordings_;
};

}  // namespace detail

/// A compiled function. Copies share nothing; one thread at a time may use one.
template <class F>
class Compiled : private detail::Compiler {
 public:
  Compiled(F f, const CompileOptions& options) : Compiler(options), f_(std::move(f)) {}
  using Compiler::report;

  /// f(x...), where each argument is anything that makes a Variable. Inside a recording tape f is simply run.
  template <class... X>
  auto operator()(X&&... x) {
    return call(std::array<Variable, sizeof...(X)>{Variable(std::forward<X>(x))...});
  }

 private:
  template <std::size_t N>
  auto call(const std::array<Variable, N>& arguments) {
    using Result = std::remove_cvref_t<decltype(std::apply(f_, arguments))>;
    bool record = false;
    if (const detail::Recording* done = replay(arguments, record)) {
      auto next = results_.begin();
      Result result = detail::rebuilt(*static_cast<const Result*>(done->model.get()),
                                      [&]() -> Tensor { return std::move(*next++); });
      results_.clear();
      return result;
    }
    if (!record) return Result(std::apply(f_, arguments));
    detail::Recording recording(arguments);
    const std::vector<Variable> own = separate(arguments);
    std::vector<const Tensor*> inputs;
    for (const Variable& x : own) inputs.push_back(&x.value());
    auto result = [&] {
      detail::Capture capture(inputs);
      auto made = std::make_shared<Result>([&]<std::size_t... I>(std::index_sequence<I...>) {
        return f_(own[I]...);
      }(std::make_index_sequence<N>{}));
      std::vector<const Tensor*> tensors;
      detail::each_tensor(*made, [&](const Tensor& tensor) { tensors.push_back(&tensor); });
      recording.obstacle = capture.obstacle();
      if (recording.obstacle.empty()) recording.program = capture.finish(tensors);
      return made;
    }();
    // The model is kept for its structure; its tensors go to the caller.
    std::vector<Tensor> tensors;
    detail::each_tensor(*result, [&](const Tensor& tensor) { tensors.push_back(tensor); });
    auto next = tensors.begin();
    Result own_result = detail::rebuilt(*result, [&]() -> Tensor { return std::move(*next++); });
    recording.model = std::make_shared<Result>(detail::rebuilt(*result, [] { return Tensor(); }));
    keep(std::move(recording));
    return own_result;
  }

  F f_;
};

/// The compiled form of f, which takes Variables and returns tensors, Variables, Gradients, or pairs, tuples,
/// arrays and vectors of them.
template <class F>
Compiled<F> compile(F f, const CompileOptions& options = {}) {
  return Compiled<F>(std::move(f), options);
}

}  // namespace xgrad
