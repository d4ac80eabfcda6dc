// Program: captured kernel calls, planned once and run again on other data.
//
// Planning drops what no result needs, gives every temporary its place in one block of memory (two share a
// place when the first is dead before the second is written), and joins neighbouring walks over arrays of one
// size into a single pass: block by block, so that what lives only between them never leaves the cache.
// Thread safety: a Program is used by one thread at a time. A replay gives the same bits as the captured run.
#pragma once

#include <vector>
#include <xgrad/tensor/tensor.hpp>

namespace xgrad::detail {

class Program;

/// Notes every kernel call of this thread while it lives. At most one at a time.
class Capture {
 public:
  /// The inputs' elements may differ in a replay; no two share their memory (precondition).
  explicit Capture(std::span<const Tensor* const> inputs);
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  /// Why the calls cannot be run again; empty if they can.
  const std::string& obstacle() const;
  /// What computes these results. Precondition: there is no obstacle.
  Program finish(std::span<const Tensor* const> results);

 private:
  friend void capture(std::span<const Tensor* const>, std::span<const Tensor* const>, Kernel, const Walk&);
  friend void note_read(const Storage&);
  friend void note_item(const Storage&);
  friend void note_obstacle(const char*);
  friend const Tensor& note_source(const Tensor&, const void*, const std::function<Tensor()>&);
  friend bool is_fixed(const Tensor&);
  struct State;
  std::unique_ptr<State> state_;
};

class Program {
 public:
  Program(Program&&) noexcept;
  Program& operator=(Program&&) noexcept;
  ~Program();

  /// Computes the results from new inputs of the same shapes and dtypes. False, with nothing computed, if an
  /// element that was looked at while capturing differs now, or a parameter changed its shape or dtype.
  bool run(std::span<const Tensor* const> inputs, std::vector<Tensor>& results);

  std::size_t calls() const;            ///< kernel calls of a run
  std::size_t passes() const;           ///< after joining
  std::size_t planned_bytes() const;    ///< of all temporaries together
  std::size_t temporary_bytes() const;  ///< what they would take side by side

 private:
  friend class Capture;
  struct State;
  explicit Program(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace xgrad::detail
