"""What is measured once and is no workload: compile time, size, start-up, the baseline build against -march=native."""
import os
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

PROGRAM = '#include <xgrad/xgrad.hpp>\n\nint main() {}\n'


def output(*command):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True).stdout.strip()


def machine():
    model = next(line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                 if line.startswith("model name"))
    flags = Path("/proc/cpuinfo").read_text()
    best = "AVX-512" if " avx512vl " in flags else "AVX2" if " avx2 " in flags else "SSE2"
    return f"{model}, {best}, {os.cpu_count()} processors"


def tenants(load):
    """What else ran, in words."""
    if load <= 0.5:
        return "nothing else ran"
    return f"other programs ran as well (load {load:.1f} at the start), so that the times of two threads mean little"


def compile_seconds(build, rounds=5):
    """Processor time of a source file with the umbrella header at -O2."""
    def used():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    samples = []
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "program.cpp"
        source.write_text(PROGRAM)
        for _ in range(rounds):
            before = used()
            output("c++", "-std=c++20", "-O2", "-I", build / "include", "-c", source, "-o", source.with_suffix(".o"))
            samples.append(used() - before)
    return statistics.median(samples)


def library_bytes(build):
    """The libraries stripped, as they are (static, with all that a linker needs) and linked into one shared library."""
    with tempfile.TemporaryDirectory() as folder:
        copies = [Path(shutil.copy(library, folder)) for library in sorted(build.glob("libxgrad_*.a"))]
        shared = Path(folder) / "libxgrad.so"
        output("c++", "-shared", "-o", shared, "-Wl,--whole-archive", *copies, "-Wl,--no-whole-archive")
        output("strip", "--strip-unneeded", shared, *copies)
        return sum(copy.stat().st_size for copy in copies), shared.stat().st_size


def start_up_seconds(programs, rounds=21):
    """From the start of a program to its end: one small gradient (by hand: one small product). By name."""
    samples = {name: [] for name in programs.commands if name in ("limit", "xgrad", "PyTorch")}
    for _ in range(rounds):
        for name, values in samples.items():
            before = time.perf_counter()
            programs.run(name, "--hello")
            values.append(time.perf_counter() - before)
    return {name: statistics.median(values) for name, values in samples.items()}


def allocations(build):
    """[workload, mallocs, pool misses] of a steady step, as text; nothing where the program was not built."""
    program = build / "benchmarks/allocations"
    return [line.split() for line in output(program).splitlines()] if program.exists() else []


def build_native(root):
    """The same library and program with -march=native; returns its folder."""
    folder = root / "build/native"
    output("cmake", "-S", root, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS=-march=native",
           "-DXGRAD_BUILD_TESTS=OFF", "-DXGRAD_BUILD_EXAMPLES=OFF", "-DXGRAD_BUILD_BENCHMARKS=ON")
    output("cmake", "--build", folder, "--target", "xgrad_benchmark", "--parallel", "2")
    return folder / "benchmarks/xgrad_benchmark"
