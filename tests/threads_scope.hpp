// The number of threads, set for a scope.
#pragma once

#include <xgrad/tensor/threads.hpp>

class Threads {
 public:
  explicit Threads(int n) : before_(xgrad::num_threads()) { xgrad::set_num_threads(n); }
  ~Threads() { xgrad::set_num_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};
