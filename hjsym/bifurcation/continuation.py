"""Curves of critical points over temperature, by pseudo-arclength continuation through folds and branch points.

A curve (x, log ε) of zeros of the natural gradient n is followed by its tangent, the null vector of (Dn, ε∂_εn), and
corrected by Newton's method across it, so that folds are passed like any other point. Events are bracketed by signs: at
a fold the tangent's log ε component and det Dn change sign together, at a branch point one of the two does alone.

Source: H. B. Keller, "Numerical solution of bifurcation and nonlinear eigenvalue problems", 1977.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hjsym.bifurcation.critical import as_region
from hjsym.bifurcation.landscape import EntropyLandscape, as_eps
from hjsym.bifurcation.singular import Bifurcation, branch_point, fold
from tropical._html import card
from tropical._tables import HasTable, coordinates
from tropical.errors import DivergenceError, InputError

__all__ = ["Branch", "Tracer", "follow"]

_STEPS = 4000
_TURN = 0.97  # least cosine between tangents of neighbouring points
_STRAIGHT = 0.99  # least cosine between a tangent and the step taken along it
_SHORTEST = 1e-9
_SUDDEN = 1e-6  # a step so short is believed even if what it passed could not be solved
_CLOSE = 1e-3  # how far, in arclength, a solved event may be from where it was bracketed, at least


@dataclass(frozen=True, eq=False)
class Branch(HasTable):
    """A curve of critical points.

    Attributes
    ----------
    eps : (n,) array
        Temperatures along it, which turn at folds.
    x : (n, d) array
    index : (n,) array
        Morse indices.
    events : tuple of Bifurcation
        What it passed, in order.
    places : tuple of int
        For each event the number of the first point after it.
    end : str
        Why it ended: ``"eps"`` at an end of the range, ``"region"`` at the boundary of the region, ``"closed"``
        where it began, ``"stalled"`` where no step was short enough, ``"long"`` after too many steps.

    Examples
    --------
    >>> from hjsym.bifurcation import EntropyLandscape
    >>> H = EntropyLandscape.of_atoms([-1.0, 0.0, 1.0])
    >>> branch = follow(H, 0.0, 0.1, (0.1, 1.0))
    >>> branch.end, branch.at(0.2)[0].round(6) + 0, [event.kind for event in branch.events]
    ('eps', array([[0.]]), ['pitchfork'])
    >>> [(float(eps[-1].round(3)), index) for eps, x, index in branch.pieces()]     # two parts, joined where it passed
    [(0.342, 0), (1.0, 1)]
    """

    eps: np.ndarray
    x: np.ndarray
    index: np.ndarray
    events: tuple[Bifurcation, ...]
    places: tuple[int, ...]
    end: str

    def _shape(self) -> tuple[int, int]:
        return len(self.eps), 2 + self.x.shape[1]

    def _columns(self, first: int | None = None) -> dict[str, np.ndarray]:
        return {"eps": self.eps[:first], **coordinates("x", self.x[:first]), "index": self.index[:first]}

    def _html(self) -> str:
        title = f"Branch: {len(self.eps):,} points, {len(self.events)} bifurcations, ended by {self.end!r}"
        return card(title, self._first_rows())

    def at(self, eps: float) -> tuple[np.ndarray, np.ndarray]:
        """Where it crosses a temperature: positions (k, d), interpolated in log ε, and Morse indices (k,)."""
        s, x, index = np.log(self.eps / eps), self.x, self.index
        if self.events:
            s = np.insert(s, self.places, [math.log(e.eps / eps) for e in self.events])
            x = np.insert(x, self.places, [e.x for e in self.events], axis=0)
            index = np.insert(index, self.places, index[np.subtract(self.places, 1)])
        k = np.flatnonzero(s[:-1] * s[1:] < 0)
        share = (s[k] / (s[k] - s[k + 1]))[:, None]
        near = np.where(share[:, 0] < 0.5, index[k], index[k + 1])
        met = s == 0
        return np.vstack([x[k] * (1 - share) + x[k + 1] * share, x[met]]), np.append(near, index[met])

    def pieces(self) -> list[tuple[np.ndarray, np.ndarray, int]]:
        """Its parts between events, which are ends of both: temperatures (n,), positions (n, d) and the Morse index."""
        eps, x = self.eps, self.x
        if self.events:
            eps = np.insert(eps, self.places, [e.eps for e in self.events])
            x = np.insert(x, self.places, [e.x for e in self.events], axis=0)
        cuts = [0, *(p + k for k, p in enumerate(self.places)), len(eps) - 1]
        return [
            (eps[a : b + 1], x[a : b + 1], int(self.index[min(first, len(self.index) - 1)]))
            for a, b, first in zip(cuts, cuts[1:], [0, *self.places], strict=False)
        ]


@dataclass(frozen=True, eq=False)
class _State:
    """A point of a curve, u = (x/length, log ε), its tangent, and the sign of det Dn."""

    u: np.ndarray
    tangent: np.ndarray
    sign: float
    index: int


def follow(
    source, x: ArrayLike, eps: float, eps_range: tuple[float, float], domain=None, *, towards: str = "hot",
    max_step: float = 0.1,
) -> Branch:  # fmt: skip
    """Follow the critical point at (x, ε) to an end of a range of temperatures or of the region.

    Parameters
    ----------
    source, domain
        As for `critical_points`.
    x : (d,) array or float
        A critical point at `eps`, which Newton's method first refines.
    eps : float
        Within the range.
    eps_range : (float, float)
        The coldest and the hottest temperature.
    towards : {"hot", "cold"}
        Which way to set out.
    max_step : float
        The longest step, in units of the tie points' middle half for x and of log ε.

    Examples
    --------
    >>> from hjsym.bifurcation import EntropyLandscape
    >>> H = EntropyLandscape.of_atoms([-2.6, -1.5, -0.4, 0.7, 1.7, 2.7])
    >>> branch = follow(H, 2.2, 0.1, (0.1, 2.0))                   # a maximum between the last two atoms
    >>> [(e.kind, round(e.eps, 12)) for e in branch.events], branch.end, round(float(branch.x[-1, 0]), 4)
    ([('fold', 0.325518191049)], 'eps', 1.7)
    """
    cold, hot = (as_eps(e) for e in eps_range)
    if not cold <= as_eps(eps) <= hot or cold == hot:
        raise InputError(f"eps is {eps} and the range {eps_range}; pass a range (cold, hot) that contains it")
    if towards not in ("hot", "cold"):
        raise InputError(f"towards is {towards!r}; pass 'hot' or 'cold'")
    H, low, high = as_region(source, domain, hot)
    tracer = Tracer(H, low, high, (cold, hot), max_step)
    return tracer.trace(np.atleast_1d(np.asarray(x, float)), eps, 1.0 if towards == "hot" else -1.0)


class Tracer:
    """Follows curves of one landscape in one region and range."""

    def __init__(self, H: EntropyLandscape, low, high, eps_range: tuple[float, float], max_step: float = 0.1):
        self.H, self.low, self.high = H, low, high
        self.range = eps_range
        self.ends = math.log(eps_range[0]), math.log(eps_range[1])
        self.length = H.length(math.sqrt(eps_range[0] * eps_range[1]))
        self.max_step = max_step

    # ---- the system -----------------------------------------------------------------------------

    def _system(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """n/length and its derivative in u = (x/length, log ε)."""
        eps = math.exp(u[-1])
        n = self.H.natural_gradient(self.length * u[None, :-1], eps)
        J = np.column_stack([n.jacobian[0], eps * n.eps_derivative[0] / self.length])
        return n.value[0] / self.length, J

    def _correct(self, u: np.ndarray, tangent: np.ndarray) -> tuple[np.ndarray, int] | None:
        """The zero of the system near u across the tangent, and the steps that Newton's method took."""
        start, last = u, np.inf
        for k in range(8):
            values, J = self._system(u)
            step = _solve(np.vstack([J, tangent]), np.append(values, tangent @ (u - start)))
            if step is None:
                return None
            u, size = u - step, np.abs(step).max()
            if not np.isfinite(size) or size > 0.5:
                return None
            if size < 1e-11 or (size < 1e-8 and size >= last):
                return u, k
            last = size
        return None

    def _state(self, u: np.ndarray, along: np.ndarray) -> _State:
        J = self._system(u)[1]
        tangent = np.linalg.svd(J / np.linalg.norm(J, axis=1, keepdims=True))[2][-1]
        tangent = tangent if tangent @ along >= 0 else -tangent
        eigenvalues = np.linalg.eigvals(J[:, :-1]).real
        return _State(u, tangent, float(np.sign(np.linalg.det(J[:, :-1]))), int((eigenvalues < 0).sum()))

    def refined(self, x: np.ndarray, eps: float) -> np.ndarray:
        """The critical point at eps near x."""
        u = np.append(x / self.length, math.log(eps))
        fixed = np.append(np.zeros(len(x)), 1.0)
        found = self._correct(u, fixed)
        if found is None:
            raise DivergenceError(f"Newton's method found no critical point near x = {x} at eps = {eps}")
        return self.length * found[0][:-1]

    # ---- following ------------------------------------------------------------------------------

    def trace(self, x: np.ndarray, eps: float, direction: float) -> Branch:
        """The curve through (x, ε), towards hot for direction > 0."""
        u = np.append(self.refined(x, eps) / self.length, math.log(eps))
        along = np.append(np.zeros(len(x)), direction)
        state = self._state(u, along)
        states, events, places, step, end = [state], [], [], self.max_step / 8, "long"
        travelled = 0.0
        for _ in range(_STEPS):
            following = self._step(state, step)
            if following is None:
                step /= 2
                if step < _SHORTEST:
                    end = "stalled"
                    break
                continue
            before, (state, work, event) = state, following
            ended = self._ended(before, state)
            if ended is not None:
                end, last = ended
                states += [last] if last is not None else []
                break
            if event is not None:
                events.append(event)
                places.append(len(states))
            states.append(state)
            travelled += float(np.linalg.norm(state.u - before.u))
            if travelled > 4 * step and _passed(before.u, state.u, states[0].u, states[0].tangent):
                end = "closed"
                break
            step = min(self.max_step, step * (1.6 if work <= 2 else 1.0 if work <= 4 else 0.6))
        us, index = np.array([s.u for s in states]), np.array([s.index for s in states])
        temperatures = np.exp(us[:, -1])
        for number, value in ((math.log(eps), eps), *zip(self.ends, self.range, strict=True)):
            temperatures[us[:, -1] == number] = value  # which a logarithm and back would round
        return Branch(temperatures, self.length * us[:, :-1], index, tuple(events), tuple(places), end)

    def _step(self, state: _State, step: float) -> tuple[_State, int, Bifurcation | None] | None:
        """The next point, the work it took and what lies between; None if it may be on another curve: where it is off
        the tangent, or the index changes and no fold or branch point is there to explain it."""
        found = self._correct(state.u + step * state.tangent, state.tangent)
        if found is None:
            return None
        following = self._state(found[0], state.tangent)
        moved = found[0] - state.u
        straight = moved @ state.tangent >= _STRAIGHT * np.linalg.norm(moved)
        if not straight or following.tangent @ state.tangent < _TURN:
            return None
        if state.tangent[-1] * following.tangent[-1] > 0 and state.index == following.index:
            return following, found[1], None
        event = self._event(state, following)
        if event is None and step > _SUDDEN:
            return None
        return following, found[1], event

    def _ended(self, before: _State, state: _State) -> tuple[str, _State | None] | None:
        """Whether the range or the region was left in this step, and the last point in the range."""
        x = self.length * state.u[:-1]
        for end in self.ends:
            if (before.u[-1] - end) * (state.u[-1] - end) <= 0 and before.u[-1] != end:
                share = (end - before.u[-1]) / (state.u[-1] - before.u[-1])
                u = before.u + share * (state.u - before.u)
                u[-1] = end
                found = self._correct(u, np.append(np.zeros(len(x)), 1.0))
                return "eps", None if found is None else self._state(found[0], state.tangent)
        if not ((x >= self.low) & (x <= self.high)).all():
            return "region", state
        if not self.ends[0] <= state.u[-1] <= self.ends[1]:
            return "eps", None
        return None

    def _event(self, before: _State, state: _State) -> Bifurcation | None:
        """The fold or branch point between two points of a curve, solved."""
        turned = before.tangent[-1] * state.tangent[-1] < 0
        crossed = before.sign * state.sign < 0
        share = 0.5
        if turned:
            share = before.tangent[-1] / (before.tangent[-1] - state.tangent[-1])
        u = before.u + share * (state.u - before.u)
        x, eps = self.length * u[:-1], math.exp(u[-1])
        direction = state.tangent[:-1] if turned and np.linalg.norm(state.tangent[:-1]) else None
        try:
            event = fold(self.H, x, eps, direction) if turned and crossed else branch_point(self.H, x, eps)
        except DivergenceError:
            return None
        reach = max(_CLOSE, 2 * float(np.linalg.norm(state.u - before.u)))
        away = np.linalg.norm(np.append(event.x / self.length, math.log(event.eps)) - u)
        return event if away <= reach else None


def _solve(matrix: np.ndarray, right: np.ndarray) -> np.ndarray | None:
    try:
        return np.linalg.solve(matrix, right)
    except np.linalg.LinAlgError:
        return None


def _passed(before: np.ndarray, after: np.ndarray, place: np.ndarray, normal: np.ndarray) -> bool:
    """Whether the segment crosses the plane through a place near it, in the direction of the normal."""
    a, b = (before - place) @ normal, (after - place) @ normal
    if not a < 0 <= b:
        return False
    crossing = before + (after - before) * (a / (a - b))
    return bool(np.linalg.norm(crossing - place) < 0.1 * np.linalg.norm(after - before))
