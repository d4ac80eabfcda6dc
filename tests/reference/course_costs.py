#!/usr/bin/env python3
"""The costs of the course notes' own formulas, in NumPy alone, for tests/nn/course_test.cpp to compare with.

    python3 tests/reference/course_costs.py > tests/reference/course_costs.csv

Weights, data and labels come from a small integer generator whose doubles both languages compute exactly.
"""

import csv
import sys

import numpy as np

STEPS = 100


class Random:
    """Numerical Recipes' linear congruential generator: s := 1664525 s + 1013904223 mod 2^32."""

    def __init__(self, seed):
        self.state = seed

    def matrix(self, rows, columns, scale):
        """Row by row, scale * (s / 2^31 - 1): multiples of 2^-31 in [-1, 1), times a power of two."""
        values = []
        for _ in range(rows * columns):
            self.state = (1664525 * self.state + 1013904223) % 2**32
            values.append((self.state / 2**31 - 1) * scale)
        return np.array(values, dtype=np.float64).reshape(rows, columns)


def sigma(z):
    return 1 / (1 + np.exp(-z))


def cost(A, Y):
    m = Y.shape[1]
    return -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / m


def logistic_regression(alpha=0.5, n_x=12, m=50):
    """Week 2."""
    random = Random(1)
    X = random.matrix(n_x, m, 1.0)
    Y = (X[0:1] + X[1:2] > X[2:3]).astype(np.float64)
    w, b = np.zeros((n_x, 1)), 0.0
    costs = []
    for _ in range(STEPS):
        Z = np.dot(w.T, X) + b
        A = sigma(Z)
        costs.append(cost(A, Y))
        dZ = A - Y
        dw = (1 / m) * np.dot(X, dZ.T)
        db = (1 / m) * np.sum(dZ)
        w -= alpha * dw
        b -= alpha * db
    return costs


def deep_network(alpha=0.5, n=(12, 20, 7, 5, 1), m=50):
    """Week 4: relu in the hidden layers, sigmoid in the last."""
    random = Random(2)
    L = len(n) - 1
    W = [None] + [random.matrix(n[l], n[l - 1], 0.5) for l in range(1, L + 1)]
    b = [None] + [np.zeros((n[l], 1)) for l in range(1, L + 1)]
    X = random.matrix(n[0], m, 1.0)
    Y = (X[0:1] * X[1:2] > 0).astype(np.float64)
    costs = []
    for _ in range(STEPS):
        A, Z = [X], [None]
        for l in range(1, L + 1):
            Z.append(np.dot(W[l], A[l - 1]) + b[l])
            A.append(sigma(Z[l]) if l == L else np.maximum(0, Z[l]))
        costs.append(cost(A[L], Y))
        dZ = A[L] - Y
        for l in range(L, 0, -1):
            dW = (1 / m) * np.dot(dZ, A[l - 1].T)
            db = (1 / m) * np.sum(dZ, axis=1, keepdims=True)
            dA = np.dot(W[l].T, dZ)
            W[l] -= alpha * dW
            b[l] -= alpha * db
            if l > 1:
                dZ = dA * (Z[l - 1] > 0)
    return costs


def main():
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["step", "logistic_regression", "deep_network"])
    for step, row in enumerate(zip(logistic_regression(), deep_network())):
        out.writerow([step] + [repr(float(value)) for value in row])


if __name__ == "__main__":
    main()
