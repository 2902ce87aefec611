"""Sparse matrices against dense ones, and circuits over them."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from tropical import Circuit, InputError, ShapeError
from tropical.circuit import combine, entries
from tropical.sparse import SparseMatrix, split

fractions = st.fractions(-3, 3, max_denominator=6)


@st.composite
def matrices(draw, values=fractions):
    """A SparseMatrix and the dense one that the same entries give when added up one by one."""
    m, n = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    places = st.tuples(st.integers(0, m - 1), st.integers(0, n - 1), values)
    listed = draw(st.lists(places, max_size=9))
    dense = np.full((m, n), Fraction(0), dtype=object)
    for i, j, v in listed:
        dense[i, j] += v
    rows, columns, data = zip(*listed, strict=True) if listed else ([], [], [])
    return SparseMatrix((m, n), rows, columns, np.array(data, dtype=object)), dense


@settings(max_examples=50)
@given(pair=matrices(), data=st.data())
def test_exact_products(pair, data):
    matrix, dense = pair
    m, n = dense.shape
    assert np.asarray(matrix).tolist() == dense.tolist() and np.asarray(matrix.T).tolist() == dense.T.tolist()
    assert matrix.size == np.count_nonzero(dense)
    x = np.array(data.draw(st.lists(fractions, min_size=n, max_size=n)), dtype=object)
    y = np.array(data.draw(st.lists(fractions, min_size=2 * m, max_size=2 * m)), dtype=object).reshape(2, m)
    expected = [sum((w * v for w, v in zip(row, x, strict=True)), Fraction(0)) for row in dense]
    assert (matrix @ x).tolist() == expected and {type(v) for v in matrix @ x} <= {Fraction}
    for row, got in zip(y, y @ matrix, strict=True):
        assert got.tolist() == [
            sum((v * w for v, w in zip(row, c, strict=True)), Fraction(0)) for c in dense.T
        ]


@given(pair=matrices(st.integers(-8, 8).map(lambda k: Fraction(k, 4))))
def test_float_products_and_parts(pair):
    matrix, dense = pair[0].astype(float), pair[1].astype(float)
    m, n = dense.shape
    points = (np.arange(6.0 * n).reshape(2, 3, n) % 7 - 3) / 2  # dyadic: no rounding
    np.testing.assert_array_equal(points @ matrix.T, points @ dense.T)
    np.testing.assert_array_equal(points[0, 0] @ matrix.T, dense @ points[0, 0])
    few = np.zeros((3, m))
    few[:, 0] = [1.0, -2.0, 0.5]  # most rows meet zeros alone
    np.testing.assert_array_equal(few @ matrix, few @ dense)
    positive, negative = map(np.asarray, split(matrix))
    assert (positive >= 0).all() and (negative >= 0).all() and not (positive * negative).any()
    np.testing.assert_array_equal(positive - negative, dense)


def test_scipy_matrices_are_weights_of_circuits():
    dense = np.array([[1.0, 0.0, 2.0], [0.0, 0.0, 0.5]])
    x = Circuit.identity(3)
    hidden = x + 0
    expected = hidden.affine(dense, [1.0, -1.0])
    for made in (sparse.csr_array, sparse.coo_matrix, sparse.csc_array):
        c = hidden.affine(made(dense), [1.0, -1.0])
        assert isinstance(c.node.terms[0][0], SparseMatrix)
        points = np.random.default_rng(0).normal(size=(5, 3))
        np.testing.assert_array_equal(c(points), expected(points))
        for mine, theirs in zip(c.affine_at(points), expected.affine_at(points), strict=True):
            np.testing.assert_array_equal(mine, theirs)
        assert list(entries(c.node.terms[0][0])) == list(entries(dense))
        assert c.monomial_count() == expected.monomial_count()
        assert [len(p) for p in c.expand()] == [len(p) for p in expected.expand()]
        soft, other = c.deform(0.5), expected.deform(0.5)
        assert (soft.deformation_bound() >= other.deformation_bound() * (1 - 1e-12)).all()


def test_negative_sparse_weights_on_a_circuit_are_refused():
    with pytest.raises(InputError, match=r"weight -1\.0 on a circuit is negative"):
        combine([(sparse.csr_array([[1.0, -1.0]]), Circuit.identity(2) + 0)])


@pytest.mark.parametrize(
    "rows, columns, data, error, message",
    [
        ([0, 2], [0, 0], [1.0, 1.0], InputError, "rows run from 0 to 2; 0 to 1 exist"),
        ([0], [-1], [1.0], InputError, "columns run from -1"),
        ([0, 1], [0], [1.0], ShapeError, "pass three vectors of one length"),
    ],
)
def test_wrong_entries(rows, columns, data, error, message):
    with pytest.raises(error, match=message):
        SparseMatrix((2, 3), rows, columns, data)


def test_shapes_that_do_not_fit():
    with pytest.raises(ShapeError, match=r"\(2, 3\) does not fit an array of shape \(4, 3\)"):
        np.ones((4, 3)) @ SparseMatrix.selection([0, 1], 3)
