"""Tropical curves: one beside its dual subdivision, two that meet, and the decision boundary of a network.

python examples/curves.py [FOLDER]      writes the pictures, to examples/output by default
"""

# %% A curve and the subdivision that it is dual to: vertices to cells, edges to edges, weights to lattice lengths
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import hjsym
from tropical import Polynomial, mixed_volume, plot_duality, stable_intersection
from tropical.plotting import PALETTE, plot_curve, plot_decision_boundary

output = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "output")
output.mkdir(parents=True, exist_ok=True)


def dense(degree: int, rng: np.random.Generator) -> Polynomial:
    """All exponents of a degree, with coefficients that are concave up to noise."""
    slopes = np.array([(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)])
    lifts = -(slopes**2).sum(axis=1) - slopes.prod(axis=1)
    return Polynomial(slopes, lifts + rng.integers(-1, 2, size=len(lifts)) * 0.75)


rng = np.random.default_rng(7)
quartic = dense(4, rng)
curve = quartic.hypersurface()
print(f"{curve}, genus {curve.genus}, balanced: {curve.is_balanced()}")
plot_duality(quartic).savefig(output / "curve.png", dpi=150)

# %% Two curves meet stably in as many points as the mixed volume says (Bernstein); for degrees 4 and 3, in 12
cubic = dense(3, rng)
points = stable_intersection(quartic, cubic)
print(f"{len(points)} points, multiplicities {sum(m for _, m in points)} = {mixed_volume(quartic, cubic)}")
ax = Figure(figsize=(5, 5), layout="constrained").add_subplot()
box = ((-3, 12), (-3, 12))
plot_curve(cubic.hypersurface(), ax, box=box, color=PALETTE[0])
plot_curve(curve, ax, box=box, color=PALETTE[1])
ax.scatter(*np.array([x for x, _ in points]).T, color=PALETTE[5], zorder=4, s=[40 * m for _, m in points])
ax.figure.savefig(output / "intersection.png", dpi=150)

# %% A ReLU network is P ⊘ Q, and its decision boundary a part of the tropical curve of P ⊕ Q
layers = [(rng.normal(size=(7, 2)), rng.normal(size=7)), (rng.normal(size=(1, 7)), np.array([0.1]))]
f = hjsym.compile(layers)
P, Q = (circuit.expand() for circuit in (f.P, f.Q))
boundary = (P / Q).decision_cells()
print(f"{len(P)} and {len(Q)} monomials, {len(boundary)} pieces of the decision boundary")
ax = Figure(figsize=(5, 5), layout="constrained").add_subplot()
plot_decision_boundary(P / Q, ax, box=((-3, 3), (-3, 3)))
ax.figure.savefig(output / "boundary.png", dpi=150)
