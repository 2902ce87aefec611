"""What decides, as scores whose margins `certify` bounds: polynomials, or the outputs of a network.

Both kinds give values with errors, gradients with errors, and constants of the difference of two scores.
"""

from functools import cached_property

import numpy as np

from hjsym.adjoint_rounding import jacobian_enclosure
from hjsym.compile import TropicalNetwork
from hjsym.layer_norms import lipschitz_bound, margin_bounds
from hjsym.robustness.farthest import farthest
from hjsym.robustness.smooth_bounds import (
    DUAL,
    dual_norms,
    largest_norm,
    network_constants,
    scaled_up,
    smoothness,
)
from tropical import Polynomial
from tropical._rounding import U, gradient_bound, rounded_up
from tropical.errors import InputError, ShapeError

__all__ = ["NetworkScores", "PolynomialScores"]


class PolynomialScores:
    """Scores s_c f_c with polynomials f_c, the largest of which decides."""

    def __init__(
        self,
        scaled: list[tuple[Polynomial, float]],
        norm: float,
        max_pairs: int,
        names: np.ndarray | None = None,
    ):
        self.polynomials, self.scales = zip(*scaled, strict=True)
        self.norm, self.max_pairs, self.count = norm, max_pairs, len(scaled)
        sizes = {p.variables for p in self.polynomials}
        if len(sizes) > 1:
            raise ShapeError(
                f"scores are of {sorted(sizes)} variables; pass those of one number of variables"
            )
        if self.count < 2:
            raise InputError(
                "one score decides nothing; pass at least two, or a single polynomial and a level"
            )
        self.variables, self.width = sizes.pop(), 0
        self.names = np.arange(self.count) if names is None else names
        self.steepest = [
            float(rounded_up(np.asarray(abs(s) * largest_norm(p.slopes, norm)), 1)) for p, s in scaled
        ]

    def values(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scores and bounds on their errors, (B, m). At ε = 0 the error counts three times: the slope found is that
        of a term within twice the error of the largest, which bounds the score from below."""
        values, errors = [], []
        for p, s in zip(self.polynomials, self.scales, strict=True):
            value, error = np.asarray(p(x)), np.asarray(p.error_bound(x))
            values.append(s * value)
            factor = 1.0 if p.semiring.eps else 3.0
            errors.append(rounded_up(abs(s) * factor * error + U * abs(s * value), 3))
        return np.stack(values, axis=-1), np.stack(errors, axis=-1)

    def gradients(self, x: np.ndarray) -> tuple[list, list]:
        """Of each score the gradient (B, d) and a bound on its error in the dual norm (B,)."""
        centres, radii = [], []
        for p, s, steepest in zip(self.polynomials, self.scales, self.steepest, strict=True):
            centres.append(s * p.gradient(x))
            blurred = p.semiring.eps and len(p) > 1
            error = gradient_bound(p, x) * steepest if blurred else np.zeros(len(x))
            radii.append(rounded_up(error + 2 * U * steepest, 3))
        return centres, radii

    def slope(self, gradients: tuple[list, list], rows: np.ndarray, w: int, c: int) -> np.ndarray:
        """Upper bounds of ‖∇f_w − ∇f_c‖."""
        centres, radii = gradients
        error = radii[w][rows] + radii[c][rows]
        return rounded_up(
            dual_norms(centres[w][rows] - centres[c][rows], self.norm) + error, self.variables + 8
        )

    def against(self, w: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of f_w − f_c for all c: Lipschitz constants, and bounds on curvature on both sides, and downwards."""
        steep, both, down = np.zeros((3, self.count))
        for c in range(self.count):
            if c != w:
                far = farthest(self._slopes[w], self._slopes[c], DUAL[self.norm], self.max_pairs)
                steep[c] = min(far.upper, rounded_up(np.asarray(self.steepest[w] + self.steepest[c]), 1))
                down[c] = rounded_up(np.asarray(self._sides[w][1] + self._sides[c][0]), 1)
                both[c] = max(down[c], rounded_up(np.asarray(self._sides[w][0] + self._sides[c][1]), 1))
        return steep, both, down

    @cached_property
    def _slopes(self) -> list[np.ndarray]:
        """Scaled; only a function is, whose rival has the slope 0, so that no difference cancels."""
        return [s * p.slopes for p, s in zip(self.polynomials, self.scales, strict=True)]

    @cached_property
    def _sides(self) -> list[tuple[float, float]]:
        """(convex, concave) of each score."""
        found = []
        for p, s in zip(self.polynomials, self.scales, strict=True):
            bounds = smoothness(p, self.norm, scale=s, max_pairs=self.max_pairs)
            found.append((bounds.convex, bounds.concave))
        return found


class NetworkScores:
    """The outputs of a network, the largest of which decides; a single one against a level."""

    def __init__(self, f: TropicalNetwork, norm: float, level: float, scale: float = 1.0):
        self.network, self.norm, self.single = f.network, norm, f.network.output_size == 1
        if not self.single and (level or scale != 1):
            raise InputError(
                f"level and scale are for one output, and the network has {f.network.output_size}"
            )
        self.variables, self.f = f.variables, f
        self.count = 2 if self.single else f.network.output_size
        self.width, self.names = sum(f.network.sizes), np.arange(self.count)
        self.level, self.scale = level, scale

    def values(self, x):
        value, error = self.f(x), self.f.error_bound(x)
        if self.single:
            value, error = self.scale * value, abs(self.scale) * error
            value = np.concatenate([np.full_like(value, self.level), value], axis=-1)
            error = np.concatenate([np.zeros_like(error), error], axis=-1)
        return value, rounded_up(error + U * abs(value), 3)

    def gradients(self, x):
        return jacobian_enclosure(self.network, x)

    def slope(self, gradients, rows, w, c):
        centre, radius = gradients
        if self.single:
            difference, error = self.scale * centre[rows, 0], abs(self.scale) * radius[rows, 0]
        else:
            difference, error = centre[rows, w] - centre[rows, c], radius[rows, w] + radius[rows, c]
        largest = rounded_up(abs(difference) * (1 + 2 * U) + error, 3)
        return rounded_up(dual_norms(largest, self.norm), self.variables + 8)

    def against(self, w):
        m = self.network.output_size
        directions = np.eye(m)[w] - np.eye(m) if not self.single else np.array([[1.0], [1.0]]) * self.scale
        directions = directions * (1 if w or not self.single else -1)
        steep, convex, concave = network_constants(self.network, self.norm, directions)
        if self.single:
            bound = np.full(2, scaled_up(lipschitz_bound(self.network, self.norm), abs(self.scale)))
        else:
            bound = margin_bounds(self.network, self.norm, w)
        return np.minimum(steep, bound), np.maximum(convex, concave), concave
