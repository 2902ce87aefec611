"""All curves of critical points over a range of temperatures, with their folds and pitchforks."""

from dataclasses import dataclass

import networkx as nx
import numpy as np

from hjsym.bifurcation.continuation import Branch, Tracer
from hjsym.bifurcation.critical import CriticalPoints, as_region
from hjsym.bifurcation.landscape import EntropyLandscape, as_eps
from hjsym.bifurcation.merging import merge_tree
from hjsym.bifurcation.pictures import draw_diagram
from hjsym.bifurcation.singular import Bifurcation
from hjsym.bifurcation.sweep import sweep
from tropical import Box
from tropical._progress import Progress, reporting
from tropical._tables import HasTable, coordinates
from tropical._workers import Workers
from tropical.errors import DivergenceError, InputError

__all__ = ["BifurcationDiagram", "bifurcation_diagram"]

_ATTEMPTS = 3  # with shorter steps, while curves and levels disagree
_SAME = 1e-6  # of the scale of x: a crossing of a curve and a critical point that are nearer are one


@dataclass(frozen=True, eq=False)
class BifurcationDiagram(HasTable):
    """Curves of critical points over ε, what happens on them, and what was found at some temperatures independently.

    Attributes
    ----------
    landscape : EntropyLandscape
    eps_range : (float, float)
    low, high : (d,) arrays
        The region.
    branches : tuple of Branch
        Each curve once.
    bifurcations : tuple of Bifurcation
        Each once, by falling ε last; see `folds` and `pitchforks`.
    levels : tuple of CriticalPoints
        All critical points at some temperatures, found without the curves.
    missed : tuple of (float, (d,) array)
        Critical points of the levels on no curve.

    Examples
    --------
    >>> pitchfork = bifurcation_diagram(EntropyLandscape.of_atoms([-1.0, 0.0, 1.0]), (0.2, 0.5))
    >>> len(pitchfork.branches), pitchfork.folds, [round(p.eps, 6) for p in pitchfork.pitchforks]
    (2, (), [0.341751])
    >>> pitchfork.at(0.25)[0].ravel().round(3) + 0, pitchfork.count(0.45), pitchfork.confirmed
    (array([-0.427,  0.428,  0.   ]), 1, True)
    >>> pitchfork.merge_tree("maxima").number_of_nodes()
    3
    >>> ax = pitchfork.plot()
    """

    landscape: EntropyLandscape
    eps_range: tuple[float, float]
    low: np.ndarray
    high: np.ndarray
    branches: tuple[Branch, ...]
    bifurcations: tuple[Bifurcation, ...]
    levels: tuple[CriticalPoints, ...]
    missed: tuple[tuple[float, np.ndarray], ...]

    @property
    def folds(self) -> tuple[Bifurcation, ...]:
        """The folds, coldest first."""
        return tuple(b for b in self.bifurcations if b.kind == "fold")

    @property
    def pitchforks(self) -> tuple[Bifurcation, ...]:
        """The pitchforks, coldest first."""
        return tuple(b for b in self.bifurcations if b.kind == "pitchfork")

    def at(self, eps: float) -> tuple[np.ndarray, np.ndarray]:
        """Where the curves cross a temperature: positions (k, d), to the accuracy of a drawing, and indices (k,)."""
        crossings = [branch.at(eps) for branch in self.branches]
        d = len(self.low)
        return (
            np.vstack([x for x, _ in crossings] or [np.empty((0, d))]),
            np.concatenate([i for _, i in crossings] or [np.empty(0, dtype=int)]),
        )

    def count(self, eps: float) -> int:
        """How many critical points the curves have at a temperature; it changes by 2 at each fold and pitchfork."""
        return _count(self.branches, eps)

    @property
    def confirmed(self) -> bool:
        """Whether at each level the degree confirms what was found and the curves have exactly those points."""
        return not self.missed and all(
            level.confirmed and self.count(level.eps) == len(level) for level in self.levels
        )

    def merge_tree(self, of: str = "minima") -> nx.DiGraph:
        """Which basins merge into which as ε grows; see `hjsym.bifurcation.merging`."""
        return merge_tree(self, of)

    def plot(self, ax=None, *, coordinate: int = 0):
        """Draw a coordinate of the critical points against ε, by kind, with the bifurcations; returns the axes."""
        return draw_diagram(self, ax, coordinate)

    def _shape(self) -> tuple[int, int]:
        return len(self.bifurcations), 6 + 2 * len(self.low)

    def _columns(self, first: int | None = None) -> dict[str, np.ndarray]:
        """A row for each bifurcation; the curves have tables of their own."""
        events, d = self.bifurcations[:first], len(self.low)
        x, v = (np.array([getattr(e, n) for e in events], float).reshape(len(events), d) for n in ("x", "v"))
        words = {n: np.array([getattr(e, n) for e in events], dtype=str) for n in ("kind", "opens")}
        numbers = {n: np.array([getattr(e, n) for e in events], float) for n in ("eps", "H_vvv", "H_v_eps")}
        index = np.array([e.index for e in events], dtype=int)
        return {
            "kind": words["kind"], "eps": numbers.pop("eps"), **coordinates("x", x), "index": index,
            "opens": words["opens"], **coordinates("v", v), **numbers,
        }  # fmt: skip

    def _html(self) -> str:
        from hjsym._notebook import bifurcation_html

        return bifurcation_html(self)

    def __repr__(self) -> str:
        cold, hot = self.eps_range
        return (
            f"<BifurcationDiagram: {len(self.branches)} curves, {len(self.folds)} folds, "
            f"{len(self.pitchforks)} pitchforks for eps in [{cold:g}, {hot:g}]>"
        )


