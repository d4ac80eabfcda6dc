// Gradients: what a backward pass returns, a map from Parameter or Variable to its gradient.
//
// Nothing accumulates behind your back: there is no .grad to clear, and two threads cannot race on one. A
// value type; sum the results of several threads with +=.
#pragma once

#include <optional>
#include <string>
#include <vector>
#include <xgrad/autograd/parameter.hpp>
#include <xgrad/autograd/variable.hpp>

namespace xgrad {

class Gradients {
 public:
  Gradients() = default;
  Gradients(const Gradients&) = default;
  Gradients(Gradients&&) = default;
  Gradients& operator=(const Gradients&) = default;
  Gradients& operator=(Gradients&&) = default;
  ~Gradients();

  /// One result: of a parameter, or of a watched variable.
  struct Entry {
    std::string given;                   ///< name of a variable; may be empty
    std::optional<Parameter> parameter;  ///< absent for a variable
    Place place;                         ///< of a variable
    Variable gradient;                   ///< shape and dtype of what it belongs to
    const std::string& name() const { return parameter ? parameter->name() : given; }
  };

  /// The gradient; a constant unless create_graph was asked for. Throws GraphError, naming it, if the result
  /// does not depend on it.
  const Variable& operator[](const Parameter& parameter) const;
  const Variable& operator[](const Variable& variable) const;
  /// The gradient, or nullptr if the result does not depend on it.
  const Variable* find(const Parameter& parameter) const;
  const Variable* find(const Variable& variable) const;
  /// The gradient, or zeros if the result does not depend on it.
  Variable or_zeros(const Parameter& parameter) const;
  Variable or_zeros(const Variable& variable) const;

  /// Adds gradients parameter by parameter; those only `other` has are taken over. Entries of variables are
  /// matched by their place. Throws ShapeError or DTypeError if two of one parameter disagree, and changes
  /// nothing then.
  Gradients& operator+=(const Gradients& other);

  /// In the order in which the parameters were first used.
  const std::vector<Entry>& entries() const { return entries_; }
  std::size_t size() const { return entries_.size(); }

  // For the reverse pass.

  /// Nothing yet, in memory that this thread's last Gradients left behind.
  static Gradients reusing();
  void add(Entry entry);

 private:
  std::vector<Entry> entries_;
};

}  // namespace xgrad
