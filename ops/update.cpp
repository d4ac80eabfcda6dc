#include <xgrad/ops/update.hpp>
#include <xgrad/tensor/dispatch.hpp>
#include <xgrad/tensor/pack.hpp>
#include <xgrad/tensor/threads.hpp>

namespace xgrad {
namespace {

// d = momentum v + g + decay p, v = d, p -= rate d, in one pass over the memory; or without a velocity, d = g +
// decay p. Not a map: that has one result, and its formula's numbers would be read again after every store.
template <class T, bool has_velocity>
struct Update {
  T *parameter, *velocity;
  const T* gradient;
  T learning_rate, momentum, weight_decay;

  template <int Bytes>
  static void run(const Update* self, std::int64_t begin, std::int64_t end) {
    range<Bytes / static_cast<int>(sizeof(T))>(*self, begin, end);
  }

  template <int N>
  XGRAD_SIMD static void range(const Update u, std::int64_t i, std::int64_t end) {
    using V = simd::Pack<T, N>;
    const V rate(u.learning_rate), momentum(u.momentum), decay(u.weight_decay);
    const auto step = [&](auto load, auto store) __attribute__((always_inline)) {
      const V p = load(u.parameter);
      V d = load(u.gradient) + decay * p;
      if constexpr (has_velocity) {
        d = momentum * load(u.velocity) + d;
        store(d, u.velocity);
      }
      store(p - rate * d, u.parameter);
    };
    for (; i + N <= end; i += N) {
      step(
          [i](const T* at) __attribute__((always_inline)) { return V::load(at + i); },
          [i](V x, T * at) __attribute__((always_inline)) { x.store(at + i); });
    }
    const int rest = static_cast<int>(end - i);
    if (rest == 0) return;
    step(
        [=](const T* at) __attribute__((always_inline)) { return V::load_partial(at + i, rest); }, [=
    ](V x, T * at) __attribute__((always_inline)) { x.store_partial(at + i, rest); });
  }
};

template <bool has_velocity>
void update(Parameter& parameter, Tensor* velocity, const Tensor& gradient, double learning_rate,
            double momentum, double weight_decay) {
  parameter.update([&](Tensor& p) {
    detail::visit_floating(p.dtype(), [&]<class T>(T) {
      using Kernel = Update<T, has_velocity>;
      const Kernel kernel{
          detail::mutable_data<T>(p), has_velocity ? detail::mutable_data<T>(*velocity) : nullptr,
          gradient.data<T>(),         static_cast<T>(learning_rate),
          static_cast<T>(momentum),   static_cast<T>(weight_decay)};
      const auto run = detail::Dispatch<Kernel, const Kernel*, std::int64_t, std::int64_t>::select();
      detail::parallel(p.size(), parallel_elements,
                       [&](std::int64_t begin, std::int64_t end) { run(&kernel, begin, end); });
    });
  });
}

}  // namespace

void sgd_update(Parameter& parameter, const Tensor& gradient, double learning_rate, double weight_decay) {
  update<false>(parameter, nullptr, gradient, learning_rate, 0, weight_decay);
}

void momentum_update(Parameter& parameter, Tensor& velocity, const Tensor& gradient, double learning_rate,
                     double momentum, double weight_decay) {
  update<true>(parameter, &velocity, gradient, learning_rate, momentum, weight_decay);
}

}  // namespace xgrad
