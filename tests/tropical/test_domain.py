"""Domains: their inequalities and charts, and what they refuse."""

from fractions import Fraction
from math import inf, nan

import numpy as np
import pytest

from tropical import Box, InputError, Polyhedron, ShapeError, Slice


def test_boxes_leave_infinite_bounds_out():
    assert Box(-inf, inf).inequalities(3) == []
    assert Box([0, -inf], [inf, 0.5]).inequalities(2) == [[1, 0, 0], [0, -1, Fraction(1, 2)]]
    assert Box(Fraction(1, 3), 1).inequalities(1) == [[1, Fraction(-1, 3)], [-1, 1]]


def test_polyhedra_turn_their_inequalities():
    rows = Polyhedron(np.array([[1.0, 2.0]]), np.array([0.1])).inequalities(2)
    assert rows == [[-1, -2, Fraction(0.1)]]


def test_charts():
    assert Box(0, 1).chart(2) == [[1, 0, 0], [0, 1, 0]]
    assert Slice([5, 6], [[1, 2]]).chart(2) == [[1, 5], [2, 6]]
    assert Slice(0, [[1, 2]], within=Box(0, 1)).inequalities(2) == [[1, 0], [-1, 1]]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Box(nan, 1).inequalities(2), InputError, "NaN"),
        (lambda: Box([0, 1], [1, 1]).inequalities(2), InputError, "x2"),
        (lambda: Box([0, 1], 5).inequalities(3), ShapeError, "length 3"),
        (lambda: Polyhedron([[1.0, inf]], [0]).inequalities(2), InputError, "finite"),
        (lambda: Polyhedron([[1.0, 0]], [nan]).inequalities(2), InputError, "finite"),
        (lambda: Polyhedron([1.0, 0], [0]).inequalities(2), ShapeError, "G has shape"),
        (lambda: Slice([0, inf], [[1, 0]]).chart(2), InputError, "finite"),
        (lambda: Slice([0, 0], [[1, 0, 0]]).chart(2), ShapeError, r"\(k, 2\)"),
        (lambda: Slice([0, 0], [[0, 0]]).chart(2), InputError, "dependent"),
        (lambda: Slice([0, 0], [[1, 0]], Slice(0, [[1]])).inequalities(2), InputError, "within"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()
