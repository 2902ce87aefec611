"""Phase diagrams: the entropy of attribution from cold (one atom decides) to hot (all do).

ε* = N^(−1/d), which the paper marks, depends on the number of atoms alone. Under y → cy, g → c²g, ε → c²ε the weights
stay as they are, so where the crossover happens is multiplied by c², and ε* is not.
"""

import math

import numpy as np
from scipy.optimize import brentq

from hjsym.hopf import LSELayer
from hjsym.paper.data import two_clusters
from hjsym.paper.drawing import animate
from hjsym.paper.images import principal_components, read_images
from hjsym.paper.row import Outcome, Picture, Row, Study, at_most, near, shown
from tropical import Polynomial
from tropical._figures import INK, PALETTE

__all__ = ["ROWS", "crossover"]

_NEVER = "∂_εH = Var_π(z)/ε³ ≥ 0: entropy never falls as ε rises; rounding"


def _polynomial(y: np.ndarray, g: np.ndarray, eps: float) -> Polynomial:
    return LSELayer.from_initial_data(y, g, eps, t=1.0).polynomial


def crossover(y: np.ndarray, g: np.ndarray, x: np.ndarray) -> float:
    """The ε at which H(π(x; ε)) = ½ log N."""
    half = math.log(len(y)) / 2

    def excess(log_eps: float) -> float:
        return float(_polynomial(y, g, math.exp(log_eps)).entropy(x)) - half

    return math.exp(brentq(excess, math.log(1e-4), math.log(1e5), xtol=1e-14, rtol=8.9e-16))


def _curves(y: np.ndarray, g: np.ndarray, queries: np.ndarray, temperatures: np.ndarray) -> np.ndarray:
    """H(π(x; ε)), one row for each query."""
    return np.array([_polynomial(y, g, eps).entropy(queries) for eps in temperatures]).T


def _laws(
    y: np.ndarray, g: np.ndarray, middle: np.ndarray, curves: np.ndarray, temperatures: np.ndarray
) -> list:
    """What holds for every data set: H rises with ε, at the rate Var_π(z)/ε³; its crossover scales as c²."""
    falls = max(0.0, -np.diff(curves, axis=1).min())
    cross = crossover(y, g, middle)
    scaled = crossover(2 * y, 4 * g, 2 * middle)
    eps_star = len(y) ** (-1 / y.shape[1])
    up, down, p = (_polynomial(y, g, cross * f) for f in (1 + 1e-4, 1 - 1e-4, 1.0))
    slope = (up.entropy(middle) - down.entropy(middle)) / (2e-4 * cross)
    z, weights = p.slopes @ middle + p.coefficients, p.weights(middle)
    variance = weights @ (z - weights @ z) ** 2
    return [
        at_most("largest fall of H as ε rises", 1e-12, falls, _NEVER),
        near("∂_εH by differences over Var_π(z)/ε³, at the crossover", 1.0, slope / (variance / cross**3), 1e-6,
             "an identity; central differences of relative step 1e-4"),
        near("crossover at 2y, 4g over crossover at y, g", 4.0, scaled / cross, 1e-9,
             "c² = 4, an identity; root finding"),
        shown("ε at which H = ½ log N, between the classes", cross, "found by root finding"),
        shown("ε* = N^(−1/d), the paper’s mark", eps_star, "the same for y and 2y: not scale-covariant"),
        shown("crossover over ε*", cross / eps_star, "no constant: it changes with the scale of the data"),
    ]  # fmt: skip


def two_cluster_diagram(study: Study) -> Outcome:
    """Sixteen atoms in two clusters."""
    y, g = two_clusters()
    temperatures = np.logspace(-2, 1.3, 60 if study.fast else 300)
    queries = np.array([[-1.0, -1.0], [0.0, 0.0], [1.0, 1.0]])
    curves = _curves(y, g, queries, temperatures)
    measurements = _laws(y, g, queries[1], curves, temperatures)
    eps_star = 16**-0.5
    hottest = _polynomial(y, g, 20.0)
    measurements.append(at_most("log N − H at (0, 0), ε = 20", _defect_of_heat(y, g, queries[1], 20.0),
        math.log(16) - float(hottest.entropy(queries[1])), "at most range(z)²/8ε² (Hoeffding’s lemma)"))  # fmt: skip
    pictures = (
        _phase_picture(temperatures, curves, ["in cluster 1", "between", "in cluster 2"], eps_star, 16),
        _landscapes(y, g, (0.05, eps_star, 4.0), 2.5, study.fast),
        _heating(y, g),
    )
    return Outcome(tuple(measurements), pictures)


