"""Which atoms of a log-sum-exp layer decide at a point: Gibbs weights, exact leave-one-out losses, derivatives.

At temperature ε the weights of the atoms j at x are π_j(x) = e^{(W_j·x + b_j)/ε}/Σ_i …, and

    ∂f/∂b_j = π_j,  ∂f/∂W_j = π_j x,  ∂f/∂g_j = −π_j,  ∂f/∂y_j = π_j (x − y_j)/2κt,  ∂f/∂ε = H(π),
    f − f without atom j = −ε log(1 − π_j),

with atoms y = 2κtW and initial values g = −b − κt|W|² of the kernel gauge. A weight is a derivative and a
leave-one-out loss is a difference: they are not the same number. Neither is the influence of a training example (P. W.
Koh, P. Liang, "Understanding black-box predictions via influence functions", ICML 2017): that is about training again
without the example, and has to do with π only where the atoms are the training points themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import ArrayLike

from hjsym._gibbs_rows import GibbsRows
from hjsym.hopf import KernelGauge, LSELayer
from tropical import Polynomial
from tropical._arrays import FLOAT64, as_points, refuse_where
from tropical._progress import Progress, reporting
from tropical._tables import HasTable
from tropical._workers import Workers
from tropical.errors import BudgetExceeded, InputError, ShapeError

__all__ = ["Attribution", "Influence", "attribute"]

_MOST_NUMBERS = 1 << 27  # of a matrix of all points and atoms: one gigabyte
_SHOWN = 5  # points that printing shows


def attribute(
    source,
    x: ArrayLike,
    *,
    top: int = 10,
    t: float | None = None,
    labels: ArrayLike | None = None,
    ids: ArrayLike | None = None,
    inputs: ArrayLike | None = None,
    progress: Progress = None,
    executor: Workers = None,
) -> Attribution:
    """The atoms that decide at points x, with their weights π_j and exact leave-one-out losses −ε log(1 − π_j).

    Parameters
    ----------
    source : LSELayer, KernelGauge, Polynomial, or what `LSELayer.from_network` takes
        A polynomial over max-plus at ε ≥ 0; atoms of coefficient −∞ are in no sum.
    x : (..., d) array
        Finite points.
    top : int
        How many atoms to keep at each point, those of largest weight.
    t : float, optional
        Time of the kernel gauge, in which atoms are y = 2κtW and values g; 1, or that of a `KernelGauge`.
    labels : (N,) array, optional
        Classes of the atoms, whose weights are then summed; those of the layer by default.
    ids : (N,) array, optional
        Names of the atoms, as of the training points that they are.
    inputs : (N, ...) array, optional
        What the atoms were made from, as training images.
    progress : callable or True, optional
        Called with the number of points done; True draws a bar.
    executor : concurrent.futures.Executor, or a callable that makes one, optional
        Runs blocks of points; threads share the atoms, processes are sent them. See `tropical.linear_regions`.

    Returns
    -------
    Attribution

    Raises
    ------
    InputError
        Points that are not finite or at which terms overflow; a polynomial of minima or over Fractions.
    ShapeError
        Labels, ids or inputs that are not one an atom.

    Notes
    -----
    O(N d) a point in blocks of two megabytes, or four rows of N: no matrix of points and atoms is made, so a million
    atoms and any number of points fit. Weights are as exact as the terms W·x + b, which round by γ_d(|W|·|x| + |b|).
    The loss of an atom with π near 1 is z_1 − z_2, from the difference of their slopes, and a correction by the
    log-sum-exp of the rest: no digit of 1 − π is lost, and at ε = 0 it is the gap itself.

    Examples
    --------
    >>> layer = LSELayer([[1.0], [-1.0], [0.0]], [0.0, 0.0, 0.5], eps=0.1)
    >>> found = attribute(layer, [[0.2], [3.0]], top=2)
    >>> found.index, found.weight.round(4)
    (array([[2, 0],
           [0, 2]]), array([[0.9517, 0.0474],
           [1.    , 0.    ]]))
    >>> found.loss.round(4)                              # at 3 the first atom takes 2.5 with it
    array([[0.3031, 0.0049],
           [2.5   , 0.    ]])
    >>> found.sharpness.round(1), found.is_particle      # Δ/ε, and whether it is above log N
    (array([ 3., 25.]), array([ True,  True]))
    """
    polynomial, kappa, t, own = _read(source, t)
    labels = own if labels is None else labels
    points = as_points(x, polynomial.variables, FLOAT64)
    refuse_where(~np.isfinite(points), "x", points, "attribution is at finite points")
    kept = np.flatnonzero(np.isfinite(polynomial.coefficients))
    links = {
        name: _one_each(name, value, len(polynomial))
        for name, value in (("labels", labels), ("ids", ids), ("inputs", inputs))
    }
    if int(top) != top or top < 1:
        raise InputError(f"top is {top}; keep at least one atom a point")
    classes, codes = (None, None) if labels is None else np.unique(links["labels"], return_inverse=True)
    arrays = [polynomial.slopes, polynomial.coefficients, _initial_values(polynomial, kappa * t), codes]
    if len(kept) < len(polynomial):
        arrays = [a if a is None else a[kept] for a in arrays]
    slopes, offsets, values, codes = arrays
    rows = GibbsRows(
        slopes, offsets, polynomial.semiring, values, codes, 0 if classes is None else len(classes)
    )
    flat = np.ascontiguousarray(points).reshape(prod(points.shape[:-1]), points.shape[-1])
    with reporting(progress, "points") as report:
        found = rows.summary(flat, min(int(top), len(kept)), report, executor)
    found["index"] = kept[found["index"]]
    shaped = {name: a.reshape(points.shape[:-1] + a.shape[1:])[()] for name, a in found.items()}
    mass = shaped.pop("mass")
    return Attribution(
        polynomial, points, kappa, t, **shaped,
        classes=classes, class_weight=None if classes is None else mass, **links,
    )  # fmt: skip


def _read(source, t: float | None) -> tuple[Polynomial, float, float, np.ndarray | None]:
    """The polynomial in float64, κ, t and labels."""
    if isinstance(source, KernelGauge):
        source, t = source.layer, source.t if t is None else t
    if not isinstance(source, Polynomial | LSELayer):
        source = LSELayer.from_network(source)
    t = 1.0 if t is None else float(t)
    if not (np.isfinite(t) and t > 0):
        raise InputError(f"t is {t}; pass a finite time > 0, of the kernel gauge")
    if isinstance(source, LSELayer):
        return source.polynomial, source.kappa, t, source.labels
    if source.is_exact or source.semiring.sign != 1:
        kind = "over Fractions" if source.is_exact else "of minima"
        raise InputError(
            f"the polynomial is {kind}; pass one of maxima in floats (to_float(), or slopes and coefficients negated)"
        )
    b = source.coefficients
    if not (b < np.inf).all() or not np.isfinite(b).any():
        raise InputError("the polynomial has no finite coefficient, or one of +inf; pass at least one atom")
    if source.dtype != FLOAT64:
        source = Polynomial(source.slopes.astype(float), b.astype(float), source.semiring)
    return source, 1.0, t, None


def _initial_values(polynomial: Polynomial, time: float) -> np.ndarray:
    return -polynomial.coefficients - time * np.einsum("ij,ij->i", polynomial.slopes, polynomial.slopes)


def _one_each(name: str, value, count: int) -> np.ndarray | None:
    if value is None:
        return None
    value = np.asarray(value)
    if value.shape[:1] != (count,) or (name != "inputs" and value.ndim != 1):
        raise ShapeError(f"{name} have shape {value.shape}; pass one for each of the {count} atoms")
    return value


@dataclass(frozen=True, eq=False)
class Influence:
    """Derivatives of f at points in what some atoms are made of; those of u = |x|²/4κt − f are the negatives.

    Attributes
    ----------
    index : (..., k) array
        The atoms.
    b, g : (..., k) arrays
        ∂f/∂b_j = π_j and ∂f/∂g_j = −π_j.
    W, y : (..., k, d) arrays
        ∂f/∂W_j = π_j x at fixed b, and ∂f/∂y_j = π_j (x − y_j)/2κt at fixed g.

    Examples
    --------
    >>> layer = LSELayer([[1.0], [-1.0]], [0.0, 0.0], eps=0.5)
    >>> of = attribute(layer, [0.0]).influence()
    >>> of.index, of.b, of.g, of.y.ravel()
    (array([0, 1]), array([0.5, 0.5]), array([-0.5, -0.5]), array([-0.5,  0.5]))
    """

    index: np.ndarray
    b: np.ndarray
    g: np.ndarray
    W: np.ndarray
    y: np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class Attribution(HasTable):
    """What `attribute` found at points of shape (..., d); k is the number of atoms kept. Print it for a table.

    Attributes
    ----------
    polynomial : Polynomial
    x : (..., d) array
    kappa, t : float
        Of the kernel gauge.
    value : (...) array
        f(x).
    entropy : (...) array
        H(π) in nats, which is ∂f/∂ε.
    gap : (...) array
        Δ, by how much the largest term leads; ∞ for one atom.
    mean : (...) array
        The soft prediction E_π[g].
    index : (..., k) array
        Atoms, of largest weight first; of equal terms the first one is first.
    weight : (..., k) array
        Their π.
    loss : (..., k) array
        f − f without the atom, exactly −ε log(1 − π); ∞ for the only atom.
    classes, class_weight : (C,) and (..., C) arrays or None
        The distinct labels, and Σ π of each.
    labels, ids, inputs : arrays or None
        Of all atoms, as they were passed.

    Notes
    -----
    π_j is a derivative with respect to an atom of the layer. It says something about a training example only where
    the atoms are the training points, and even then not what training without it would have given.

    Examples
    --------
    >>> layer = LSELayer([[1.0], [-1.0], [0.0]], [0.0, 0.0, 0.5], eps=0.1, labels=[0, 0, 1])
    >>> found = attribute(layer, [[0.2], [3.0]], top=2, inputs=["right", "left", "middle"])
    >>> found.classes, found.class_weight.round(4).tolist(), found.kept_inputs[0].tolist()
    (array([0, 1]), [[0.0483, 0.9517], [1.0, 0.0]], ['middle', 'right'])
    >>> found.effective.round(2), found.sharpness.round(1), found.eps
    (array([1.22, 1.  ]), array([ 3., 25.]), 0.1)
    >>> found.weights().shape, found.losses().shape, found.influence().b.shape
    ((2, 3), (2, 3), (2, 2))
    >>> found.table(1)[0]["atom"], sorted(found.to_dict())[:3]
    (0, ['atoms', 'class_weight', 'classes'])
    >>> ax = found.plot(1)
    """

    polynomial: Polynomial
    x: np.ndarray
    kappa: float
    t: float
    value: np.ndarray
    entropy: np.ndarray
    gap: np.ndarray
    mean: np.ndarray
    index: np.ndarray
    weight: np.ndarray
    loss: np.ndarray
    classes: np.ndarray | None = None
    class_weight: np.ndarray | None = None
    labels: np.ndarray | None = None
    ids: np.ndarray | None = None
    inputs: np.ndarray | None = None

    # ---- how many decide -----------------------------------------------------------------------------

    @property
    def eps(self) -> float:
        """The temperature."""
        return self.polynomial.semiring.eps

    @property
    def sharpness(self) -> np.ndarray:
        """Δ/ε; at ε = 0 it is ∞, or 0 on a tie."""
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            return np.where(self.gap > 0, self.gap / np.float64(self.eps), 0.0)[()]

    @property
    def is_particle(self) -> np.ndarray:
        """Whether Δ/ε > log N, which proves π_1 > ½: one atom outweighs all others. Else it is a wave of several.

        π_1 ≥ 1/(1 + (N − 1)e^{−Δ/ε}). The distance of x to the atom in units of √(2εt) decides nothing of the kind: at
        x = 0 atoms at ±1 weigh ½ each, for any ε.

        >>> bool(attribute(LSELayer.from_initial_data([-1.0, 1.0], [0.0, 0.0], eps=0.1), 0.0).is_particle)
        False
        """
        return self.sharpness > np.log(self._count)

    @property
    def effective(self) -> np.ndarray:
        """e^{H(π)}, as many atoms of equal weight have that entropy."""
        return np.exp(self.entropy)

    @property
    def _count(self) -> int:
        return int(np.isfinite(self.polynomial.coefficients).sum())

    # ---- all atoms, and derivatives ------------------------------------------------------------------

    def weights(self) -> np.ndarray:
        """π of all atoms, (..., N); BudgetExceeded beyond a gigabyte."""
        size = prod(self.x.shape[:-1]) * len(self.polynomial)
        if size > _MOST_NUMBERS:
            raise BudgetExceeded(
                "weights of all points and atoms", size, _MOST_NUMBERS, "ask for fewer points, or use top="
            )
        return self.polynomial.weights(self.x)

    def losses(self) -> np.ndarray:
        """Leave-one-out losses of all atoms, (..., N); see `loss`."""
        weights = np.asarray(self.weights())
        np.put_along_axis(weights, self.index[..., :1], 0.0, axis=-1)
        losses = -self.eps * np.log1p(-weights) + 0.0
        np.put_along_axis(losses, self.index[..., :1], self.loss[..., :1], axis=-1)
        return losses

    def influence(self) -> Influence:
        """Derivatives of f in b, g, W and y of the atoms kept, at ε > 0; at ε = 0 of the first largest term."""
        slopes, pi, x = self.polynomial.slopes[self.index], self.weight, self.x[..., None, :]
        time = 2 * self.kappa * self.t
        return Influence(self.index, pi, -pi, pi[..., None] * x, pi[..., None] * (x / time - slopes))

    @property
    def kept_inputs(self) -> np.ndarray:
        """The inputs of the atoms kept, (..., k, ...)."""
        if self.inputs is None:
            raise InputError("no inputs are known; pass inputs= to attribute, one for each atom")
        return self.inputs[self.index]

    # ---- reading -------------------------------------------------------------------------------------

    def table(self, point: int = 0) -> list[dict]:
        """One dictionary for each atom kept at a point, counted through all leading axes."""
        index, weight, loss = (
            a.reshape(-1, self.index.shape[-1]) for a in (self.index, self.weight, self.loss)
        )
        if not -len(index) <= point < len(index):
            raise InputError(f"point {point} of {len(index)}; pass one of 0 to {len(index) - 1}")
        values = _initial_values(self.polynomial, self.kappa * self.t)
        rows = []
        for j, pi, lost in zip(index[point].tolist(), weight[point], loss[point], strict=True):
            links = {name: a[j] for name, a in (("id", self.ids), ("label", self.labels)) if a is not None}
            row = {"atom": j, **links, "weight": pi, "loss": lost, "g": values[j]}
            rows.append({name: v.item() if isinstance(v, np.generic) else v for name, v in row.items()})
        return rows

    def to_dict(self) -> dict:
        """Plain numbers and lists, which `json` can write; infinite ones as such."""
        names = ["x", "value", "entropy", "gap", "mean", "index", "weight", "loss"]
        if self.classes is not None:
            names += ["classes", "class_weight"]
        links = {
            name: a[self.index] for name, a in (("ids", self.ids), ("labels", self.labels)) if a is not None
        }
        arrays = {name: getattr(self, name) for name in names} | links
        numbers = {"eps": self.eps, "kappa": self.kappa, "t": self.t, "atoms": self._count}
        return numbers | {name: np.asarray(a).tolist() for name, a in arrays.items()}

    def plot(self, point: int = 0, ax=None):
        """Bars of the weights at a point; returns the matplotlib Axes, those of a new figure by default."""
        from hjsym.plotting import plot_weights

        rows = self.table(point)
        names = [" ".join(str(row[k]) for k in ("atom", "id", "label") if k in row) for row in rows]
        return plot_weights(names, np.array([row["weight"] for row in rows]), ax)

    def _summary(self, point: int) -> str:
        value, entropy, gap, mean = (
            np.ravel(a)[point] for a in (self.value, self.entropy, self.gap, self.mean)
        )
        kind = "particle" if np.ravel(self.is_particle)[point] else "wave"
        return (
            f"point {point}: f = {value:.6g}, H(π) = {entropy:.4g} nats ({np.exp(entropy):.3g} atoms), "
            f"Δ = {gap:.4g} ({kind}), E_π[g] = {mean:.6g}"
        )

    def _cells(self, point: int) -> list[list[str]]:
        """The table as text, its head first."""
        rows = self.table(point)
        return [list(rows[0])] + [[str(v) if k in _NAMES else f"{v:.6g}" for k, v in r.items()] for r in rows]

    @property
    def _size(self) -> int:
        return prod(self.x.shape[:-1])

    def __repr__(self) -> str:
        k = self.index.shape[-1]
        return f"<Attribution: {self._size} points, the first {k} of {self._count} atoms, ε = {self.eps:g}>"

    def __str__(self) -> str:
        lines = [repr(self)[1:-1]]
        for point in range(min(self._size, _SHOWN)):
            cells = self._cells(point)
            widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
            lines.append(self._summary(point))
            lines += [
                "  " + "  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)).rstrip()
                for row in cells
            ]
        if self._size > _SHOWN:
            lines.append(f"and {self._size - _SHOWN} points more")
        return "\n".join(lines)

    def _shape(self) -> tuple[int, int]:
        return self.index.size, 8

    def _units(self) -> dict[str, str]:
        return {"loss": "units of f", "g": "units of f"}

    def _columns(self, first: int | None = None) -> dict[str, np.ndarray]:
        """A row for each point and atom kept, in the order of `rank` at each point."""
        atom, kept = self.index.reshape(-1)[:first], self.index.shape[-1]
        values = _initial_values(self.polynomial, self.kappa * self.t)
        links = {name: a[atom] for name, a in (("id", self.ids), ("label", self.labels)) if a is not None}
        point, rank = np.divmod(np.arange(len(atom)), kept)
        return {
            "point": point, "rank": rank + 1, "atom": atom, **links,
            "weight": self.weight.reshape(-1)[:first], "loss": self.loss.reshape(-1)[:first], "g": values[atom],
        }  # fmt: skip

    def _html(self) -> str:
        from hjsym._notebook import attribution_html

        return attribution_html(self, min(self._size, _SHOWN))


_NAMES = ("atom", "id", "label")  # columns that hold no measured number
