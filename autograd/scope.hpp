// Names for parts of a computation: they group the diagram and tell an error's place.
#pragma once

#include <cstdint>
#include <source_location>
#include <string>
#include <xgrad/tensor/capture.hpp>

namespace xgrad {

namespace detail {
struct TapeImpl;
}

/// While it lives, what this thread records belongs to `name`, inside the scopes around it:
///
///   Scope scope("layer1");
class Scope {
 public:
  explicit Scope(std::string name);
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  const std::string& name() const { return name_; }
  const Scope* parent() const { return parent_; }
  /// The innermost scope of this thread, or nullptr.
  static const Scope* current() { return innermost_; }
  /// "model/layer1", or "" outside.
  static std::string path();

 private:
  friend struct detail::TapeImpl;
  static constinit thread_local Scope* innermost_;
  std::string name_;
  Scope* parent_;
  std::uint64_t id_;  // grows from scope to scope of a thread
  // The number under which a tape knows this scope: numbered when the first node is recorded in it.
  mutable std::uint64_t tape_ = 0;
  mutable std::uint32_t number_ = 0;
};

namespace detail {

/// While the outermost one lives, recorded nodes and errors on this thread name `where`: a module sets it to
/// its caller's line, so that a user reads a line of their own program.
class At {
 public:
  explicit At(std::source_location where);
  ~At();
  At(const At&) = delete;
  At& operator=(const At&) = delete;
  /// The outermost At's location, or `otherwise`.
  static std::source_location or_else(std::source_location otherwise) { return set_ ? where_ : otherwise; }

 private:
  static constinit thread_local bool set_;
  static constinit thread_local std::source_location where_;
  bool outermost_;
};

/// The scope in which a kernel is captured, for its errors when it is run again.
class CapturedScope {
 public:
  CapturedScope() : path_(capturing == nullptr ? std::string() : Scope::path()) {}
  template <class F>
  void enter(const F& f) const {
    if (path_.empty() || capturing != nullptr) return f();
    const Scope scope(path_);
    f();
  }

 private:
  std::string path_;
};

/// "train.cpp:31"
std::string to_string(std::source_location where);

}  // namespace detail
}  // namespace xgrad
