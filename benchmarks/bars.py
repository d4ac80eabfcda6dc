"""docs/images/benchmarks.svg: bars of the ratios to the limit, on a logarithmic scale."""
import math
from html import escape

# Okabe and Ito's colours, which the colour-blind can tell apart, on light and on dark ground.
COLOURS = {"xgrad": "#0072b2", "xgrad compiled": "#56b4e9", "PyTorch": "#d55e00", "NumPy": "#999999", "JAX": "#cc79a7"}
LABELS = {"xgrad": "xgrad", "xgrad compiled": "xgrad, compiled"}
LEFT, WIDTH, BAR, GAP, TOP = 300, 560, 11, 12, 64
LOW, HIGH = 0.5, 1000

STYLE = """
text { font: 12px Helvetica, Arial, sans-serif; fill: #24292f; }
.title { font-size: 15px; font-weight: bold; }
.value { font-size: 10px; }
.grid { stroke: #8c959f; stroke-opacity: 0.35; }
.limit { stroke: #24292f; }
.must { stroke: #24292f; stroke-width: 2; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .limit, .must { stroke: #e6edf3; }
}
"""


def place(ratio):
    inside = min(max(ratio, LOW), HIGH)
    return LEFT + WIDTH * math.log(inside / LOW) / math.log(HIGH / LOW)


def line(kind, x1, y1, x2, y2):
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def text(x, y, content, kind="", anchor="start"):
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(content)}</text>'


def group(row, by, programs, y):
    """One workload: its bars start at the limit, and a mark shows what xgrad must reach."""
    limit, shapes = by["limit"], []
    present = [name for name in programs if name in by]
    height = BAR * len(present)
    shapes.append(text(LEFT - 10, y + height / 2 + 4, row.title.replace("`", ""), anchor="end"))
    must = place(row.must * 1000 / limit if row.per_operation else row.must) if row.must else LEFT
    for i, name in enumerate(present):
        ratio = by[name] / limit
        start, end = sorted((place(1), place(ratio)))
        top = y + BAR * i
        shapes.append(f'<rect x="{start:.1f}" y="{top}" width="{max(end - start, 1):.1f}" height="{BAR - 2}" '
                      f'fill="{COLOURS[name]}"/>')
        after = max(end, place(1))
        if after < must < after + 30:  # a number does not stand on the mark
            after = must
        shapes.append(text(after + 4, top + BAR - 2.5, f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}", "value"))
    if row.must:
        shapes.append(line("must", must, y - 3, must, y + height + 1))
    return shapes, height


def draw(rows, results):
    rows = [row for row in rows if "limit" in results[row.name] and len(results[row.name]) > 1]
    programs = [name for name in COLOURS if any(name in results[row.name] for row in rows)]
    shapes, y = [], TOP + 22
    for row in rows:
        made, height = group(row, results[row.name], programs, y)
        shapes += made
        y += height + GAP
    head = [text(10, 22, "Time of a step, as a multiple of hand-written code over the same OpenBLAS", "title")]
    x = 10
    for name in programs:
        head.append(f'<rect x="{x}" y="36" width="12" height="12" fill="{COLOURS[name]}"/>')
        head.append(text(x + 17, 46, LABELS.get(name, name)))
        x += 120
    head += [line("must", x + 4, 35, x + 4, 49), text(x + 12, 46, "what xgrad must reach")]
    for ratio in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000):
        head.append(line("limit" if ratio == 1 else "grid", place(ratio), TOP + 14, place(ratio), y))
        head.append(text(place(ratio), TOP + 10, f"{ratio}" if ratio > 1 else "1: limit", "value", "middle"))
    width = LEFT + WIDTH + 40
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y:.0f}" viewBox="0 0 {width} {y:.0f}" '
            f'role="img">\n<style>{STYLE}</style>\n' + "\n".join(head + shapes) + "\n</svg>\n")
