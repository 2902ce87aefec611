"""Domains: their inequalities and charts, and what they refuse."""

from fractions import Fraction
from math import inf, nan

import numpy as np
import pytest

from tropical import (
    Box,
    Circuit,
    InputError,
    Polyhedron,
    Polynomial,
    Semiring,
    ShapeError,
    Slice,
    essential,
    linear_regions,
    maximize,
    minimize,
    plot_curve,
    variables,
)
from tropical.domain import as_domain, as_polyhedron


def test_boxes_leave_infinite_bounds_out():
    assert Box(-inf, inf).inequalities(3) == []
    assert Box([0, -inf], [inf, 0.5]).inequalities(2) == [[1, 0, 0], [0, -1, Fraction(1, 2)]]
    assert Box(Fraction(1, 3), 1).inequalities(1) == [[1, Fraction(-1, 3)], [-1, 1]]


def test_polyhedra_turn_their_inequalities():
    rows = Polyhedron(np.array([[1.0, 2.0]]), np.array([0.1])).inequalities(2)
    assert rows == [[-1, -2, Fraction(0.1)]]


def test_narrow_floats_are_the_dyadic_numbers_that_they_are():
    assert Box(np.float32(0.1), np.ones(1, np.float32)).inequalities(1)[0] == [
        1,
        -Fraction(float(np.float32(0.1))),
    ]


def test_numbers_beyond_the_floats():
    huge = Fraction(10) ** 400
    assert Polyhedron([[1, huge]], [0]).inequalities(2) == [[-1, -huge, 0]]
    assert Slice([huge, 0], [[1, 0]]).chart(2) == [[1, huge], [0, 0]]
    line = Polynomial([[1, 0], [0, 1]], [0, 0]).hypersurface()
    assert line.contains(np.array([[huge, huge], [huge, 0]], dtype=object)).tolist() == [True, False]
    assert Circuit.identity(1, exact=True).affine([[1]], np.array([huge], dtype=object))([0]) == [huge]


PAIRS = [
    (Box(-1, [2, 3]), (-1, [2, 3])),
    (Polyhedron([[1, 0], [0, 1], [-1, -1]], [1, 1, 1]), ([[1, 0], [0, 1], [-1, -1]], [1, 1, 1])),
]


@pytest.mark.parametrize(("domain", "pair"), PAIRS)
def test_pairs_stand_for_domains_everywhere(domain, pair):
    assert as_domain(pair).inequalities(2) == domain.inequalities(2)
    x, y = variables(2)
    f = (x + y + 0.5) / (x * y + 0)
    p = f.P * f.Q
    for give in (
        lambda some: [r.tolist() for r in as_polyhedron(some, 2)],
        lambda some: len(linear_regions(f, some)),
        lambda some: (maximize(f, some).value, minimize(f, some).value),
        lambda some: [str(q) for q in essential(f, some)],
        lambda some: str(p.prune(some)),
    ):
        assert give(domain) == give(pair)


def test_what_prune_keeps_is_what_is_essential():
    """Two ways, hull and programs beside linear regions, over the same domains."""
    rng = np.random.default_rng(5)
    p = Polynomial(rng.integers(-3, 4, size=(12, 2)), rng.integers(-4, 5, size=12))
    for domain in (None, Box(-1, 1), Box([0, -np.inf], [2, 1]), PAIRS[1][0]):
        kept, found = p.prune(domain), essential(p, domain)
        assert kept.merge().same_terms(found)


def test_boxes_of_truncations_and_pictures():
    p = Polynomial([0.0, 1.0, 2.0], [0.0, -50.0, 0.0], Semiring(eps=1.0))
    assert p.truncate(1e-6, box=Box(-3, 3)).error == p.truncate(1e-6, box=(-3, 3)).error
    third = Fraction(1, 3)  # no float: the bound has to hold in all of the box
    wide = p.truncate(1e-6, box=Box(-third, third)).error
    assert wide >= p.truncate(1e-6, box=Box(-float(third), float(third))).error
    pytest.importorskip("matplotlib")
    x, y = variables(2)
    ax = plot_curve((x + y + 0).hypersurface(), box=Box([-1, -2], [3, 4]))
    assert (ax.get_xlim(), ax.get_ylim()) == ((-1, 3), (-2, 4))
    regions = linear_regions((x + y + 0), Box(-1, 1))
    assert regions.plot(window=Box(-2, [2, 3])).get_ylim() == (-2, 3)


def test_charts():
    assert Box(0, 1).chart(2) == [[1, 0, 0], [0, 1, 0]]
    assert Slice([5, 6], [[1, 2]]).chart(2) == [[1, 5], [2, 6]]
    assert Slice(0, [[1, 2]], within=Box(0, 1)).inequalities(2) == [[1, 0], [-1, 1]]
    assert Slice.through([[0.1, 0], [0.3, 1]]).chart(2)[0] == [Fraction(0.3) - Fraction(0.1), Fraction(0.1)]


LINE = (variables(2)[0] + 0).hypersurface()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Box(nan, 1).inequalities(2), InputError, "NaN"),
        (lambda: Box([0, 2], [1, 1]).inequalities(2), InputError, "x2"),
        (lambda: Box(inf, inf).inequalities(2), InputError, "low = inf"),
        (lambda: as_domain(1.0), ShapeError, "no pair"),
        (lambda: as_domain((0, 1, 2)), ShapeError, "no pair"),
        (lambda: as_domain(("a", 1)), InputError, "dtype"),
        (lambda: as_polyhedron(Slice([0, 0], [[1, 0]]), 2), InputError, "Slice"),
        (
            lambda: Polynomial([1.0], [0], Semiring(eps=1)).truncate(1, box=Box(0, inf)),
            InputError,
            "unbounded",
        ),
        (lambda: plot_curve(LINE, box=Box(0, inf)), InputError, "unbounded or flat"),
        (lambda: plot_curve(LINE, box=(0, 1)), ShapeError, r"shape \(2,\)"),
        (lambda: Box([0, 1], 5).inequalities(3), ShapeError, "length 3"),
        (lambda: Polyhedron([[1.0, inf]], [0]).inequalities(2), InputError, "finite"),
        (lambda: Polyhedron([[1.0, 0]], [nan]).inequalities(2), InputError, "finite"),
        (lambda: Polyhedron([1.0, 0], [0]).inequalities(2), ShapeError, "G has shape"),
        (lambda: Slice([0, inf], [[1, 0]]).chart(2), InputError, "finite"),
        (lambda: Slice([0, 0], [[1, 0, 0]]).chart(2), ShapeError, r"\(k, 2\)"),
        (lambda: Slice([0, 0], [[0, 0]]).chart(2), InputError, "dependent"),
        (lambda: Slice.through([[0, 0]]), ShapeError, "two or more"),
        (lambda: Slice.through([[0, inf], [0, 1]]), InputError, "finite"),
        (lambda: Slice([0, 0], [[1, 0]], Slice(0, [[1]])).inequalities(2), InputError, "within"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()
