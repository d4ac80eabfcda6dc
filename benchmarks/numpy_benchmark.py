#!/usr/bin/env python3
"""W1, W2, W3, W5 and W6 by NumPy, with derivatives by hand, or by JAX, jitted: `--library jax`.

Understands --threads, --check, --hello and Google Benchmark's --benchmark_filter and --benchmark_min_time, and prints
the same JSON.
"""
import argparse
import json
import os
import re
import statistics
import sys
import time

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--library", choices=("numpy", "jax"), default="numpy")
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--check", action="store_true")
parser.add_argument("--hello", action="store_true")
parser.add_argument("--benchmark_filter", default="")
parser.add_argument("--benchmark_min_time", type=float, default=0.5)
parser.add_argument("--benchmark_format", default="json")
options = parser.parse_args()
for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = str(options.threads)  # read when NumPy is imported
for variable in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(variable, None)
if options.library == "jax" and options.threads == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import numpy as np  # noqa: E402

INPUTS, LABELS, SEED = 100, 101, 102


def hashed(n, seed):
    x = np.arange(n, dtype=np.uint32) + np.uint32(seed * 0x9E3779B9 & 0xFFFFFFFF)
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D)
    x = (x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def uniform(shape, seed, low=0.0, high=1.0):
    digits = (hashed(int(np.prod(shape)), seed) >> np.uint32(8)).astype(np.float32)
    low, high = np.float32(low), np.float32(high)
    return (low + (high - low) * (digits * np.float32(2**-24))).reshape(shape)


def labels(n, classes):
    return (hashed(n, LABELS) % np.uint32(classes)).astype(np.int64)


def weights(sizes):
    bounds = [np.sqrt(6.0 / inputs) for inputs in sizes[:-1]]
    return [uniform((o, i), layer + 1, -bound, bound)
            for layer, (i, o, bound) in enumerate(zip(sizes, sizes[1:], bounds))]


def weighed(x):
    x = np.asarray(x, dtype=np.float64).ravel()
    return float(np.dot(x, np.arange(x.size) % 7 + 1))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


class Logistic:
    def __init__(self, features, examples, rate, columns):
        x = uniform((features, examples) if columns else (examples, features), INPUTS)
        self.x, self.rate = x.T if columns else x, np.float32(rate)
        self.y = labels(examples, 2).astype(np.float32)
        self.w, self.b = np.zeros(features, np.float32), np.float32(0)

    def step(self):
        z = self.x @ self.w + self.b
        self.loss = np.mean(softplus(z) - self.y * z)
        dz = (sigmoid(z) - self.y) / np.float32(len(z))
        self.w -= self.rate * (self.x.T @ dz)
        self.b -= self.rate * dz.sum()

    def result(self):
        return float(self.loss)


class Network:
    """Examples in rows with softmax, or in columns with a sigmoid."""

    def __init__(self, sizes, examples, rate, columns):
        self.columns, self.rate, self.m = columns, np.float32(rate), examples
        self.x = uniform((sizes[0], examples) if columns else (examples, sizes[0]), INPUTS)
        self.y = labels(examples, 2).astype(np.float32) if columns else labels(examples, sizes[-1])
        self.w = weights(sizes)
        self.b = [np.zeros((w.shape[0], 1) if columns else w.shape[0], np.float32) for w in self.w]

    def step(self):
        a = [self.x]
        for layer, (w, b) in enumerate(zip(self.w, self.b)):
            z = w @ a[-1] + b if self.columns else a[-1] @ w.T + b
            a.append(np.maximum(z, 0) if layer + 1 < len(self.w) else z)
        if self.columns:
            z = a[-1]
            self.loss = np.mean(softplus(z) - self.y * z)
            dz = (sigmoid(z) - self.y) / np.float32(self.m)
        else:
            z = a[-1] - a[-1].max(axis=1, keepdims=True)
            p = np.exp(z)
            total = p.sum(axis=1, keepdims=True)
            rows = np.arange(self.m)
            self.loss = np.mean(np.log(total[:, 0]) - z[rows, self.y])
            dz = p / total
            dz[rows, self.y] -= 1
            dz /= np.float32(self.m)
        for layer in reversed(range(len(self.w))):
            w = self.w[layer]
            dw = dz @ a[layer].T if self.columns else dz.T @ a[layer]
            db = dz.sum(axis=1, keepdims=True) if self.columns else dz.sum(axis=0)
            if layer > 0:
                dz = (w.T @ dz if self.columns else dz @ w) * (a[layer] > 0)
            self.w[layer] -= self.rate * dw
            self.b[layer] -= self.rate * db

    def result(self):
        return float(self.loss)


class Function:
    """step() keeps the arrays that it computed."""

    def __init__(self, compute, *inputs):
        self.compute, self.inputs = compute, inputs

    def step(self):
        self.arrays = self.compute(*self.inputs)

    def result(self):
        return sum(weighed(array) for array in self.arrays)


def formula(x):
    a, t, e = sigmoid(x), np.tanh(x), np.exp(x)
    value = np.sum(a * t + np.log(1 + e))
    return value, a * (1 - a) * t + a * (1 - t * t) + e / (1 + e)


W6 = (1000, 1000)


def square():
    return uniform(W6, INPUTS)


def numpy_workloads():
    row, column, seed = uniform((1000,), LABELS), uniform((1000, 1), LABELS), uniform(W6, SEED)
    return {
        "W1a": lambda: Logistic(12288, 209, 1e-3, True),
        "W1b": lambda: Logistic(784, 60000, 1e-2, False),
        "W2/64": lambda: Network([784, 256, 128, 10], 64, 1e-2, False),
        "W2/512": lambda: Network([784, 256, 128, 10], 512, 1e-2, False),
        "W3": lambda: Network([12288, 20, 7, 5, 1], 209, 1e-3, True),
        "W5/1000000": lambda: Function(formula, uniform((1000000,), INPUTS, -4, 4)),
        "W5/10000000": lambda: Function(formula, uniform((10000000,), INPUTS, -4, 4)),
        "W6/broadcast": lambda: Function(lambda x: (x + column, seed.sum(axis=1)), square()),
        "W6/sum0": lambda: Function(lambda x: (x.sum(axis=0),), square()),
        "W6/sum1": lambda: Function(lambda x: (x.sum(axis=1),), square()),
        "W6/sum0_grad": lambda: Function(lambda x: (x.sum(axis=0), np.repeat(row[None, :], 1000, axis=0)), square()),
        "W6/sum1_grad": lambda: Function(lambda x: (x.sum(axis=1), np.repeat(row[:, None], 1000, axis=1)), square()),
    }


def jax_workloads():
    import jax
    import jax.numpy as jnp

    class Training:
        def __init__(self, loss, parameters, rate, *data):
            def update(parameters, *data):
                value, gradient = jax.value_and_grad(loss)(parameters, *data)
                return value, jax.tree_util.tree_map(lambda p, g: p - rate * g, parameters, gradient)

            self.update = jax.jit(update, donate_argnums=0)
            self.parameters = jax.tree_util.tree_map(jnp.asarray, parameters)
            self.data = [jnp.asarray(array) for array in data]

        def step(self):
            self.loss, self.parameters = self.update(self.parameters, *self.data)
            jax.block_until_ready(self.parameters)

        def result(self):
            return float(self.loss)

    def binary(z, y):
        return jnp.mean(jax.nn.softplus(z) - y * z)

    def logistic(reference):
        return Training(lambda p, x, y: binary(x @ p[0] + p[1], y), (reference.w, reference.b), reference.rate,
                        reference.x, reference.y)

    def network(reference):
        def loss(parameters, x, y):
            for layer, (w, b) in enumerate(parameters):
                z = w @ x + b if reference.columns else x @ w.T + b
                x = jax.nn.relu(z) if layer + 1 < len(parameters) else z
            if reference.columns:
                return binary(x, y)
            return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], axis=1))

        return Training(loss, list(zip(reference.w, reference.b)), reference.rate, reference.x, reference.y)

    def function(f, x):
        jitted = jax.jit(f)
        return Function(lambda x: jax.block_until_ready(jitted(x)), jnp.asarray(x))

    def fused(x):
        return jnp.sum(jax.nn.sigmoid(x) * jnp.tanh(x) + jnp.log(1 + jnp.exp(x)))

    reference = numpy_workloads()
    made = {name: (lambda name=name: logistic(reference[name]())) for name in ("W1a", "W1b")}
    made |= {name: (lambda name=name: network(reference[name]())) for name in ("W2/64", "W2/512", "W3")}
    for n in (1000000, 10000000):
        made[f"W5/{n}"] = lambda n=n: function(jax.value_and_grad(fused), uniform((n,), INPUTS, -4, 4))
    for axis in (0, 1):
        made[f"W6/sum{axis}"] = lambda axis=axis: function(lambda x: (x.sum(axis=axis),), square())
    return made


