// What scripts/mutants writes into copies of the sources of ops/: `return 1 - y * y;` becomes
// `return xgrad::mutation::fault(17, 1 - y * y);`, and fault 17 can be switched on. The script includes this file at
// the beginning of every source.
#pragma once

namespace xgrad {
class Variable;
}

namespace xgrad::mutation {

inline constexpr int most = 4096;
extern int active;  // the fault that is on, or -1
extern int kind;  // 0: negated, 1: doubled; of Variables 2: rolled, 3: averaged along an axis, 4: transposed
extern bool reached[most];  // the expressions that were computed

Variable fault(int id, const Variable& x);

// Of packs and numbers.
template <class T>
T fault(int id, T x) {
  if constexpr (requires { T(-x), T(x + x); }) {
    reached[id] = true;
    if (id == active) return kind == 0 ? T(-x) : T(x + x);
  }
  return x;
}

}  // namespace xgrad::mutation
