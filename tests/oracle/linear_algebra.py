"""Products, solutions and factors of matrices. What is unique up to signs alone is squared."""
import torch

from recording import inf, normal, numbers, sample


def spread(*batch, n=3):
    """Far from singular, and its eigenvalues from each other."""
    return normal(*batch, n, n) + torch.diag(torch.arange(1, n + 1).double() * 4)


def positive(x):
    return x @ x.mT + torch.eye(x.shape[-1], dtype=torch.float64)


def triangular(a, b, lower, transposed, unit):
    a = a.mT if transposed else a
    x = torch.linalg.solve_triangular(a, b.unsqueeze(-1) if b.dim() == 1 else b, upper=lower == transposed,
                                      unitriangular=unit)
    return x.squeeze(-1) if b.dim() == 1 else x


def record():
    record_products()
    for batch in [(), (2,), (2, 1)]:
        for n in (1, 2, 3, 5):
            a = spread(*batch, n=n)
            sample("inverse", torch.linalg.inv, a)
            sample("det", torch.linalg.det, a)
            sample("slogdet", lambda x: torch.linalg.slogdet(x).logabsdet, -a, part="logabsdet")
            sample("slogdet", lambda x: torch.linalg.slogdet(x).sign, -a, part="sign")
            sample("logdet", torch.logdet, positive(a))
            sample("cholesky", lambda x: torch.linalg.cholesky((x + x.mT) / 2), positive(a))
            sample("eigh", lambda x: torch.linalg.eigh((x + x.mT) / 2).eigenvalues, a, part="values")
            sample("eigh", lambda x: torch.linalg.eigh((x + x.mT) / 2).eigenvectors**2, a, part="squared vectors")
            sample("solve", torch.linalg.solve, a, normal(*batch, n, 2))
            for lower in (False, True):
                for transposed in (False, True):
                    unit = lower != transposed
                    sample("triangular_solve", lambda a, b: triangular(a, b, lower, transposed, unit), a,
                           normal(*batch, n, 2),
                           lower=lower, transposed=transposed, unit_diagonal=unit)
        for m, n in [(3, 3), (4, 2), (2, 4), (1, 3)]:
            x = normal(*batch, m, n) + torch.eye(m, n, dtype=torch.float64) * torch.arange(1, n + 1) * 4
            for part, of in {"u": lambda u, s, vh: u**2, "s": lambda u, s, vh: s, "vh": lambda u, s,
                             vh: vh**2}.items():
                sample("svd", lambda x: of(*torch.linalg.svd(x, full_matrices=False)), x, part=part)
            if m >= n:
                sample("qr", lambda x: torch.linalg.qr(x).Q, x, part="q")
                sample("qr", lambda x: torch.linalg.qr(x).R, x, part="r")
            for order in ("fro", "nuc", 1, -1, 2, -2, inf, -inf):
                for keepdims in (False, True):
                    sample("matrix_norm", lambda x: torch.linalg.matrix_norm(x, order, keepdim=keepdims), x,
                           order=order,
                           keepdims=keepdims)
            sample("trace", lambda x: x.diagonal(0, -2, -1).sum(-1), x)
    sample("solve", torch.linalg.solve, spread(), normal(3))
    sample("solve", torch.linalg.solve, spread(2), normal(3, 2))
    sample("solve", torch.linalg.solve, spread(), normal(2, 3, 2))
    sample("triangular_solve", lambda a, b: triangular(a, b, True, False, False), spread(), normal(3), lower=True,
           transposed=False, unit_diagonal=False)
    sample("det", torch.linalg.det, numbers([1.0, 2.0], [2.0, 4.0]), case="singular")
    sample("slogdet", lambda x: torch.linalg.slogdet(x).logabsdet.detach(), numbers([1.0, 2.0], [2.0, 4.0]),
           case="singular",
           part="logabsdet")
    sample("matrix_norm", torch.linalg.matrix_norm, torch.zeros(2, 2, dtype=torch.float64), case="zero", order="fro",
           keepdims=False)
    for order in (1, inf):
        sample("matrix_norm", lambda x: torch.linalg.matrix_norm(x, order), numbers([1.0, -2.0], [2.0, 1.0]),
               case=f"ties, {order:g}", order=order, keepdims=False)


