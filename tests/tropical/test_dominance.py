"""Dominance of affine functions: each answer comes with a certificate, which is checked by plain arithmetic."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tropical import InputError
from tropical._dominance import Combination, Terms, is_dominated

small = st.integers(-3, 3).map(Fraction)
ragged = st.fractions(-2, 2, max_denominator=7)


def exact(rows) -> np.ndarray:
    out = np.array(rows, dtype=object)
    return np.vectorize(Fraction, otypes=[object])(out) if out.size else out


@st.composite
def questions(draw, entries, bounded=False):
    d = draw(st.integers(1, 3))
    n = draw(st.integers(2, 7))
    W = exact(draw(st.lists(st.lists(entries, min_size=d, max_size=d), min_size=n, max_size=n)))
    b = exact(draw(st.lists(entries, min_size=n, max_size=n)))
    if not bounded:
        return W, b, None
    k = draw(st.integers(1, 4))
    G = exact(draw(st.lists(st.lists(entries, min_size=d, max_size=d), min_size=k, max_size=k)))
    inside = exact(draw(st.lists(entries, min_size=d, max_size=d)))
    slack = exact(draw(st.lists(st.sampled_from([0, 0, 1, 2]), min_size=k, max_size=k)))
    return W, b, (G, G @ inside + slack)


def check(W, b, polyhedron, j, others, answer, certificate):
    """Fails unless the certificate proves the answer."""
    G, h = polyhedron if polyhedron is not None else (np.zeros((0, W.shape[1]), object), np.zeros(0, object))
    if not answer:
        assert all(type(v) is Fraction for v in certificate) and len(certificate) == W.shape[1]
        level = W[j] @ certificate + b[j]
        assert all(level > W[i] @ certificate + b[i] for i in others)
        assert all(G @ certificate <= h)
        return
    assert isinstance(certificate, Combination)
    weights, multipliers = certificate.weights, certificate.multipliers
    assert set(weights) <= set(others) and all(v > 0 for v in (*weights.values(), *multipliers.values()))
    assert sum(weights.values()) == 1
    slope = sum((v * W[i] for i, v in weights.items()), 0 * W[0])
    slope = sum((v * G[k] for k, v in multipliers.items()), slope)
    assert slope.tolist() == W[j].tolist()
    bound = sum(v * b[i] for i, v in weights.items()) - sum(v * h[k] for k, v in multipliers.items())
    assert bound >= b[j]


@pytest.mark.parametrize("guess", [True, False], ids=["guided", "exact alone"])
@pytest.mark.parametrize("bounded", [False, True])
@settings(max_examples=30)
@given(data=st.data())
def test_every_answer_is_proved(guess, bounded, data):
    W, b, polyhedron = data.draw(questions(data.draw(st.sampled_from([small, ragged])), bounded))
    terms = Terms(W, b, polyhedron)
    terms.unguided = 0 if guess else 10**9
    for j in range(len(b)):
        others = [i for i in range(len(b)) if i != j]
        check(W, b, polyhedron, j, others, *terms.is_dominated(j, range(len(b))))


def test_a_tie_is_dominated_and_a_hair_above_it_is_not():
    hair = Fraction(1, 10**40)
    W, b = exact([[0], [1], [2]]), exact([0, 0, 0])
    assert is_dominated(W, b, 1, [0, 2])[0]
    for lift in (hair, -hair):
        b[1] = lift
        answer, certificate = is_dominated(W, b, 1, [0, 2])
        assert answer == (lift < 0)
        check(W, b, None, 1, [0, 2], answer, certificate)


def test_numbers_beyond_the_floats():
    huge = Fraction(10) ** 400
    W, b = (
        exact([[0, 0], [huge, 0], [2 * huge, 0], [0, 1], [huge, 0]]),
        exact([0, 1, 0, huge, Fraction(1, 2)]),
    )
    for j in range(5):
        answer, certificate = is_dominated(W, b, j, range(5))
        check(W, b, None, j, [i for i in range(5) if i != j], answer, certificate)
        assert answer == (j == 4)


@example(seed=0)
@settings(max_examples=4)
@given(seed=st.integers(0, 2**20))
def test_floats_on_a_parabola_are_all_needed_and_their_midpoints_never(seed):
    x = exact(np.unique(np.random.default_rng(seed).normal(size=12)).tolist())
    on, between = [(v, -v * v) for v in x], []
    for (u, c), (v, d) in itertools.pairwise(on):
        between.append(((u + v) / 2, (c + d) / 2))
    W, b = exact(on + between).T
    terms = Terms(W[:, None], b)
    answers = [terms.is_dominated(j, range(len(b)))[0] for j in range(len(b))]
    assert answers == [False] * len(on) + [True] * len(between)


def test_polyhedra_flat_unbounded_and_empty():
    W, b = exact([[1, 0], [0, 1], [0, 0]]), exact([0, 0, 1])
    wedge = exact([[1, 0], [-1, 0], [0, 1]]), exact([0, 0, 0])  # the half-line x = 0, y ≤ 0
    for j, expected in enumerate([True, True, False]):
        answer, certificate = is_dominated(W, b, j, range(3), wedge)
        assert answer == expected
        check(W, b, wedge, j, [i for i in range(3) if i != j], answer, certificate)
    with pytest.raises(InputError, match=r"the polyhedron .* is empty"):
        is_dominated(W, b, 0, [1, 2], (exact([[1, 1], [-1, -1]]), exact([0, -1])))


def test_without_others_nothing_is_dominated():
    W, b = exact([[5, 0]]), exact([-7])
    assert is_dominated(W, b, 0, [0]) == (False, pytest.approx([0, 0]))
    box = exact([[-1, 0]]), exact([-3])  # x ≥ 3
    assert not is_dominated(W, b, 0, [], box)[0] and is_dominated(W, b, 0, [], box)[1][0] >= 3


def test_no_variables():
    W, b = np.empty((3, 0), dtype=object), exact([1, 2, 2])
    assert [is_dominated(W, b, j, range(3))[0] for j in range(3)] == [True, True, True]
    assert not is_dominated(W, b, 1, [0])[0]