def measure(model):
    for _ in range(2):
        model.step()
    steps, wall, cpu = 0, [], []
    end = time.perf_counter() + options.benchmark_min_time
    while steps < 3 or time.perf_counter() < end:
        start, start_cpu = time.perf_counter_ns(), time.thread_time_ns()
        model.step()
        wall.append(time.perf_counter_ns() - start)
        cpu.append(time.thread_time_ns() - start_cpu)
        steps += 1
    clock = wall if options.library == "jax" else cpu  # JAX computes on a thread of its own
    return {"iterations": steps, "real_time": statistics.median(wall), "cpu_time": statistics.median(clock), "time_unit": "ns"}


def main():
    all_workloads = jax_workloads() if options.library == "jax" else numpy_workloads()
    if options.hello:
        return
    version = f"NumPy {np.__version__}"
    if options.library == "jax":
        import jax
        version += f", JAX {jax.__version__}"
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"] if np.__version__ >= "1.26" else {}
    print(f"{version}\nBLAS: {blas.get('name')} {blas.get('version')}\nthreads: {options.threads}", file=sys.stderr)
    found = []
    for name, make in all_workloads.items():
        if not re.search(options.benchmark_filter, name):
            continue
        model = make()
        if options.check:
            for _ in range(10):
                model.step()
            print(f"{name} {model.result():.9g}")
        else:
            found.append({"name": name, **measure(model)})
    if not options.check:
        json.dump({"context": {"library": version}, "benchmarks": found}, sys.stdout, indent=2)


main()