def bifurcation_diagram(
    source,
    eps: tuple[float, float],
    domain=None,
    *,
    levels: int = 12,
    max_step: float = 0.1,
    executor: Workers = None,
    progress: Progress = None,
) -> BifurcationDiagram:
    """All curves of critical points of H(π(x; ε)) for ε in a range, with every fold and pitchfork solved.

    Parameters
    ----------
    source, domain
        As for `critical_points`. The region is that of the hottest temperature throughout.
    eps : (float, float)
        The coldest and the hottest temperature, > 0.
    levels : int
        At how many temperatures, spaced geometrically and with both ends, all critical points are found; curves are
        followed from those that lie on none yet. A closed curve between two levels is missed.
    max_step : float
        As for `follow`.
    executor : concurrent.futures.Executor, or a callable that makes one, optional
        Where the levels are searched.
    progress : callable or bool, optional
        Called with the number of levels searched and followed; True draws a bar.

    Examples
    --------
    >>> y = [-2.6, -1.5, -0.4, 0.7, 1.7, 2.7]
    >>> diagram = bifurcation_diagram(EntropyLandscape.of_atoms(y), (0.05, 2.0))
    >>> diagram, diagram.confirmed
    (<BifurcationDiagram: 5 curves, 4 folds, 0 pitchforks for eps in [0.05, 2]>, True)
    >>> [round(f.eps, 9) for f in diagram.folds]
    [0.325518191, 0.388443817, 0.509737215, 0.510158233]
    >>> [diagram.count(eps) for eps in (0.1, 0.35, 0.5, 0.51, 1.0)]
    [9, 7, 5, 3, 1]
    """
    cold, hot = (as_eps(e) for e in eps)
    if not cold < hot or levels < 2:
        raise InputError(
            f"eps is {eps} and levels {levels}; pass (cold, hot) with cold < hot, and two levels or more"
        )
    H, low, high = as_region(source, domain, hot)
    ladder = np.geomspace(cold, hot, levels)
    ladder[[0, -1]] = cold, hot
    with reporting(progress, "temperatures") as report:
        found = sweep(H, ladder, Box(low, high), executor=executor, progress=report)
        for halvings in range(_ATTEMPTS):
            tracer = Tracer(H, low, high, (cold, hot), max_step / 4**halvings)
            branches, missed = _followed(tracer, found, report)
            if not missed and all(len(level) == _count(branches, level.eps) for level in found):
                break
    events = _distinct([e for b in branches for e in b.events], tracer.length)
    return BifurcationDiagram(H, (cold, hot), low, high, tuple(branches), events, found, tuple(missed))


def _followed(tracer: Tracer, levels: tuple[CriticalPoints, ...], report) -> tuple[list[Branch], list]:
    """The curves through all points of the levels."""
    branches: list[Branch] = []
    missed = []
    for done, level in enumerate(levels, start=len(levels) + 1):
        missed += _extend(tracer, branches, level)
        if report is not None:
            report(done)
    return branches, missed


def _count(branches, eps: float) -> int:
    return sum(len(branch.at(eps)[1]) for branch in branches)


def _extend(tracer: Tracer, branches: list[Branch], level: CriticalPoints) -> list:
    """Follow the points of a level that lie on no curve yet; those that cannot be followed."""
    missed = []
    known = [x for branch in branches for x in _crossings(tracer, branch, level.eps)]
    for point in level:
        if any(np.linalg.norm(point.x - x) < _SAME * tracer.length for x in known):
            continue
        try:
            branch = _through(tracer, point.x, level.eps)
        except DivergenceError:
            missed.append((level.eps, point.x))
            continue
        branches.append(branch)
        known += _crossings(tracer, branch, level.eps)
    return missed


def _through(tracer: Tracer, x: np.ndarray, eps: float) -> Branch:
    """The whole curve through a point, from its one end to the other."""
    if eps in tracer.range:
        return tracer.trace(x, eps, 1.0 if eps == tracer.range[0] else -1.0)
    forth = tracer.trace(x, eps, 1.0)
    if forth.end == "closed":
        return forth
    back = tracer.trace(x, eps, -1.0)
    n = len(back.eps)
    return Branch(
        np.append(back.eps[::-1], forth.eps[1:]),
        np.vstack([back.x[::-1], forth.x[1:]]),
        np.append(back.index[::-1], forth.index[1:]),
        back.events[::-1] + forth.events,
        tuple(n - p for p in back.places[::-1]) + tuple(n - 1 + p for p in forth.places),
        forth.end,
    )


def _crossings(tracer: Tracer, branch: Branch, eps: float) -> list[np.ndarray]:
    """The critical points at which a curve crosses a temperature, to the last digits."""
    found = []
    for x in branch.at(eps)[0]:
        try:
            found.append(tracer.refined(x, eps))
        except DivergenceError:
            found.append(x)
    return found


def _distinct(events: list[Bifurcation], length: float) -> tuple[Bifurcation, ...]:
    """Each event once, coldest first."""
    kept: list[Bifurcation] = []
    for event in sorted(events, key=lambda e: e.eps):
        near = [
            e for e in kept
            if abs(e.eps / event.eps - 1) < _SAME and np.linalg.norm(e.x - event.x) < _SAME * length
        ]  # fmt: skip
        if not near:
            kept.append(event)
    return tuple(kept)