def _defect_of_heat(y: np.ndarray, g: np.ndarray, x: np.ndarray, eps: float) -> float:
    """A bound of log N − H = KL(π ‖ uniform), by Hoeffding's lemma for the range of z/ε."""
    p = _polynomial(y, g, eps)
    return float(np.ptp(p.slopes @ x + p.coefficients) / eps) ** 2 / 8


def _phase_picture(temperatures, curves, names, eps_star: float, atoms: int, top: str = "log N") -> Picture:
    def draw(figure) -> None:
        axis = figure.subplots()
        for k, (curve, name) in enumerate(zip(curves, names, strict=True)):
            axis.semilogx(temperatures, curve, color=PALETTE[k], label=name)
        axis.axvline(eps_star, color=INK, ls="--", lw=1, label="ε* = N^(−1/d), not scale-covariant")
        axis.axhline(math.log(atoms), color=INK, ls=":", lw=1, label=top)
        axis.set_xlabel("ε")
        axis.set_ylabel("entropy")
        axis.legend()

    return Picture("From particle to wave", "Entropy of the attribution against temperature.", draw)


def _landscapes(y, g, temperatures, reach: float, fast: bool) -> Picture:
    side = np.linspace(-reach, reach, 60 if fast else 120)
    grid = np.stack(np.meshgrid(side, side), axis=-1)

    def draw(figure) -> None:
        axes = figure.subplots(1, len(temperatures), sharey=True)
        for axis, eps in zip(axes, temperatures, strict=True):
            image = axis.imshow(_polynomial(y, g, eps).entropy(grid), extent=(-reach, reach) * 2, origin="lower",
                                vmin=0, vmax=math.log(len(y)), cmap="magma")  # fmt: skip
            axis.scatter(
                *y.T, s=10, c=np.where(g > 0, PALETTE[1], PALETTE[4]), edgecolors="black", linewidths=0.4
            )
            axis.set_title(f"ε = {eps:g}")
            axis.grid(False)
        figure.colorbar(image, ax=axes, label="H(π)")

    return Picture(
        "Entropy landscapes", "Cold, at the paper’s ε*, and hot; dots are the atoms.", draw, (9, 3)
    )


def _heating(y, g):
    s = np.linspace(-2.5, 2.5, 80)
    points = np.stack([s, s], axis=1)
    temperatures = np.geomspace(0.02, 5, 24)
    frames = [_polynomial(y, g, eps).entropy(points) for eps in temperatures]
    soft = [_polynomial(y, g, eps).weights(points) @ g for eps in temperatures]
    labels = [f"ε = {eps:.3f}" for eps in temperatures]
    return animate("Heating", "Along the line through both clusters: entropy, and the soft prediction E_π[g].",
                   s, [frames, soft], ["H(π)", "E_π[g]"], labels, window=(0, math.log(16)))  # fmt: skip


# ---- images ------------------------------------------------------------------------------------------


def two_classes(images: str):
    """3 against 7, sixty of each, on two principal components; g is 0 and 1."""

    def run(study: Study) -> Outcome:
        points, labels = read_images(images, study.fast)
        rows = np.concatenate(
            [study.rng.choice(np.flatnonzero(labels == c), 60, replace=False) for c in (3, 7)]
        )
        y, g = principal_components(points[rows], 2), np.repeat([0.0, 1.0], 60)
        eps_star = len(y) ** -0.5
        temperatures = np.logspace(-2, math.log10(8 * max(eps_star, 1)), 60 if study.fast else 300)
        middle = (y[:60].mean(axis=0) + y[60:].mean(axis=0)) / 2
        queries = np.array([y[30], middle, y[90]])
        curves = _curves(y, g, queries, temperatures)
        measurements = _laws(y, g, middle, curves, temperatures)
        reach = float(np.abs(y).max()) * 1.2
        pictures = (
            _phase_picture(temperatures, curves, ["a 3", "between", "a 7"], eps_star, len(y)),
            _landscapes(y, g, (eps_star * 0.1, eps_star, eps_star * 6), reach, study.fast),
        )
        return Outcome(tuple(measurements), pictures)

    return run


