"""Chains (hidden Markov models) over a semiring: forward and backward messages, marginals, best paths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tropical import _core
from tropical._arrays import EXACT, as_array, as_output, common_dtype, convert, frozen, is_exact
from tropical._display import summary
from tropical._square import need_tropical
from tropical._threads import run_in_slices
from tropical.errors import InputError, ShapeError
from tropical.matrix import EPS_RANGE, matmul
from tropical.semiring import MAX_PLUS, Semiring

__all__ = ["ChainMarginals", "backward", "forward", "forward_backward", "viterbi"]

_SHARE = 16  # slices are of 64 items; 16 items to a chain make them of 4 chains


def forward(
    initial: ArrayLike,
    transition: ArrayLike,
    emissions: ArrayLike,
    semiring: Semiring = MAX_PLUS,
    *,
    last: bool = False,
    out: np.ndarray | None = None,
    n_threads: int | None = None,
) -> np.ndarray:
    """Forward messages α_0 = initial ⊗ e_0, α_t = (α_{t−1} ⊗ A_{t−1}) ⊗ e_t.

    α_t(s) is ⊕ over all paths s_0 … s_t = s of initial(s_0) ⊗ e_0(s_0) ⊗ A_0(s_0, s_1) ⊗ e_1(s_1) ⊗ …: Viterbi's
    scores over max-plus (shortest ones over min-plus), and at ε = 1 logarithms of the forward algorithm's
    probabilities.

    Parameters
    ----------
    initial : (..., S) array
        Weight of each first state.
    transition : (S, S) array, or (T − 1, ..., S, S)
        A_t(i, j) weighs the step from i to j; one for all steps, or one a step. The semiring's zero forbids it.
    emissions : (T, ..., S) array
        e_t(s), T ≥ 1. Leading axes of the three, but for the time, broadcast.
    semiring : Semiring
    last : bool
        Only α_{T−1}.
    out : array, optional
        Where the messages go: of their shape and dtype.
    n_threads : int, optional
        Threads, all that help by default, over the chains of a batch; no result depends on it.

    Returns
    -------
    (T, ..., S) array, or (..., S)
        float32, float64 or exact, as the operands are.

    Raises
    ------
    ShapeError
        Shapes that do not fit; no step.
    InputError
        Fractions at ε > 0.

    Notes
    -----
    T S² sums and maxima, or multiply-adds, a chain; chains that share A are done together. ε = 0: two roundings a
    step, the same bits on every instruction set. ε > 0: messages are scaled by the largest at each step, and where
    terms that underflow could have mattered they are summed anew, so no length or range is too large; each step
    adds an error as that of `matmul`. |α_ε − α_0| ≤ t ε log S. NaN propagates, and the zero absorbs.

    References
    ----------
    L. R. Rabiner, "A tutorial on hidden Markov models", Proc. IEEE 77 (1989).

    Examples
    --------
    >>> from tropical import Semiring
    >>> p = np.log([0.6, 0.4]), np.log([[0.7, 0.3], [0.4, 0.6]]), np.log([[0.5, 0.1], [0.4, 0.3], [0.1, 0.6]])
    >>> alpha = forward(*p, Semiring(eps=1.0))
    >>> np.exp(alpha[-1]).sum().round(6)      # the probability of the observations
    np.float64(0.03628)
    """
    c = _as_chain(initial, transition, emissions, semiring)
    shape = c.shape[1:] if last else c.shape
    result = as_output(out, shape, c.dtype, *c.given)
    messages = None if last else _room(result, c)
    state, _ = _forward(c, messages, n_threads)
    if last:
        result[...] = state.reshape(shape)
    elif not np.may_share_memory(messages, result):
        result[...] = messages.reshape(shape)
    return result


def backward(
    transition: ArrayLike,
    emissions: ArrayLike,
    final: ArrayLike | None = None,
    semiring: Semiring = MAX_PLUS,
    *,
    out: np.ndarray | None = None,
    n_threads: int | None = None,
) -> np.ndarray:
    """Backward messages β_{T−1} = final, β_t = A_t ⊗ (e_{t+1} ⊗ β_{t+1}).

    β_t(s) is ⊕ over all ways to go on from state s after step t, so that ⊕_s α_t(s) ⊗ β_t(s) is the same at all t.

    Parameters
    ----------
    transition, emissions, semiring, out, n_threads
        As for `forward`.
    final : (..., S) array, optional
        Weight of each last state; 0 by default.

    Returns
    -------
    (T, ..., S) array

    Raises
    ------
    ShapeError, InputError
        As `forward`.

    Examples
    --------
    >>> backward([[0, 1], [2, 0]], [[0, 0], [5, 0], [0, 3]])
    array([[ 9., 11.],
           [ 4.,  3.],
           [ 0.,  0.]])
    """
    emissions = as_array("emissions", emissions)
    final = np.zeros(emissions.shape[-1:], emissions.dtype) if final is None else final
    if is_exact(emissions):
        final = convert(np.asarray(final), EXACT)
    c = _as_chain(final, transition, emissions, semiring, "final")
    result = as_output(out, c.shape, c.dtype, *c.given)
    messages = _room(result, c)
    _backward(c, messages, n_threads)
    if not np.may_share_memory(messages, result):
        result[...] = messages.reshape(c.shape)
    return result


@dataclass(frozen=True)
class ChainMarginals:
    """What all paths of a chain say of each state.

    Attributes
    ----------
    total : (...) array
        ⊕ over all paths: the score of the best one at ε = 0, the log-partition function at ε > 0.
    through : (T, ..., S) array
        α_t ⊗ β_t, ⊕ over the paths through state s at step t: max-marginals at ε = 0.
    semiring : Semiring

    Examples
    --------
    >>> from tropical import Semiring
    >>> found = forward_backward([0, 0], [[0, 1], [2, 0]], [[0, 0], [5, 0], [0, 3]])
    >>> found.total, found.through.tolist()         # the best path, and the best through each state
    (np.float64(11.0), [[9.0, 11.0], [11.0, 4.0], [7.0, 11.0]])
    >>> soft = forward_backward([0, 0], [[0, 1], [2, 0]], [[0, 0], [5, 0], [0, 3]], Semiring(eps=1.0))
    >>> soft.weights().sum(axis=1).round(12)
    array([1., 1., 1.])
    """

    total: np.ndarray
    through: np.ndarray
    semiring: Semiring

    __repr__ = summary

    def weights(self) -> np.ndarray:
        """Posterior weights of states, (T, ..., S), at ε > 0: e^{(through − total)/ε}, Gibbs weights, which sum to 1 at
        each step; 0 where there is no path."""
        s = self.semiring
        if s.is_tropical:
            raise InputError(
                "weights needs eps > 0, got 0; `through` has the max-marginals, `viterbi` a best path"
            )
        upright = s.sign * self.through
        top = upright.max(axis=-1, keepdims=True)
        with np.errstate(all="ignore"):  # no path; eps that rounds to 0
            powers = np.exp((upright - np.where(top > -np.inf, top, 0)) / upright.dtype.type(s.eps))
            total = powers.sum(axis=-1, keepdims=True)
            return np.where(total == 0, 0, powers / total)


def forward_backward(
    initial: ArrayLike,
    transition: ArrayLike,
    emissions: ArrayLike,
    semiring: Semiring = MAX_PLUS,
    *,
    final: ArrayLike | None = None,
    n_threads: int | None = None,
) -> ChainMarginals:
    """Marginals of states, from messages in both directions; parameters as for `forward` and `backward`.

    Parameters
    ----------
    initial, transition, emissions, semiring, n_threads
        As for `forward`.
    final : (..., S) array, optional
        As for `backward`.

    Returns
    -------
    ChainMarginals

    Examples
    --------
    >>> from tropical import Semiring
    >>> p = np.log([0.6, 0.4]), np.log([[0.7, 0.3], [0.4, 0.6]]), np.log([[0.5, 0.1], [0.4, 0.3], [0.1, 0.6]])
    >>> m = forward_backward(*p, Semiring(eps=1.0))
    >>> m.weights().round(4)
    array([[0.8765, 0.1235],
           [0.6229, 0.3771],
           [0.2121, 0.7879]])
    >>> np.exp(m.total).round(6)
    np.float64(0.03628)
    """
    alpha = forward(initial, transition, emissions, semiring, n_threads=n_threads)
    beta = backward(transition, emissions, final, semiring, n_threads=n_threads)
    through = np.asarray(semiring.mul(alpha, beta))
    return ChainMarginals(np.asarray(semiring.sum(through[-1]))[()], frozen(through), semiring)


def viterbi(
    initial: ArrayLike,
    transition: ArrayLike,
    emissions: ArrayLike,
    semiring: Semiring = MAX_PLUS,
    *,
    n_threads: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """A best path through each chain, and its score; parameters as for `forward`.

    Parameters
    ----------
    initial, transition, emissions, semiring, n_threads
        As for `forward`; ε = 0.
    final : (..., S) array, optional
        As for `backward`.

    Returns
    -------
    path : (T, ...) array of integers
        A state for each step, −1 at all of them where no path exists or NaN spoils it. Of several best last states
        the smallest, and so on backwards.
    score : (...) array
        The weight of that path, summed from its first step on; the zero where there is none.

    Raises
    ------
    InputError
        ε > 0: all paths count, and `forward_backward` gives the weights of states.

    Notes
    -----
    The messages are kept, T S numbers a chain; the states before the last are found from them, T S more sums.

    References
    ----------
    G. D. Forney, "The Viterbi algorithm", Proc. IEEE 61 (1973).

    Examples
    --------
    >>> path, score = viterbi([0, 0], [[0, 1], [2, 0]], [[0, 0], [5, 0], [0, 3]])
    >>> path, score
    (array([1, 0, 1]), np.float64(11.0))
    """
    need_tropical("a best path", semiring, "`forward_backward` gives the weights of states")
    c = _as_chain(initial, transition, emissions, semiring)
    messages = np.empty((c.steps, c.batch, c.states), c.dtype)
    state, is_plain = _forward(c, messages, n_threads)
    path = np.full((c.steps, c.batch), -1, np.int64)
    score = np.asarray(semiring.sum(state)).reshape(c.batch)
    if c.states:
        best = np.argmax(state, axis=1) if semiring.sign > 0 else np.argmin(state, axis=1)
        path[-1] = np.where((score == semiring.zero) | (score != score), -1, best)
        (_backtrack if is_plain else _backtrack_by_products)(c, messages, path)
    return path.reshape(c.shape[:-1]), score.reshape(c.shape[1:-1])[()]


# ---- arrays --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Chain:
    """Arrays of one dtype, broadcast: ends (batch, S), transitions (T − 1, batch, S, S), emissions (T, batch, S)."""

    end: np.ndarray
    transitions: np.ndarray
    emissions: np.ndarray
    semiring: Semiring
    shape: tuple[int, ...]  # of the messages
    is_fixed: bool
    is_shared: bool  # by several chains, though not by all steps
    given: tuple[np.ndarray, ...]

    @property
    def dtype(self) -> np.dtype:
        return self.emissions.dtype

    @property
    def steps(self) -> int:
        return self.emissions.shape[0]

    @property
    def batch(self) -> int:
        return self.emissions.shape[1]

    @property
    def states(self) -> int:
        return self.emissions.shape[2]


def _as_chain(
    end: ArrayLike, transition: ArrayLike, emissions: ArrayLike, semiring: Semiring, name="initial"
):
    end, transition = as_array(name, end), as_array("transition", transition)
    emissions = as_array("emissions", emissions)
    dtype = common_dtype(end.dtype, transition.dtype, emissions.dtype)
    if dtype == EXACT and not semiring.is_tropical:
        raise InputError(
            f"exact weights at eps = {semiring.eps:g}: log-sum-exp is transcendental; pass floats"
        )
    if emissions.ndim < 2 or not len(emissions):
        raise ShapeError(f"emissions has shape {emissions.shape}; pass (T, ..., S) with T >= 1 steps")
    (steps, *_, states), is_fixed = emissions.shape, transition.ndim == 2
    times = () if is_fixed else (steps - 1,)
    if transition.shape[-2:] != (states, states) or transition.shape[: len(times)] != times:
        raise ShapeError(
            f"transition has shape {transition.shape} but emissions {emissions.shape}; "
            f"pass ({states}, {states}) or ({steps - 1}, ..., {states}, {states})"
        )
    if end.ndim == 0 or end.shape[-1] != states:
        raise ShapeError(f"{name} has shape {end.shape}; pass (..., {states})")
    own = transition.shape[1:-2]
    try:
        lead = np.broadcast_shapes(end.shape[:-1], own, emissions.shape[1:-1])
    except ValueError:
        raise ShapeError(
            f"{name} has shape {end.shape}, transition {transition.shape} and emissions {emissions.shape}; "
            "their leading axes, but for the time, do not broadcast"
        ) from None
    given = end, transition, emissions = (convert(a, dtype) for a in (end, transition, emissions))
    given, batch = (end, transition, emissions), int(np.prod(lead, dtype=np.int64))
    end = np.broadcast_to(end, (*lead, states)).reshape(batch, states)
    # One leading axis stays as it is; several may have to be copied to make one.
    emissions = emissions.reshape(steps, *(1,) * (len(lead) + 2 - emissions.ndim), *emissions.shape[1:])
    emissions = np.broadcast_to(emissions, (steps, *lead, states)).reshape(steps, batch, states)
    is_shared = not any(n > 1 for n in own)
    if is_fixed or is_shared:
        transition = transition.reshape(1 if is_fixed else steps - 1, 1, states, states)
        transition = np.broadcast_to(transition, (steps - 1, batch, states, states))
    else:
        transition = transition.reshape(steps - 1, *(1,) * (len(lead) - len(own)), *transition.shape[1:])
        transition = np.broadcast_to(transition, (steps - 1, *lead, states, states))
        transition = transition.reshape(steps - 1, batch, states, states)
    return _Chain(
        end, transition, emissions, semiring, (steps, *lead, states), is_fixed, is_shared and batch > 1, given
    )


def _room(result: np.ndarray, c: _Chain) -> np.ndarray:
    """Messages of shape (T, batch, S): a view of the result, or an array of their own."""
    shape = c.steps, c.batch, c.states
    return result.reshape(shape) if result.flags.c_contiguous else np.empty(shape, c.dtype)


# ---- messages ------------------------------------------------------------------------------------------------


def _forward(c: _Chain, messages: np.ndarray | None, n_threads: int | None) -> tuple[np.ndarray, bool]:
    """Fill messages; the last of them, and whether the kernel could make them."""
    start = np.asarray(c.semiring.mul(c.end, c.emissions[0])).reshape(c.batch, c.states)
    rest = None
    if messages is not None:
        messages[0], rest = start, messages[1:]
    return _scan(c, start, c.transitions, c.emissions[1:], rest, False, n_threads)


def _backward(c: _Chain, messages: np.ndarray, n_threads: int | None) -> None:
    start = np.asarray(c.semiring.mul(c.end, c.emissions[-1])).reshape(c.batch, c.states)
    messages[-1] = c.end
    transitions = c.transitions[::-1].swapaxes(2, 3)
    if c.is_fixed and c.steps > 1 and c.batch:
        transitions = np.broadcast_to(np.ascontiguousarray(transitions[0, 0]), transitions.shape)
    _scan(c, start, transitions, c.emissions[:-1][::-1], messages[:-1][::-1], True, n_threads)


def _scan(
    c: _Chain, start, transitions, emissions, messages, bare: bool, n_threads
) -> tuple[np.ndarray, bool]:
    """x_t = (x_{t−1} ⊗ A_t) ⊗ e_t from x = start on; `bare` messages are without e_t."""
    sign, eps = c.semiring.sign, c.semiring.eps
    if not len(transitions) or not start.size:
        return start, False
    given = transitions[0, 0] if c.is_fixed else transitions[:, 0] if c.is_shared else transitions
    if _has_kernel(c) and _is_plain(start, sign) and _is_plain(given, sign):
        state, unusable = np.array(start, order="C"), []

        def some(part: slice) -> None:
            here = slice(part.start // _SHARE, part.stop // _SHARE)
            unusable.append(
                _core.chain(
                    state[here], transitions[:, here], emissions[:, here],
                    None if messages is None else messages[:, here], sign, eps, bare, c.is_fixed, c.is_shared,
                )
            )  # fmt: skip

        cost = len(transitions) * c.states * (c.states + 40 * (eps > 0)) // _SHARE
        run_in_slices(some, c.batch * _SHARE, cost, n_threads)
        if not any(unusable):
            return state, True
    state = start
    for t in range(len(transitions)):
        passed = matmul(state[:, None], transitions[t], c.semiring, n_threads=n_threads)[:, 0]
        state = np.asarray(c.semiring.mul(passed, emissions[t])).reshape(start.shape)
        if messages is not None:
            messages[t] = passed if bare else state
    return state, False


def _has_kernel(c: _Chain) -> bool:
    if is_exact(c.emissions):
        return False
    least, most = EPS_RANGE[c.dtype]
    return c.semiring.is_tropical or least < c.semiring.eps < most


def _is_plain(a: np.ndarray, sign: int) -> bool:
    """Without NaN and without the infinity that is not the zero."""
    return bool(sign * (a.max() if sign > 0 else a.min()) < np.inf)  # NaN wins both


# ---- best paths ----------------------------------------------------------------------------------------------


def _backtrack(c: _Chain, messages: np.ndarray, path: np.ndarray) -> None:
    _core.backtrack(messages, c.transitions, path, c.semiring.sign)


def _backtrack_by_products(c: _Chain, messages: np.ndarray, path: np.ndarray) -> None:
    for t in range(c.steps - 2, -1, -1):
        after = path[t + 1]
        column = np.take_along_axis(c.transitions[t], after[:, None, None], axis=2)[..., 0]
        terms = c.semiring.mul(messages[t], column)
        best = np.argmax(terms, axis=1) if c.semiring.sign > 0 else np.argmin(terms, axis=1)
        path[t] = np.where(after < 0, -1, best)