formulas = [
    ("ij,jk->ik", [(2, 3), (3, 4)]), ("ij->ji", [(2, 3)]), ("ii", [(3, 3)]), ("ii->i", [(3, 3)]), ("ij->", [(2, 3)]),
    ("i,j->ij", [(2,), (3,)]), ("i,i->i", [(3,), (3,)]), ("i,i->", [(3,), (3,)]),
    ("bij,bjk->bik", [(2, 3, 4), (2, 4, 2)]),
    ("bij,bkj->bik", [(2, 3, 4), (2, 5, 4)]), ("jbi,kjb->ikb", [(2, 3, 4), (5, 2, 3)]), ("ijk->ik", [(2, 3, 4)]),
    ("...ij,...jk->...ik", [(5, 1, 2, 3), (4, 3, 2)]), ("...i->...", [(2, 3, 4)]), ("ij,ij->ij", [(2, 3), (2, 3)]),
    ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]), ("ab,ac,ad->bcd", [(3, 2), (3, 2), (3, 2)]),
    ("abc,abd->abcd", [(2, 3, 2), (2, 3, 4)]),
    ("ea,fb,abcd,gc,hd->efgh", [(2, 3), (2, 3), (3, 3, 3, 3), (2, 3), (2, 3)]), ("ij,kl->ijkl", [(2, 2), (2, 3)]),
]


def record_products():
    for a, b in [((2, 3), (3, 4)), ((1, 3), (3, 1)), ((3,), (3, 2)), ((2, 3), (3,)), ((3,), (3,)),
                 ((5, 2, 3), (3, 4)),
                 ((2, 3), (5, 3, 2)), ((5, 1, 2, 3), (4, 3, 2)), ((3, 2, 4), (4,)), ((4,), (3, 4, 2)),
                 ((3, 0), (0, 4)),
                 ((0, 3), (3, 2)), ((17, 19), (19, 23)), ((64, 33), (33, 5))]:
        sample("matmul", torch.matmul, normal(*a), normal(*b), a=False, b=False)
    for shape_a, shape_b, a, b in [((3, 2), (3, 4), True, False), ((2, 3), (4, 3), False, True),
                                   ((3, 2), (4, 3), True, True),
                                   ((5, 3, 2), (5, 4, 3), True, True), ((5, 3, 2), (3, 4), True, False)]:
        sample("matmul", lambda x, y: torch.matmul(x.mT if a else x, y.mT if b else y), normal(*shape_a),
               normal(*shape_b), a=a, b=b)
    for a, b, c in [((2, 3), (3, 4), (4,)), ((2, 3), (3, 4), (2, 1)), ((2, 3), (3, 4), ()),
                    ((2, 3), (3, 4), (2, 4)), ((2, 3), (3,), (2,))]:
        sample("matmul_add", lambda a, b, c: torch.matmul(a, b) + c, normal(*a), normal(*b), normal(*c))
    for m, n in [(3, 4), (1, 5), (4, 0), (17, 3)]:
        sample("outer", torch.outer, normal(m), normal(n))
    for n in (0, 1, 5, 33):
        sample("dot", torch.dot, normal(n), normal(n))
    for formula, operands in formulas:
        sample("einsum", lambda *x: torch.einsum(formula, *x), *[normal(*s) for s in operands], formula=formula)
    for a, b, axes in [((2, 3, 4), (3, 4, 2), 2), ((2, 3), (3, 4), 1), ((2,), (3,), 0)]:
        sample("tensordot", lambda a, b: torch.tensordot(a, b, axes), normal(*a), normal(*b), axes_a=axes,
               axes_b=None)
    for a, b, first, second in [((2, 3, 4), (4, 5, 2), [0, 2], [2, 0]), ((2, 3), (4, 3), [1], [1])]:
        sample("tensordot", lambda a, b: torch.tensordot(a, b, (first, second)), normal(*a), normal(*b),
               axes_a=first, axes_b=second)
    inner = normal(2, 3)
    inner[0, 1] = inf
    sample("matmul", torch.matmul, torch.zeros(2, 2, dtype=torch.float64), inner, case="0 * inf", a=False, b=False)
