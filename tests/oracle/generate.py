#!/usr/bin/env python3
"""Writes samples.jsonl.gz: what PyTorch says, in float64, for tests/ops/oracle_test.cpp.

    pip install torch==2.13.0 && python3 tests/oracle/generate.py

One JSON object a line. The first names the versions. Every other one is a sample:

    {"op": "sum", "case": "", "args": {"axis": [0], "keepdims": true},
     "inputs": [tensor, ...], "output": tensor, "cotangent": tensor, "gradients": [tensor or null, ...]}

A tensor is {"dtype": "float64", "shape": [2, 3], "data": [...]}, row-major; numbers have all their digits,
and those that
JSON lacks are "nan", "inf" and "-inf". An output without a derivative has neither cotangent nor gradients; null stands for
an input that has none. `case` names a sample at a special place ("nan", "ties"); one op has a name once.

The same version of PyTorch on the same processor writes the same bytes.
"""
import gzip
import json
import pathlib

import torch

import elementwise
import linear_algebra
import networks
import reductions
import shapes
from recording import samples

torch.set_num_threads(1)
for family in (elementwise, reductions, shapes, linear_algebra, networks):
    family.record()

head = {"torch": torch.__version__.split("+")[0], "ops": len({s["op"] for s in samples}), "samples": len(samples)}
text = "\n".join(json.dumps(line, separators=(",", ":"), allow_nan=False) for line in [head] + samples) + "\n"
path = pathlib.Path(__file__).with_name("samples.jsonl.gz")
with open(path, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
    packed.write(text.encode())
print(head, path.stat().st_size, "bytes")
