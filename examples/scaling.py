"""Rates of quadrature, the risk of fitted layers, and the solitons of a layer with its tropical curve.

python examples/scaling.py [FOLDER]      writes the pictures, to examples/output by default
"""

# %% End-point nodes beside midpoints: the exponent is that of the nodes
import sys
from pathlib import Path

from matplotlib.figure import Figure

from hjsym.kp import TauFunction
from hjsym.scaling import quadrature_rate, risk_study
from tropical.plotting import PALETTE

output = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "output")
output.mkdir(parents=True, exist_ok=True)

figure = Figure(figsize=(9, 3.6), layout="constrained")
for ax, rule in zip(figure.subplots(1, 2, sharey=True), ("endpoints", "midpoints"), strict=True):
    for d, color in zip((1, 2, 4), PALETTE, strict=False):
        law = quadrature_rate(d, rule=rule)
        law.plot(ax, label=f"d = {d}", color=color)
        print(f"{rule}, d = {d}: {law}")
    ax.set(title=rule, ylabel="largest error" if rule == "endpoints" else "")
figure.savefig(output / "quadrature-rates.png", dpi=110)

# %% Risk against samples, with the worst cases of two classes
study = risk_study(1, (100, 200, 400, 800), repetitions=3)
print(study)
ax = Figure(figsize=(5, 3.6), layout="constrained").add_subplot()
study.plot(ax).figure.savefig(output / "risk.png", dpi=110)

# %% A layer of four neurons as a web of line solitons, at three times
tau = TauFunction([-1.0, -0.25, 0.5, 1.25], [0.0, 0.5, 0.25, 0.0], eps=0.5)
figure = Figure(figsize=(10.5, 3.9), layout="constrained")
for ax, T in zip(figure.subplots(1, 3, sharey=True), (-8, 0, 8), strict=True):
    tau.plot(T, ax, box=((-25, 25), (-25, 25)), pixels=400)
    ax.set(title=f"T = {T}", ylabel="y" if T == -8 else "")
figure.savefig(output / "kp-web.png", dpi=110)
