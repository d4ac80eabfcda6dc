"""Runs the programs and collects their times."""
import copy
import json
import statistics
import subprocess
import sys

COMPILED = "/compiled"
TOLERANCE = 1e-4


class Programs:
    """Those that were built; the hand-written limit and xgrad are needed."""

    def __init__(self, build, sources):
        found = {
            "limit": [build / "limit_benchmark"],
            "xgrad": [build / "xgrad_benchmark"],
            "PyTorch": [build / "torch_benchmark"],
            "NumPy": [sys.executable, sources / "numpy_benchmark.py"],
            "JAX": [sys.executable, sources / "numpy_benchmark.py", "--library=jax"],
        }
        self.commands = {name: [str(part) for part in command] for name, command in found.items()}
        for name in ("limit", "xgrad"):
            if not found[name][0].exists():
                sys.exit(f"compare: {found[name][0]} is not there; build the target {name}_benchmark first")
        for name in list(self.commands):
            if not self._starts(name):
                del self.commands[name]

    def _starts(self, name):
        try:
            return self._run(name, "--hello").returncode == 0
        except FileNotFoundError:
            return False

    def _run(self, name, *flags):
        return subprocess.run(self.commands[name] + list(flags), capture_output=True, text=True)

    def run(self, name, *flags):
        done = self._run(name, *flags)
        if done.returncode != 0:
            sys.exit(f"compare: {name} failed: {done.stderr.strip()}")
        return done

    def only(self, *names):
        few = copy.copy(self)
        few.commands = {name: command for name, command in self.commands.items() if name in names}
        return few

    def description(self):
        return "\n".join(self.run(name, "--check", "--benchmark_filter=^$").stderr.strip() for name in self.commands)

    def workload(self, name, row):
        """What this program calls the row's computation."""
        return row.name if name in ("xgrad", "native") else row.formula


def agree(programs, rows):
    """Whether all programs get the limit's results, xgrad's recorded and compiled ones included."""
    results = {}
    names = "|".join(name for row in rows for name in {row.name, row.formula})
    for program in programs.commands:
        output = programs.run(program, "--check", f"--benchmark_filter=^({names})({COMPILED})?$").stdout
        results[program] = {name: float(value) for name, value in (line.split() for line in output.splitlines())}
    good = True
    for program, values in results.items():
        for name, value in values.items():
            base = name.removesuffix(COMPILED)
            expected = results["limit"].get(base.replace("W5ops/", "W5/"))
            if expected is not None and not abs(value - expected) <= TOLERANCE * abs(expected):
                print(f"{name}: {program} gets {value}, the limit {expected}", file=sys.stderr)
                good = False
    return good


def times(programs, program, name, threads, min_time):
    """Nanoseconds a step, by name: of the workload and, where there is one, of its compiled form."""
    output = programs.run(program, "--threads", str(threads), f"--benchmark_filter=^{name}({COMPILED})?$",
                          f"--benchmark_min_time={min_time}", "--benchmark_format=json").stdout
    if not output.strip():
        return {}
    clock = "cpu_time" if threads == 1 else "real_time"
    unit = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
    return {b["name"]: b[clock] * unit[b["time_unit"]] for b in json.loads(output)["benchmarks"]}


def progress(text):
    if sys.stderr.isatty():
        print(f"\r{text:60}\r", end="", file=sys.stderr, flush=True)


def measure(programs, rows, threads, rounds, min_time):
    """{row name: {program: median nanoseconds of a step}}; the compiled xgrad is a program of its own."""
    samples = {row.name: {} for row in rows}
    order = list(programs.commands)
    for turn in range(rounds):
        order = order[1:] + order[:1]  # nobody is always the first after a pause
        for row in rows:
            progress(f"{threads} thread(s), round {turn + 1} of {rounds}: {row.name}")
            for program in order:
                name = programs.workload(program, row)
                for found, value in times(programs, program, name, threads, min_time).items():
                    column = program + (" compiled" if found.endswith(COMPILED) else "")
                    samples[row.name].setdefault(column, []).append(value)
    progress("")
    return {name: {column: statistics.median(values) for column, values in by.items()} for name, by in samples.items()}