def all_classes(images: str):
    """All ten classes with flat data g = 0: classes come from the sums of weights within each."""

    def run(study: Study) -> Outcome:
        points, labels = read_images(images, study.fast)
        each = min(200, int(np.bincount(labels).min()))
        rows = np.concatenate(
            [study.rng.choice(np.flatnonzero(labels == c), each, replace=False) for c in range(10)]
        )
        y, classes = principal_components(points[rows], 2), labels[rows]
        g, one_hot = np.zeros(len(y)), np.eye(10)[classes]
        eps_star = len(y) ** -0.5
        temperatures = np.logspace(-3, 1, 40 if study.fast else 250)
        queries = np.array([y[classes == c].mean(axis=0) for c in (0, 3, 7, 9)])
        curves = _curves(y, g, queries, temperatures)
        masses = np.array([_polynomial(y, g, eps).weights(queries) @ one_hot for eps in temperatures])
        of_classes = -(masses * np.log(np.maximum(masses, 1e-300))).sum(axis=-1).T
        measurements = _laws(y, g, queries.mean(axis=0), curves, temperatures)
        measurements.append(at_most("largest excess of class entropy over H", 1e-12, (of_classes - curves).max(),
            "grouping atoms into classes cannot raise entropy (chain rule)"))  # fmt: skip
        picture = _phase_picture(
            temperatures, of_classes, [f"mean {c}" for c in (0, 3, 7, 9)], eps_star, 10, "log 10"
        )
        remark = (
            f"{len(y)} atoms on two principal components, {each} of each class. The entropy of classes, which the "
            "paper plots, need not be monotone in ε; that of the atoms is."
        )
        return Outcome(
            tuple(measurements), (picture, _class_maps(y, one_hot, eps_star, study.fast)), (remark,)
        )

    return run


def _class_maps(y, one_hot, eps_star: float, fast: bool) -> Picture:
    reach = float(np.abs(y).max()) * 1.1
    side = np.linspace(-reach, reach, 50 if fast else 100)
    grid = np.stack(np.meshgrid(side, side), axis=-1)

    def draw(figure) -> None:
        axes = figure.subplots(1, 3, sharey=True)
        for axis, eps in zip(axes, (0.001, eps_star, 4.0), strict=True):
            decided = (_polynomial(y, np.zeros(len(y)), eps).weights(grid) @ one_hot).argmax(axis=-1)
            image = axis.imshow(
                decided, extent=(-reach, reach) * 2, origin="lower", cmap="tab10", vmin=-0.5, vmax=9.5
            )
            axis.set_title(f"ε = {eps:.3g}")
            axis.grid(False)
        figure.colorbar(image, ax=axes, ticks=range(10), label="class of most weight")

    return Picture("Classes", "Which class has most weight, cold, at ε*, and hot.", draw, (9, 3))


_TWO = "digits 3 and 7, 60 each, two principal components, g = 0 and 1, t = 1"
_ALL = "up to 200 of each class, two principal components, g = 0, t = 1"
ROWS = (
    Row("phase-clusters", "Phase diagram of two clusters", "16 atoms around ∓(1, 1), sd .4, g = 0 and 1, "
        "ε ∈ logspace(−2, 1.3)", two_cluster_diagram),
    Row("phase-digits-two", "Phase diagram of digits, 3 against 7", f"scikit-learn’s digits: {_TWO}",
        two_classes("digits")),
    Row("phase-digits-all", "Phase diagram of digits, all classes", f"scikit-learn’s digits: {_ALL}",
        all_classes("digits"), 0.3),
    Row("phase-mnist-two", "Phase diagram of MNIST, 3 against 7", f"MNIST: {_TWO}", two_classes("mnist")),
    Row("phase-mnist-all", "Phase diagram of MNIST, all classes", f"MNIST: {_ALL}", all_classes("mnist"), 0.3),
)  # fmt: skip
