"""Convex functions beside their conjugates, a double well with its hull, and proximal maps.

python examples/conjugates.py [FOLDER]      writes the pictures, to examples/output by default
"""

# %% Functions, and what they become: corners turn into lines, lines into corners, ends into slopes
import sys
from pathlib import Path

import numpy as np
import sympy
from matplotlib.figure import Figure

from hjsym.conjugate import symbolic_function, symbolic_prox
from tropical.plotting import PALETTE

output = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "output")
output.mkdir(parents=True, exist_ok=True)
x = sympy.Symbol("x", real=True)


def draw(ax, f, low: float, high: float, color, style="-") -> None:
    """The graph of f over its domain."""
    at = np.linspace(low, high, 801)
    values = f(at)
    ax.plot(at, np.where(np.isfinite(values), values, np.nan), style, color=color)
    ax.set_ylim(max(np.min(values[np.isfinite(values)], initial=0) - 0.3, -3), 3)


gallery = [
    abs(x),
    sympy.log(1 + sympy.exp(x)),
    sympy.exp(x) + x**2 / 2,
    -sympy.log(1 - x**2),
    sympy.Max(0, abs(x) - 1) ** 2 / 2,
    sympy.exp(abs(x)),
]
figure = Figure(figsize=(14, 5), layout="constrained")
rows = figure.subplots(2, len(gallery))
for above, below, expression in zip(*rows, gallery, strict=True):
    f = symbolic_function(expression, x)
    g = f.conjugate()
    draw(above, f, -2.5, 2.5, PALETTE[0])
    draw(below, g, -2.5, 2.5, PALETTE[1])
    above.set_title(f"${sympy.latex(expression)}$", fontsize=8)
    below.set_title(f"${sympy.latex(g.symbol)} \\in {sympy.latex(g.domain)}$", fontsize=8)
    print(f"({expression})* = {g}, found as {g.method}")
figure.savefig(output / "conjugates.png", dpi=150)

# %% A double well: its conjugate is that of the hull, which bridges the wells by their common tangent
well = symbolic_function((x**2 - 1) ** 2 + x / 3, x)
ax = Figure(figsize=(5, 4), layout="constrained").add_subplot()
draw(ax, well, -1.7, 1.7, PALETTE[0])
draw(ax, well.conjugate().conjugate(), -1.7, 1.7, PALETTE[5], "--")
verdict = well.convexity()
print(f"{well.expr}: {verdict.reason}, as {verdict.witness} show")
ax.figure.savefig(output / "double-well.png", dpi=150)

# %% Proximal maps as formulas in x and λ
ax = Figure(figsize=(5, 4), layout="constrained").add_subplot()
for k, expression in enumerate((abs(x), -sympy.log(x), sympy.exp(x), abs(x) ** 3 / 3)):
    found = symbolic_prox(symbolic_function(expression, x))
    print(f"prox of {expression}: {found.expr}")
    at = np.linspace(-3, 3, 401)
    at_one = found.subs({sympy.Symbol("lambda", positive=True): 1})
    ax.plot(at, at_one(at), color=PALETTE[k], label=f"${sympy.latex(expression)}$")
ax.legend()
ax.figure.savefig(output / "proximal-maps.png", dpi=150)
