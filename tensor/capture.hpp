// Capturing kernel calls, so that they can be run again on other data: the ground that compile() stands on.
//
// A kernel is a function of pointers and plain values. Every kernel reports its call here (launch), and every
// read of elements outside of a kernel does too (note_read), so that nothing can slip past a capture unseen.
// Thread safety: a capture belongs to the thread that began it. Where none is active, a hook costs one test.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <xgrad/tensor/storage.hpp>

namespace xgrad {

class Tensor;

namespace detail {

class Capture;
/// The one active on this thread.
extern constinit thread_local Capture* capturing;

/// A kernel that can be called again.
struct Kernel {
  using Run = void (*)(const void* state, void* const* out, const void* const* in);
  std::shared_ptr<const void> state;
  Run run = nullptr;

  /// From a copy of f(out, in).
  template <class F>
  static Kernel of(const F& f) {
    return {std::make_shared<F>(f), [](const void* state, void* const* out, const void* const* in) {
              (*static_cast<const F*>(state))(out, in);
            }};
  }
};

/// A kernel that walks its arrays element by element: it may be run on parts of them.
struct Walk {
  using Row = void (*)(const void* f, void* out, const void* const* in, const bool* advances, std::int64_t n);
  Row row = nullptr;
  const void* f = nullptr;  // within the kernel's state
  std::int64_t n = 0;
  std::size_t out_bytes = 0;     // of an element
  std::size_t in_bytes[8] = {};  // likewise; 0 where one element is repeated
};

/// Notes a call that has just run. Walk::row is null for a kernel that must see its arrays whole.
void capture(std::span<const Tensor* const> out, std::span<const Tensor* const> in, Kernel kernel,
             const Walk& walk = {});
/// Elements were read outside of a kernel: what follows may depend on them.
void note_read(const Storage& storage);
/// One element was read: a replay is right while it is the same.
void note_item(const Storage& storage);
/// Something happened that a replay would not repeat: "random numbers are drawn".
void note_obstacle(const char* what);
/// The tensor to use for the value of a parameter: a copy, one for each identity, that stands for what `now`
/// gives at the time of a replay. (The value itself may be shared with constants and other parameters.)
const Tensor& note_source(const Tensor& value, const void* identity, const std::function<Tensor()>& now);
/// Whether the elements are the same in every replay, so that they may be looked at.
bool is_fixed(const Tensor& tensor);

/// Calls f(out, in) with the tensors' addresses, and lets a capture note it. The results are new, or among
/// the inputs; f holds plain values only.
template <class F>
void launch(std::span<const Tensor* const> out, std::span<const Tensor* const> in, const F& f);

}  // namespace detail
}  // namespace xgrad
