#!/usr/bin/env python3
"""Writes linalg_reference.txt: linear algebra by NumPy, on matrices that it draws.

Each case is a heading, its inputs and its results, as hexadecimal floats. What is unique up to signs only is
left out, or made unique: eigenvectors and singular vectors stand as the projectors on the first of them.

    python3 linalg_reference.py > linalg_reference.txt
"""
import numpy as np

random = np.random.default_rng(7)


def show(kind, x):
    x = np.asarray(x, dtype=np.float64)
    shape = "x".join(str(n) for n in x.shape) if x.ndim else "scalar"
    print(" ".join([kind, shape] + [float(v).hex() for v in x.ravel()]))


def case(name, inputs, *results):
    print("case " + name)
    for x in inputs:
        show("input", x)
    for y in results:
        show("result", y)


def draw(*shape):
    return random.integers(-20, 21, shape) / 8


def projector(columns):
    return columns[..., :, :1] @ np.swapaxes(columns[..., :, :1], -1, -2)


print(f"# numpy {np.__version__}")
for batch in [(), (2,), (2, 3)]:
    a = draw(*batch, 4, 4) + 5 * np.eye(4)
    b = draw(*batch, 4, 2)
    symmetric = a + np.swapaxes(a, -1, -2)
    positive = a @ np.swapaxes(a, -1, -2)
    case("solve", [a, b], np.linalg.solve(a, b))
    case("inverse", [a], np.linalg.inv(a))
    case("det", [a], np.linalg.det(a))
    case("slogdet", [-a[..., :3, :3]], *np.linalg.slogdet(-a[..., :3, :3]))
    case("cholesky", [positive], np.linalg.cholesky(positive))
    w, v = np.linalg.eigh(symmetric)
    case("eigh", [symmetric], w, projector(v))
    for m, n in [(4, 4), (5, 3), (2, 4)]:
        x = draw(*batch, m, n)
        u, s, vh = np.linalg.svd(x, full_matrices=False)
        case("svd", [x], s, projector(u), projector(np.swapaxes(vh, -1, -2)))
        q, r = np.linalg.qr(x)
        case("qr", [x], q, r)
        for name, order in [("fro", "fro"), ("nuc", "nuc"), ("1", 1), ("-1", -1), ("2", 2), ("-2", -2),
                            ("inf", np.inf), ("-inf", -np.inf)]:
            case("norm " + name, [x], np.linalg.norm(x, order, axis=(-2, -1)))
        case("trace", [x], np.trace(x, axis1=-2, axis2=-1))

for shapes in [((3, 2), (2, 4)), ((5, 3, 2), (2, 4)), ((3, 2), (5, 2, 4)), ((2, 1, 3, 2), (4, 2, 1)), ((2,), (3, 2, 4)),
               ((3, 4, 2), (2,)), ((2,), (2,))]:
    x, y = (draw(*shape) for shape in shapes)
    case("matmul", [x, y], np.matmul(x, y))
    case("dot", [x, y], np.dot(x, y))
for formula, shapes in [
    ("ij,jk->ik", [(2, 3), (3, 4)]), ("ij,jk", [(2, 3), (3, 4)]), ("ba", [(2, 3)]), ("ii", [(3, 3)]),
    ("ii->i", [(3, 3)]), ("iji->j", [(3, 2, 3)]), ("ij->", [(2, 3)]), ("i,j->ij", [(2,), (3,)]),
    ("i,i->i", [(3,), (3,)]), ("bij,bjk->bik", [(2, 3, 4), (2, 4, 2)]), ("bij,bkj->bik", [(2, 3, 4), (2, 5, 4)]),
    ("jbi,kjb->ikb", [(2, 3, 4), (5, 2, 3)]), ("...ij,...jk->...ik", [(5, 1, 2, 3), (4, 3, 2)]),
    ("...i->...", [(2, 3, 4)]), ("i...->...", [(2, 3, 4)]), ("i...,i...", [(2, 3, 4), (2, 1, 4)]),
    ("ij,kl->ijkl", [(2, 2), (2, 3)]), ("ijk,ilm,njm,nlk,abc->", [(2, 3, 2), (2, 2, 3), (2, 3, 3), (2, 2, 2), (2, 2, 2)]),
    ("ea,fb,abcd,gc,hd->efgh", [(2, 3), (2, 3), (3, 3, 3, 3), (2, 3), (2, 3)]), (" a b , b A -> A a ", [(2, 3), (3, 4)]),
    ("Ab,bC", [(2, 3), (3, 4)]), ("bC,Ab", [(3, 4), (2, 3)]), (",i->i", [(), (3,)]), ("ij,ij->ij", [(2, 3), (2, 3)]),
    ("abc,abd->abcd", [(2, 3, 2), (2, 3, 4)]), ("ab,ac,ad->bcd", [(3, 2), (3, 2), (3, 2)]),
    ("ii,ii->i", [(3, 3), (3, 3)]), ("aab,bcc->ac", [(2, 2, 3), (3, 2, 2)]),
]:
    operands = [draw(*shape) for shape in shapes]
    case("einsum " + formula, operands, np.einsum(formula, *operands))
