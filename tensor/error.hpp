// The library's exceptions: one root, so that `catch (const xgrad::Error&)` is enough.
#pragma once

#include <stdexcept>

namespace xgrad {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Sizes that do not fit an operation.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// Element types that do not fit an operation.
class DTypeError : public Error {
 public:
  using Error::Error;
};

/// A tape or graph used against its rules.
class GraphError : public Error {
 public:
  using Error::Error;
};

/// A file that was read and does not hold what its format demands.
class FormatError : public Error {
 public:
  using Error::Error;
};

/// A file that the system would not open, read or write.
class IoError : public Error {
 public:
  using Error::Error;
};

/// Memory that set_memory_limit does not allow.
class MemoryError : public Error {
 public:
  using Error::Error;
};

}  // namespace xgrad
