// Steps of one workload for .ci/instructions, which counts their instructions under callgrind. Only those inside
// measured_steps() count: not the start of the program and not the first steps, which fill the pool.
//
//   instructions W2/64 4
#include <cstdio>
#include <cstdlib>

#include "workload.hpp"

[[gnu::noinline]] void measured_steps(const workload::Run& run, int count) {
  for (int i = 0; i < count; ++i) run.step();
}

int main(int argc, char** argv) {
  const int count = argc == 3 ? std::atoi(argv[2]) : 0;
  if (count < 1) {
    std::fprintf(stderr, "usage: instructions WORKLOAD STEPS\n");
    return 2;
  }
  workload::set_threads(1);
  for (const workload::Workload& w : workload::workloads()) {
    if (w.name != argv[1]) continue;
    const workload::Run run = w.make();
    for (int i = 0; i < 3; ++i) run.step();
    measured_steps(run, count);
    return 0;
  }
  std::fprintf(stderr, "instructions: no workload %s\n", argv[1]);
  return 2;
}
