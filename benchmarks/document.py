"""docs/benchmarks.md, from one run of compare."""
import copy

import figures
from bars import draw
from measure import measure
from report import duration, markdown, ratio, table
from targets import Row

INTRODUCTION = """# Benchmarks

This page is written by `benchmarks/compare --write`, from one run; misses are in it. To make your own:

```sh
cmake --preset release -DXGRAD_BENCHMARK_TORCH=ON    # OFF, the default, leaves PyTorch out
ninja -C build/release benchmarks/all
benchmarks/compare --write                           # or: benchmarks/compare --only W2,W4
```

Every number is float32. A step is forward, backward and the update of plain gradient descent. The *limit* is what a
careful programmer writes by hand over the same OpenBLAS (`benchmarks/limit_benchmark.cpp`): buffers that are allocated
once, the fastest form of each product, one SIMD pass for what lies between them, all of it compiled for this very
processor. PyTorch is its C++ API, recorded eagerly, at its best settings; NumPy has its derivatives by hand. Before
anything is timed, all programs must get the same results after ten steps. The programs then run one after the other,
workload by workload and round by round, and the medians are compared: processor time with one thread, the clock's with
two. With two threads the limit is OpenBLAS's own threading.

For W1b the hand-written limit reads X twice, once for the loss and once for the gradient, as every library does that
computes operation by operation. Reading it once, in blocks that stay in the cache, takes {one_pass} of that.

Times vary from run to run; instructions do not. `.ci/instructions` counts those of W2 and W4, and fails where they grow by
more than 5 %.

<img src="images/benchmarks.svg" alt="Bars of the ratios in the first table" width="900">
"""


def scaling(programs, rounds, min_time):
    graphs = [Row(f"graph/{10**k}", f"10^{k}") for k in range(1, 7)]
    tensors = [Row(f"tensor/{10**k}", f"10^{k}") for k in range(0, 9)]
    mine = programs.only("xgrad", "PyTorch")
    one = measure(mine, graphs + tensors, 1, rounds, min_time)
    two = measure(programs.only("xgrad"), tensors, 2, rounds, min_time)

    def cell(value, count):
        return duration(value / count) if value else "-"

    lines = [[row.title, *(cell(one[row.name].get(name), 10**k) for name in ("xgrad", "PyTorch"))]
             for k, row in enumerate(graphs, 1)]
    text = ["A chain of multiplications of single numbers: forward, backward and free, for each node.", "",
            markdown(["nodes", "xgrad", "PyTorch"], lines), ""]
    lines = [[row.title, cell(one[row.name].get("xgrad"), 10**k), cell(two[row.name].get("xgrad"), 10**k),
              cell(one[row.name].get("PyTorch"), 10**k)] for k, row in enumerate(tensors)]
    return "\n".join(text + ["`x * y + x` with both gradients, for each element.", "",
                             markdown(["elements", "xgrad", "xgrad, 2 threads", "PyTorch"], lines)])


def once(root, programs, options, rows):
    """Compile time, size, start-up, allocations, and the baseline build against -march=native."""
    seconds = figures.compile_seconds(options.build)
    static, shared = figures.library_bytes(options.build)
    started = figures.start_up_seconds(programs)
    beside = "; ".join(f"{name}: {duration(value * 1e9)}" for name, value in started.items() if name != "xgrad")
    lines = [
        ["a source file with the umbrella header, -O2", f"{seconds:.2f} s", "1.5 s", "0.6 s"],
        ["the library as a shared one, stripped", f"{shared / 1e6:.2f} MB", "5 MB", "2 MB"],
        ["the static libraries, stripped", f"{static / 1e6:.2f} MB", "", ""],
        [f"start to end of a hello world ({beside})", duration(started["xgrad"] * 1e9), "10 ms", "3 ms"],
    ]
    text = markdown(["figure", "xgrad", "must", "ambition"], lines)
    counts = figures.allocations(options.build)
    if counts:
        titles = {row.name: row.title for row in rows}
        lines = [[titles.get(name, name), *numbers] for name, *numbers in counts]
        text += ("\n\nCalls of malloc and misses of the pool in a steady step; both must be 0.\n\n" +
                 markdown(["workload", "mallocs", "pool misses"], lines))
    both = copy.copy(programs)
    both.commands = {"native": [str(figures.build_native(root))], "xgrad": programs.commands["xgrad"]}
    pairs = measure(both, [row for row in rows if not row.name.startswith("latency")], 1, options.rounds, options.min_time)
    lines = [[row.title, duration(by["native"]), ratio(by["xgrad"], by["native"])]
             for row in rows if "native" in (by := pairs.get(row.name, {}))]
    return (text + "\n\nThe build as packaged chooses its kernels at run time. Beside the same sources built with "
            "-march=native it must stay\nwithin 1.1, better within 1.03:\n\n" +
            markdown(["workload", "-march=native", "packaged / -march=native"], lines))


def write(root, options, programs, rows, results, load):
    two = [row for row in rows if row.threaded]
    limit = results[1]["W1b"]["limit"]
    one_pass = measure(programs.only("limit"), [Row("W1b/one_pass", "")], 1, options.rounds, options.min_time)
    text = INTRODUCTION.format(one_pass=ratio(one_pass["W1b/one_pass"]["limit"], limit))
    command = f"`benchmarks/compare --write --rounds {options.rounds} --min-time {options.min_time:g}`"
    text += (f"\nThis run: {command} on {figures.machine()}, where {figures.tenants(load)}.\n\n```sh\n" + "".join(
        f"# {line.strip()}\n" for line in programs.description().splitlines() if not line.startswith("threads")) + "```\n")
    text += "\n## One thread\n\n" + table(rows, results[1], 1) + "\n"
    if 2 in results:
        text += "\n## Two threads\n\nRuns of at least 0.3 s.\n\n" + table(two, results[2], 2) + "\n"
    text += "\n## How cost grows\n\n" + scaling(programs, min(options.rounds, 3), options.min_time) + "\n"
    text += "\n## Size, compile time, start-up, memory\n\n" + once(root, programs, options, rows) + "\n"
    (root / "docs/benchmarks.md").write_text(text)
    (root / "docs/images/benchmarks.svg").write_text(draw(rows, results[1]))
