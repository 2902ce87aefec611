"""Messages, marginals and best paths of chains, against all paths one by one, products of matrices and mpmath."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy import inf, nan

from tropical import (
    MAX_PLUS,
    MIN_PLUS,
    InputError,
    Semiring,
    ShapeError,
    backward,
    forward,
    forward_backward,
    matmul,
    viterbi,
)

TROPICAL = [MAX_PLUS, MIN_PLUS]
ALL = [*TROPICAL, Semiring(eps=0.5), Semiring(-1, 3.0)]


def random_chain(steps, batch, states, dtype=np.float64, sign=1, seed=0, per_step=False, forbidden=0.2):
    """Multiples of 1/8, so that max-plus sums are exact and ties occur."""
    rng = np.random.default_rng(seed)
    time = (steps - 1,) if per_step else ()
    shapes = (*batch, states), (*time, states, states), (steps, *batch, states)
    arrays = [rng.integers(-16, 16, size=shape) / 8 for shape in shapes]
    arrays[1][rng.random(arrays[1].shape) < forbidden] = -inf
    return [(sign * a).astype(dtype) for a in arrays]


def all_paths(initial, transition, emissions):
    """Weights of all S^T paths of one chain, as an array of T axes."""
    steps, states = emissions.shape
    weights = np.empty((states,) * steps, initial.dtype)
    for path in product(range(states), repeat=steps):
        weight = initial[path[0]] + emissions[0, path[0]]
        for t in range(1, steps):
            A = transition if transition.ndim == 2 else transition[t - 1]
            weight = weight + A[path[t - 1], path[t]] + emissions[t, path[t]]
        weights[path] = weight
    return weights


@given(st.integers(0, 10_000), st.sampled_from(ALL), st.booleans())
def test_against_all_paths(seed, semiring, per_step):
    rng = np.random.default_rng(seed)
    steps, states = int(rng.integers(1, 5)), int(rng.integers(1, 4))
    chain = random_chain(steps, (), states, sign=semiring.sign, seed=seed, per_step=per_step, forbidden=0.4)
    weights = all_paths(*chain)
    close = {"rtol": 1e-13, "atol": 1e-13} if semiring.eps else {"rtol": 0}
    total = semiring.sum(weights.ravel())
    marginals = forward_backward(*chain, semiring)
    np.testing.assert_allclose(semiring.sum(forward(*chain, semiring, last=True)), total, **close)
    np.testing.assert_allclose(marginals.total, total, **close)
    for t, s in np.ndindex(steps, states):
        some = np.moveaxis(weights, t, 0)[s].ravel()
        np.testing.assert_allclose(marginals.through[t, s], semiring.sum(some), **close)
    if semiring.eps:
        powers = np.exp(semiring.sign * weights / semiring.eps)
        scale = powers.sum() or 1.0
        got = marginals.weights()
        for t, s in np.ndindex(steps, states):
            assert got[t, s] == pytest.approx(
                np.moveaxis(powers, t, 0)[s].sum() / scale, rel=1e-12, abs=1e-15
            )
        return
    path, score = viterbi(*chain, semiring)
    assert score == total
    if total == semiring.zero:
        assert (path == -1).all()
        return
    # of all best paths, the least when read from its end
    best = min(tuple(p[::-1]) for p in np.argwhere(weights == total).tolist())
    assert path[::-1].tolist() == list(best)


@pytest.mark.parametrize("semiring", ALL, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("per_step", [False, True])
@pytest.mark.parametrize(("batch", "states"), [((), 1), ((), 7), ((5,), 16), ((3,), 37), ((2, 3), 66)])
def test_forward_is_the_scan_of_its_definition(batch, states, per_step, dtype, semiring, reference):
    initial, transition, emissions = random_chain(6, batch, states, dtype, semiring.sign, 3, per_step)
    tolerance = 30 * np.finfo(dtype).eps if semiring.eps else 0
    for name in reference.INSTRUCTION_SETS:
        with reference.instruction_set(name):
            got = forward(initial, transition, emissions, semiring)
            last = forward(initial, transition, emissions, semiring, last=True)
        assert got.dtype == dtype
        np.testing.assert_array_equal(got[-1], last)
        for at in np.ndindex(*batch):
            transitions = list(transition) if per_step else [transition] * 5
            chain = emissions[(slice(None), *at)]
            want = reference.scan(initial[at], transitions, list(chain), semiring)
            np.testing.assert_allclose(got[(slice(None), *at)], want, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("semiring", ALL, ids=str)
@pytest.mark.parametrize("per_step", [False, True])
def test_any_step_joins_forward_and_backward(per_step, semiring):
    """⊕_s α_t(s) ⊗ β_t(s) is the same at all t, and a chain is a product of matrices."""
    initial, transition, emissions = random_chain(9, (4,), 11, sign=semiring.sign, seed=2, per_step=per_step)
    final = random_chain(1, (4,), 11, sign=semiring.sign, seed=8)[0]
    alpha = forward(initial, transition, emissions, semiring)
    beta = backward(transition, emissions, final, semiring)
    totals = semiring.sum(semiring.mul(alpha, beta))
    close = {"rtol": 1e-13, "atol": 1e-13} if semiring.eps else {"rtol": 0}
    np.testing.assert_allclose(totals, np.broadcast_to(totals[:1], totals.shape), **close)
    for chain in range(4):
        row = semiring.mul(initial[chain], emissions[0, chain])
        for t in range(1, 9):
            A = transition[t - 1] if per_step else transition
            row = matmul(row, semiring.mul(A, emissions[t, chain]), semiring)
        np.testing.assert_allclose(matmul(row, final[chain], semiring), totals[0, chain], **close)
    marginals = forward_backward(initial, transition, emissions, semiring, final=final)
    np.testing.assert_allclose(marginals.total, totals[-1], **close)


@given(st.integers(0, 500), st.sampled_from([1, -1]))
def test_small_temperatures_tend_to_the_best_path(seed, sign):
    """0 ≤ ± (α_ε − α_0) ≤ t ε log S."""
    chain = random_chain(12, (), 5, sign=sign, seed=seed)
    hard = sign * forward(*chain, Semiring(sign))
    for eps in (1.0, 1e-2, 1e-5):
        soft = sign * forward(*chain, Semiring(sign, eps))
        np.testing.assert_array_equal(np.isinf(soft), np.isinf(hard))
        gap = np.where(np.isfinite(hard), soft - np.where(np.isfinite(hard), hard, 0), 0)
        assert gap.min() >= -1e-12
        assert (gap <= np.arange(12)[:, None] * eps * np.log(5) + 1e-12).all()


@pytest.mark.parametrize("per_step", [False, True])
@pytest.mark.parametrize("batch", [(), (3,)])
def test_ranges_that_underflow(batch, per_step, reference):
    """Messages whose exponentials are e^±10000 of one another, against 60 digits."""
    rng = np.random.default_rng(1)
    time = (5,) if per_step else ()
    initial, emissions = rng.normal(size=(*batch, 4)), 3000 * rng.normal(size=(6, *batch, 4))
    transition = 3000 * rng.normal(size=(*time, 4, 4))
    semiring = Semiring(eps=1.0)
    for name in reference.INSTRUCTION_SETS:
        with reference.instruction_set(name):
            got = forward(initial, transition, emissions, semiring)
        for at in np.ndindex(*batch):
            chain = emissions[(slice(None), *at)]
            state = [reference.MP.mpf(float(v)) for v in initial[at] + chain[0]]
            for t in range(1, 6):
                A = transition[t - 1] if per_step else transition
                terms = [[state[i] + reference.MP.mpf(A[i, j]) for i in range(4)] for j in range(4)]
                sums = [
                    reference.MP.log(reference.MP.fsum(map(reference.MP.exp, column))) for column in terms
                ]
                state = [s + reference.MP.mpf(e) for s, e in zip(sums, chain[t], strict=True)]
                assert max(reference.errors(got[(t, *at)], state)) <= 1e-11


def test_exact_chains():
    third = Fraction(1, 3)
    initial, transition = [third, Fraction(0)], [[third, Fraction(1, 7)], [-inf, third]]
    emissions = np.array([[third, 0], [0, third], [Fraction(2, 7), third]], dtype=object)
    path, score = viterbi(initial, transition, emissions)
    assert score == max(all_paths(np.array(initial), np.array(transition), emissions).ravel())
    assert isinstance(score, Fraction)
    assert path.tolist() == [0, 1, 1]
    beta = backward(transition, emissions)
    assert max(semiring_free(initial, emissions[0], beta[0])) == score


def semiring_free(*rows):
    return [sum(column, Fraction(0)) for column in zip(*rows, strict=True)]


@pytest.mark.parametrize("semiring", ALL, ids=str)
@pytest.mark.parametrize("where", ["initial", "transition", "emissions"])
@pytest.mark.parametrize("bad", ["nan", "infinity"])
@pytest.mark.parametrize("states", [5, 32])  # 32: whole vectors alone, on every instruction set
def test_special_values(states, where, bad, semiring, reference):
    chain = random_chain(5, (3,), states, sign=semiring.sign)
    arrays = dict(zip(("initial", "transition", "emissions"), chain, strict=True))
    arrays[where] = arrays[where].copy()
    arrays[where][(-1,) * arrays[where].ndim] = nan if bad == "nan" else semiring.sign * inf
    got = forward(**arrays, semiring=semiring)
    for chain in range(3):
        emissions = list(arrays["emissions"][:, chain])
        want = reference.scan(arrays["initial"][chain], [arrays["transition"]] * 4, emissions, semiring)
        np.testing.assert_allclose(got[:, chain], want, rtol=1e-13, atol=1e-13)
    if semiring.is_tropical:
        path, score = viterbi(**arrays, semiring=semiring)
        np.testing.assert_array_equal(path[:, np.isnan(score)], -1)


@pytest.mark.parametrize("semiring", [MAX_PLUS, MIN_PLUS], ids=str)
def test_of_equal_paths_the_one_with_the_smallest_states_wins(semiring):
    path, score = viterbi(np.zeros(33), np.zeros((33, 33)), np.zeros((4, 33)), semiring)
    assert score == 0 and not path.any()


@pytest.mark.parametrize("eps", [1e-300, 1e300])
def test_temperatures_out_of_the_range_of_the_kernels(eps, reference):
    initial, transition, emissions = random_chain(4, (), 3)
    want = reference.scan(initial, [transition] * 3, list(emissions), Semiring(eps=eps))
    np.testing.assert_allclose(forward(initial, transition, emissions, Semiring(eps=eps)), want, rtol=1e-14)


@pytest.mark.parametrize("semiring", ALL, ids=str)
@pytest.mark.parametrize("per_step", [False, True])
def test_threads_and_batches_do_not_change_bits(per_step, semiring):
    chain = random_chain(60, (37,), 50, sign=semiring.sign, per_step=per_step)
    want = forward(*chain, semiring, n_threads=1)
    np.testing.assert_array_equal(forward(*chain, semiring, n_threads=3), want)
    np.testing.assert_array_equal(
        backward(*chain[1:], None, semiring, n_threads=3), backward(*chain[1:], None, semiring, n_threads=1)
    )
    if semiring.is_tropical:
        one = viterbi(chain[0][5], chain[1], chain[2][:, 5], semiring)
        path, score = viterbi(*chain, semiring)
        np.testing.assert_array_equal(path[:, 5], one[0])
        assert score[5] == one[1]


@pytest.mark.parametrize("semiring", [MAX_PLUS, Semiring(eps=0.5)], ids=str)
def test_broadcasting_strides_and_out(semiring):
    initial, transition, emissions = random_chain(5, (2, 3), 4, forbidden=0)
    want = forward(initial, transition, emissions, semiring)
    per_chain = np.broadcast_to(transition, (4, 2, 3, 4, 4))
    np.testing.assert_allclose(forward(initial, per_chain, emissions, semiring), want, rtol=1e-13, atol=1e-14)
    np.testing.assert_array_equal(
        forward(initial[0], transition, emissions[:, :1], semiring)[:, 0],
        forward(initial[0], transition, np.broadcast_to(emissions[:, :1], emissions.shape)[:, 0], semiring),
    )
    strided = np.empty((5, 2, 3, 8))[..., ::2]
    assert forward(initial, transition, emissions, semiring, out=strided) is strided
    np.testing.assert_array_equal(strided, want)
    beta = backward(transition, emissions, None, semiring)
    backward(transition, emissions, None, semiring, out=strided)
    np.testing.assert_array_equal(strided, beta)
    for array in (initial, transition, emissions):
        array.flags.writeable = False
    flipped = np.asfortranarray(emissions)
    np.testing.assert_array_equal(forward(initial, np.asfortranarray(transition), flipped, semiring), want)
    assert forward(np.empty(0), np.empty((0, 0)), np.empty((3, 0)), semiring).shape == (3, 0)
    assert forward(np.empty((0, 2)), np.empty((2, 2)), np.empty((3, 0, 2)), semiring).shape == (3, 0, 2)


def test_a_published_model():
    """Healthy or fever, from normal, cold, dizzy: Wikipedia, "Viterbi algorithm", gives 0.01512 and this path."""
    initial, transition = np.log([0.6, 0.4]), np.log([[0.7, 0.3], [0.4, 0.6]])
    emissions = np.log([[0.5, 0.1], [0.4, 0.3], [0.1, 0.6]])
    path, score = viterbi(initial, transition, emissions)
    assert path.tolist() == [0, 0, 1]
    assert np.exp(score) == pytest.approx(0.01512, rel=1e-12)


def test_no_path():
    path, score = viterbi([[0.0, -inf], [-inf, -inf]], [[-inf, 0.0], [-inf, -inf]], np.zeros((2, 2, 2)))
    assert path.tolist() == [[0, -1], [1, -1]]
    assert score.tolist() == [0.0, -inf]
    nowhere = forward_backward([-inf, -inf], np.zeros((2, 2)), np.zeros((3, 2)), Semiring(eps=1.0))
    assert (nowhere.total, nowhere.weights().tolist()) == (-inf, [[0.0, 0.0]] * 3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: forward([0.0], [[0.0]], [0.0]), r"emissions has shape \(1,\)"),
        (lambda: forward([0.0], [[0.0]], np.zeros((0, 1))), "T >= 1"),
        (lambda: forward([0.0, 0.0], [[0.0]], np.zeros((3, 2))), r"pass \(2, 2\) or \(2, ..., 2, 2\)"),
        (lambda: forward([0.0], np.zeros((3, 1, 1)), np.zeros((3, 1))), r"transition has shape \(3, 1, 1\)"),
        (lambda: forward([0.0], np.zeros((2, 2)), np.zeros((3, 2))), r"initial has shape \(1,\)"),
        (lambda: forward(np.zeros((2, 2)), np.zeros((2, 2)), np.zeros((3, 4, 2))), "do not broadcast"),
        (lambda: forward([Fraction(1)], [[0.0]], [[0.0]], Semiring(eps=1.0)), "transcendental"),
        (lambda: viterbi([0.0], [[0.0]], [[0.0]], Semiring(eps=1.0)), "needs eps = 0"),
        (lambda: forward_backward([0.0], [[0.0]], [[0.0]]).weights(), "needs eps > 0"),
        (lambda: forward([0.0], [[0.0]], [[0.0]], out=np.empty(3)), "out is float64"),
    ],
)
def test_refusals(make, message):
    with pytest.raises((InputError, ShapeError), match=message):
        make()
