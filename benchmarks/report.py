"""The table of ratios."""

OTHERS = ("PyTorch", "NumPy", "JAX")


def duration(ns):
    for limit, unit, scale in ((1e3, "ns", 1), (1e6, "us", 1e3), (1e9, "ms", 1e6)):
        if ns < limit:
            return f"{ns / scale:.3g} {unit}"
    return f"{ns / 1e9:.3g} s"


def ratio(value, limit):
    if value is None or limit is None:
        return "-"
    r = value / limit
    return f"{r:.2f}" if r < 10 else f"{r:.0f}"


def _verdict(row, by, must):
    """Whether the eager form, or at least the compiled one, meets the must."""
    def meets(column):
        value = by.get(column)
        if value is None:
            return False
        return round(value / 1000 if row.per_operation else value / by["limit"], 2) <= must  # as shown

    if must is None or "xgrad" not in by or "limit" not in by:
        return ""
    return "yes" if meets("xgrad") else "compiled" if meets("xgrad compiled") else "**missed**"


def _cells(row, by, others, must, ambition):
    limit = by.get("limit")
    cells = [row.title, duration(limit) if limit else "-"]
    cells += [ratio(by.get(column), limit) for column in others]
    for column in ("xgrad", "xgrad compiled"):
        cell = ratio(by.get(column), limit)
        if row.per_operation and column in by:
            cell += f" ({by[column] / 1000:.0f} ns an op)"
        cells.append(cell)
    unit = " ns an op" if row.per_operation else ""
    cells += [f"{figure:g}{unit}" if figure else "-" for figure in (must, ambition)]
    return cells + [_verdict(row, by, must)]


def markdown(header, lines):
    widths = [max(len(line[i]) for line in [header, *lines]) for i in range(len(header))]
    rule = ["-" * width for width in widths]
    return "\n".join("| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths)) + " |"
                     for line in [header, rule, *lines])


def table(rows, results, threads):
    others = [name for name in OTHERS if any(name in by for by in results.values())]
    header = ["workload", "limit", *(f"{name} / limit" for name in others), "xgrad / limit", "compiled / limit", "must",
              "ambition", "met"]
    return markdown(header, [_cells(row, results[row.name], others, *row.figures(threads)) for row in rows])
