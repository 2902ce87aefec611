"""The convex conjugate of a formula, a log-sum-exp layer or a convex network, with values and certificates."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sympy

from hjsym.compile import compile
from hjsym.conjugate.base import ConvexFunction
from hjsym.conjugate.dispatch import as_function
from hjsym.conjugate.domains import Sublevel
from hjsym.errors import NotConvexError
from hjsym.questions import is_convex
from hjsym.reports.examples import Asked, Examples
from hjsym.reports.formula import read_formula
from hjsym.reports.model import Model
from hjsym.reports.pictures import list_pictures, save_axes
from hjsym.reports.report import Report
from tropical import Box, Polynomial, linear_regions
from tropical.errors import InputError, ShapeError

__all__ = ["Source", "conjugate_report"]

_FILES = (".onnx", ".npz", ".json", ".safetensors")
_PLACES = (-2.0, -1.0, 0.0, 1.0, 2.0)  # whose slopes are taken
_FEW = 3  # slopes of a model
_SHOWN = 4  # coordinates of a slope
_LONGEST = 300  # characters of a formula
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Source:
    """What to transform.

    Attributes
    ----------
    text : str
        A formula, or the path of a model.
    variables : tuple of str or None
        Of a formula.
    domain : (float, float) or None
        Outside of which a formula is +∞.
    output : int
        Of a network.
    """

    text: str
    variables: tuple[str, ...] | None = None
    domain: tuple[float, float] | None = None
    output: int = 0

    @property
    def is_file(self) -> bool:
        return self.text.endswith(_FILES)

    @property
    def name(self) -> str:
        return Path(self.text).name if self.is_file else self.text

    def function(self) -> ConvexFunction:
        if not self.is_file:
            return self._of_formula()
        if self.variables or self.domain:
            raise InputError("--variables and --domain are for formulas; leave them out for a model")
        model = Model.read(Path(self.text))
        if model.layer is not None:
            return as_function(model.layer)
        return as_function(_maximum(model, self.output))

    @property
    def parameters(self) -> list[str]:
        """Names in a formula that are no variables of it."""
        if self.is_file or self.variables is None:
            return []
        return sorted({s.name for s in self._expression().free_symbols} - set(self.variables))

    def _expression(self) -> sympy.Expr:
        names = set(re.findall(r"[^\W\d]\w*", self.text))
        chosen = set(self.variables or names)
        if unknown := chosen - names:
            raise InputError(f"{self.text!r} has no variable {min(unknown)!r}; name those that it has")
        return read_formula(self.text, names - chosen)

    def _slope(self) -> sympy.Symbol | None:
        """What to call the variable of f*, where its parameters have taken y."""
        free = next(name for name in ("y", "s", "q", "slope") if name not in self.parameters)
        return None if free == "y" else sympy.Symbol(free, real=True)

    def _of_formula(self) -> ConvexFunction:
        expr = self._expression()
        x = self._symbols(expr)
        return as_function(expr, x, self._slope(), self._domain(x))

    def _symbols(self, expr: sympy.Expr) -> sympy.Symbol | tuple[sympy.Symbol, ...]:
        if self.variables is None:
            found = tuple(sorted(expr.free_symbols, key=str))
        else:
            found = tuple(sympy.Symbol(name, real=True) for name in self.variables)
        if not found:
            raise InputError(
                f"{self.text!r} has no variable; write a formula in x, or name it by --variables"
            )
        return found if len(found) > 1 else found[0]

    def _domain(self, x) -> sympy.Set | Box | None:
        if self.domain is None:
            return None
        if not self.domain[0] < self.domain[1]:
            raise InputError(f"--domain is {self.domain[0]:g},{self.domain[1]:g}; pass low < high")
        return (
            Box(*self.domain) if isinstance(x, tuple) else sympy.Interval(*map(sympy.nsimplify, self.domain))
        )


def _maximum(model: Model, output: int) -> Polynomial:
    """A convex piecewise-linear function is the maximum of its affine pieces."""
    f = compile(model.network)
    if not 0 <= output < f.network.output_size:
        raise InputError(f"--output is {output}; the network has outputs 0 to {f.network.output_size - 1}")
    found = is_convex(f, output=output)
    if not found:
        where = ", ".join(str([float(v) for v in np.ravel(point)]) for point in found.points)
        raise NotConvexError(
            f"output {output} of the network is not convex, as the points {where} show; pass a convex one: "
            "`hjsym inspect` has the pair of convex functions that a network is the difference of"
        )
    pieces = {(*region.slope[output].tolist(), region.intercept[output]) for region in linear_regions(f)}
    rows = np.array(sorted(pieces), dtype=object)
    return Polynomial(rows[:, :-1], rows[:, -1])


def conjugate_report(
    source: Source, slopes: list | None = None, latex: bool = False, figures: Path | None = None
) -> Report:
    """Whether f is convex, f* as a formula where there is one, values with maximisers, and Fenchel–Young."""
    f = source.function()
    if figures is not None and f.variables != 1:
        raise InputError(f"f has {f.variables} variables; --figures draws functions of one")
    verdict, star = f.convexity(), f.conjugate()
    report = Report({
        "source": source.text, "variables": f.variables, "convex": verdict.convex, "reason": verdict.reason,
        "method": star.method, "exact": star.exact, "of_hull": star.of_hull, "domain": _domain_of(star),
    })  # fmt: skip
    report.heading(f"The conjugate f*(y) = sup x·y − f(x) of {source.name}")
    said = {True: "convex", False: "not convex", None: "convexity undecided"}[verdict.convex]
    report.line(f"f is {said}: {verdict.reason}" if verdict.convex is not None else said)
    if star.of_hull or verdict.convex is False:
        report.line("f* is that of the closed convex hull of f")
    _describe_formula(report, star, latex)
    report.line(f"finite on: {_domain_of(star)}")
    report.line(f"found by: {star.method}" + ("" if star.exact else ", to within the gap"))
    report.data["values"] = []
    if source.parameters:
        report.line(f"no values: {', '.join(source.parameters)} stand for any positive numbers")
        return report
    _describe_values(report, f, star, _slopes(source, f, slopes), verdict.convex is not False)
    if figures is not None:
        list_pictures(report, _picture(f, star, figures))
    return report


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} … ({len(text):,} characters)"


def _domain_of(star: ConvexFunction) -> str:
    """A set of numbers, a hull, or what is left to say."""
    if isinstance(star.domain, Sublevel):
        return "where its values are"
    return _short(str(star.domain).strip("<>"))


def _describe_formula(report: Report, star: ConvexFunction, latex: bool) -> None:
    try:
        expr = star.expr
    except InputError:
        report.data |= {"formula": None, "latex": None, "conditions": []}
        report.line("f* has no closed formula; its values are computed")
        return
    conditions = [str(c) for c in getattr(star, "conditions", ())]
    report.data |= {"formula": str(expr), "latex": sympy.latex(expr), "conditions": conditions}
    report.line(f"f* = {_short(str(expr))}" + (f"   if {', '.join(conditions)}" if conditions else ""))
    if latex:
        report.line(f"LaTeX: {report.data['latex']}")


def _slopes(source: Source, f: ConvexFunction, given: list | None) -> np.ndarray:
    """(n, d): those asked for, else slopes of f, which are where f* is finite."""
    if given is not None:
        if wrong := [y for y in given if len(y) != f.variables]:
            raise ShapeError(
                f"--at has {len(wrong[0])} numbers but f has {f.variables} variables; pass {f.variables}"
            )
        return np.array(given, dtype=float)
    if source.is_file:
        model = Model.read(Path(source.text))
        x = Examples.of(Asked(), model.dataset, model.network.input_size).points[:_FEW]
    else:
        x = np.multiply.outer(_PLACES, np.ones(f.variables))
    y = np.asarray(f.subgradient(x[:, 0] if f.variables == 1 else x), dtype=float).reshape(-1, f.variables)
    return np.unique(y[np.isfinite(y).all(axis=1)], axis=0)


def _describe_values(
    report: Report, f: ConvexFunction, star: ConvexFunction, slopes: np.ndarray, convex: bool
) -> None:
    if not len(slopes):
        return
    y = slopes[:, 0] if star.variables == 1 else slopes
    values, at, gaps = (np.asarray(a, dtype=float) for a in (star(y), star.argmax(y), star.gap(y)))
    rows = []
    for slope, value, x, gap in zip(slopes, values, at.reshape(slopes.shape), gaps, strict=True):
        report.data["values"].append({"y": slope, "value": value, "maximiser": x, "gap": gap})
        shown = "+∞" if value == np.inf else f"{value:.12g}"
        rows.append([_point(slope), shown, _point(x), "–" if np.isnan(gap) else f"{gap:.1e}"])
    report.table(["y", "f*(y)", "maximiser x", "gap"], rows)
    finite = np.isfinite(values)
    if convex and finite.any():
        size = 1 + np.abs(values[finite]).max()
        if np.isfinite(gaps).any():
            report.check(
                "f(x) + f*(y) − x·y at maximisers, relative", np.nanmax(np.abs(gaps)) / size, _ROUNDING
            )
    if finite.any():
        report.check(
            "x·y − f(x) − f*(y) at random x, at most", _excess(f, slopes[finite], values[finite]), _ROUNDING
        )


def _excess(f: ConvexFunction, slopes: np.ndarray, values: np.ndarray) -> float:
    """By how much Young's inequality fails at random x, relative to what is compared: at most rounding."""
    x = np.random.default_rng(0).standard_normal((64, f.variables)) * 3
    fx = np.asarray(f(x[:, 0] if f.variables == 1 else x), dtype=float)
    inner = x @ slopes.T
    excess = inner - fx[:, None] - values
    return float(max(0.0, (excess / (1 + np.abs(inner) + np.abs(values))).max()))


def _point(x: np.ndarray) -> str:
    if np.isnan(x).any():
        return "–"
    rest = " …" if len(x) > _SHOWN else ""
    return " ".join(f"{v + 0.0:.6g}" for v in x[:_SHOWN]) + rest


def _picture(f: ConvexFunction, star: ConvexFunction, folder: Path) -> Iterator[Path]:
    from tropical._figures import BLUE, RED, new_figure

    axes = new_figure(figsize=(8, 3.4), layout="constrained").subplots(1, 2)
    t = np.linspace(-3, 3, 601)
    for axis, function, name, colour in zip(axes, (f, star), ("f(x)", "f*(y)"), (BLUE, RED), strict=True):
        values = np.asarray(function(t), dtype=float)
        axis.plot(t, np.where(np.isfinite(values), values, np.nan), color=colour)
        axis.set(title=name, xlabel=name[-2])
        axis.grid(alpha=0.3)
    yield save_axes(axes[0], folder / "conjugate.png")
