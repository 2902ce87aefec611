"""The linear regions of a network: how many, the largest, where which output wins, and a picture."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from hjsym.compile import TropicalNetwork, compile
from hjsym.reports.examples import Asked, Examples
from hjsym.reports.model import Model
from hjsym.reports.pictures import list_pictures, save_axes
from hjsym.reports.report import Report
from tropical import Box, DecisionRegions, Regions, Slice, decision_regions, linear_regions
from tropical._chart import Chart
from tropical.domain import Domain, as_domain
from tropical.errors import BudgetExceeded, InputError

__all__ = ["Where", "regions_report"]

_KINDS = {
    "activation": "one pattern of winning branches",
    "convex": "P and Q are one monomial each",
    "open": "one affine map, connected through facets",
    "closed": "one affine map, connected through points",
    "maps": "different affine maps",
}
_MARGIN = (-0.25, 1.25)  # around the points of a slice
_SAMPLES = 16  # regions that are held against the network
_MEASURED = 5000  # regions, whose exact volumes are milliseconds each
_SHOWN = 3  # variables up to which affine maps are printed


@dataclass(frozen=True)
class Where:
    """Where regions are looked for, and how much may be spent.

    Attributes
    ----------
    through : tuple of int or None
        Numbers of the points of a slice.
    box : (float, float) or None
        Of every coordinate.
    max_regions, jobs : int
    """

    through: tuple[int, ...] | None = None
    box: tuple[float, float] | None = None
    max_regions: int = 100_000
    jobs: int = 1

    def domain(self, examples: Examples) -> Domain | None:
        if self.through is None:
            return None if self.box is None else Box(*self.box)
        if wrong := [k for k in self.through if not 0 <= k < len(examples.points)]:
            raise InputError(
                f"--slice names point {wrong[0]}; there are points 0 to {len(examples.points) - 1:,}"
            )
        return Slice.through(examples.points[list(self.through)], Box(*(self.box or _MARGIN)))

    def search(self, find: Callable, f: TropicalNetwork, domain: Domain | None):
        """The regions that `find` gives, with a bar on a terminal."""
        if self.jobs < 1:
            raise InputError(f"--jobs is {self.jobs}; pass a whole number >= 1")
        with ThreadPoolExecutor(self.jobs) if self.jobs > 1 else nullcontext() as executor:
            try:
                return find(
                    f, domain, max_regions=self.max_regions, executor=executor, progress=sys.stderr.isatty()
                )
            except BudgetExceeded as error:
                hint = "look at a --slice of two or three points, at a smaller --box, or raise --max-regions"
                raise BudgetExceeded(error.stage, error.reached, error.limit, hint) from None


def regions_report(
    path: Path,
    asked: Asked,
    where: Where,
    top: int = 5,
    decision: bool = False,
    figures: Path | None = None,
) -> Report:
    """Counts under each definition in use, the largest regions, and decision regions if asked for."""
    model = Model.read(path)
    model.refuse_soft("where there are no linear regions")
    examples = Examples.of(asked, model.dataset, model.network.input_size)
    f = compile(model.network)
    if decision and model.network.output_size < 2:
        raise InputError(
            "the network has one output; --decision compares the outputs of one with two or more"
        )
    domain = where.domain(examples)
    variables = f.variables if where.through is None else len(where.through) - 1
    if figures is not None and variables != 2:
        raise InputError(
            f"these regions have {variables} variables; --figures draws those of two, or of a --slice of three points"
        )
    regions = where.search(linear_regions, f, domain)
    report = Report({"model": path, "network": model.description})
    _describe_domain(report, model, where, regions)
    _describe_counts(report, regions)
    _check_values(report, f, domain, regions)
    _describe_largest(report, regions, where, top)
    report.data["decision"] = None
    decided = where.search(decision_regions, f, domain) if decision else None
    if decided is not None:
        _describe_decision(report, decided)
    if figures is not None:
        list_pictures(report, _pictures(regions, decided, where, figures, path.stem))
    return report


def _describe_domain(report: Report, model: Model, where: Where, regions: Regions) -> None:
    box = where.box or (None if where.through is None else _MARGIN)
    space = f"R^{regions.variables}"
    if where.through is not None:
        shape = {1: "line", 2: "plane"}.get(regions.variables, "slice")
        space = f"the {shape} through points {', '.join(map(str, where.through))}"
    within = "" if box is None else f", coordinates in [{box[0]:g}, {box[1]:g}]"
    report.data["domain"] = {"variables": regions.variables, "slice": where.through, "box": box}
    report.heading(f"{model.path.name}: linear regions on {space}{within}")


def _describe_counts(report: Report, regions: Regions) -> None:
    counts = {kind: regions.count(kind) for kind in _KINDS}
    bounded = sum(region.is_bounded for region in regions)
    facets = regions.graph.number_of_edges()
    report.data |= {"counts": counts, "bounded": bounded, "facets": facets}
    report.table(
        ["kind", "regions", "a region is where"],
        [[kind, f"{counts[kind]:,}", what] for kind, what in _KINDS.items()],
    )
    report.line(f"{bounded:,} of {len(regions):,} are bounded; {facets:,} facets lie between two of them")


def _check_values(report: Report, f: TropicalNetwork, domain: Domain | None, regions: Regions) -> None:
    """The affine map of the region that a point lies in, against the network over Fractions."""
    chosen = np.unique(np.linspace(0, len(regions) - 1, _SAMPLES).round().astype(int))
    points = [regions[int(k)].witness for k in chosen]
    chart = Chart(as_domain(domain), f.variables)
    worst = 0.0
    for s in points:
        region = regions[regions.locate(s)]
        difference = region.slope @ s + region.intercept - f.exactly.network(chart.lifted(s))
        worst = max(worst, float(np.abs(difference).max()))
    report.check(f"maps of {len(points)} regions − network, over Fractions", worst, 0.0)


def _describe_largest(report: Report, regions: Regions, where: Where, top: int) -> None:
    report.data["largest"] = []
    if top < 1:
        return
    volumes = np.array([float(region.volume) for region in islice(regions, _MEASURED)])
    order = np.argsort(-volumes, kind="stable")[:top]
    rows = []
    for k in order.tolist():
        region = regions[k]
        slope, intercept = region.slope.astype(float), region.intercept.astype(float)
        report.data["largest"].append({
            "region": k, "volume": volumes[k], "facets": len(regions.facets(k)), "slope": slope,
            "intercept": intercept, "witness": region.witness.astype(float),
        })  # fmt: skip
        volume = f"{volumes[k]:.6g}" if np.isfinite(volumes[k]) else "∞"
        formula = _map(slope, intercept, "x" if where.through is None else "s")
        rows.append([str(k), volume, str(len(regions.facets(k))), formula])
    several = len(regions[0].intercept) > 1
    of = "" if len(regions) <= _MEASURED else f" of the first {_MEASURED:,}"
    report.heading(f"The {len(rows)} largest{of}")
    report.table(["region", "volume", "facets", "output 0 there" if several else "f there"], rows)


def _map(slope: np.ndarray, intercept: np.ndarray, name: str) -> str:
    """The first output as a formula, or the size of its slope."""
    if slope.shape[1] > _SHOWN:
        return f"{intercept[0]:+.4g}, |slope| = {np.linalg.norm(slope[0]):.4g}"
    return " ".join([f"{intercept[0]:.4g}", *(f"{a:+.4g}·{name}{k}" for k, a in enumerate(slope[0], 1))])


def _describe_decision(report: Report, decided: DecisionRegions) -> None:
    components, facets = decided.components(), decided.boundary.number_of_edges()
    report.data["decision"] = {
        "classes": [{"class": c, "components": n} for c, n in components.items()], "facets": facets
    }  # fmt: skip
    report.heading("Decision regions: where which output is the largest")
    report.table(["output", "open pieces"], [[str(c), str(n)] for c, n in components.items()])
    report.line(f"the boundary has {facets:,} facets")


def _pictures(
    regions: Regions, decided: DecisionRegions | None, where: Where, folder: Path, stem: str
) -> Iterator[Path]:
    box = where.box if where.through is None else where.box or _MARGIN
    window = None if box is None or not np.isfinite(box).all() else (box, box)
    yield save_axes(regions.plot(window=window), folder / f"{stem}-regions.png")
    if decided is not None:
        yield save_axes(decided.plot(window=window), folder / f"{stem}-decision.png")
