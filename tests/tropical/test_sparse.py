"""Sparse matrices against dense ones, and circuits over them."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from tropical import Circuit, InputError, ShapeError, _core
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


# ---- chosen rows ---------------------------------------------------------------------------------------

SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324, 1e308, -1e308]


def pulled_plainly(W, at, slopes, points):
    """The twin of the kernel in csrc/sparse.template.c: its order of sums, one rounding each."""
    rows, columns = W.shape
    total = [[[W.data.dtype.type(0)] * slopes.shape[1] for _ in range(columns)] for _ in range(points)]
    for place, slope in zip(at.tolist(), slopes, strict=True):
        for j, w in W.row(place % rows):
            row = total[place // rows][j]
            for k, s in enumerate(slope):
                row[k] = row[k] + w * s
    return np.array(total, W.dtype).reshape(points, columns, slopes.shape[1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("special", [False, True])
def test_chosen_rows_are_those_of_plain_python(special, dtype, reference):
    rng = np.random.default_rng(int(special))
    m, n, points = 6, 9, 3
    with np.errstate(all="ignore"):
        for width in (1, 2, 7, 8, 19, 33):
            data, slopes = rng.normal(size=30).astype(dtype), rng.normal(size=(40, width)).astype(dtype)
            W = SparseMatrix((m, n), rng.integers(m, size=30), rng.integers(n, size=30), data)
            if special:
                slopes.flat[rng.integers(slopes.size, size=8)] = np.array(SPECIAL, dtype)
                W = W.with_data(np.where(np.arange(W.size) % 7 == 3, dtype(np.inf), W.data))
            at = rng.integers(m * points, size=40)
            want = pulled_plainly(W, at, slopes, points)
            for name in reference.INSTRUCTION_SETS:
                with reference.instruction_set(name):
                    np.testing.assert_array_equal(W.pulled(at, slopes, points), want, err_msg=name)
            assert np.isnan(want).any() == special


def test_products_with_few_rows_are_those_with_all():
    rng = np.random.default_rng(3)
    dense = rng.integers(-3, 4, (40, 30)) * (rng.random((40, 30)) < 0.2)
    W, x = (
        SparseMatrix(dense.shape, *dense.nonzero(), dense[dense.nonzero()].astype(float)),
        np.zeros((4, 40)),
    )
    x[:, [3, 17, 29]] = rng.integers(-5, 6, (4, 3))
    assert np.array_equal(x @ W, x @ dense)
    x[2, 17] = np.nan
    assert np.isnan((x @ W)[2, dense[17] != 0]).all() and np.isfinite((x @ W)[2, dense[17] == 0]).all()


@pytest.mark.parametrize(
    "offsets, places, columns, message",
    [
        ([1, 2], [0, 1], 2, "offsets do not run from 0 to 2"),
        ([0, 1], [0, 1], 2, "offsets do not run from 0 to 2"),
        ([], [], 2, "offsets do not run from 0 to 0"),
        ([0, 2, 1, 2], [0, 1], 2, "offsets descend at row 1"),
        ([0, 2], [0, 2], 2, "place 2 of entry 1 is none of 2 columns"),
        ([0, 2], [0, -1], 2, "place -1 of entry 1"),
        ([0, 2], [0, 1], 2**31, "numbers of 32 bits"),
    ],
)
def test_packed_rows_are_checked(offsets, places, columns, message):
    with pytest.raises(ValueError, match=message):
        _core.SparseRows(
            np.array(offsets, np.int64), np.array(places, np.int32), np.ones(len(places)), columns
        )


@pytest.mark.parametrize(
    "at, slopes, to, message",
    [
        ([4], (1, 3), (2, 5, 3), r"at\[0\] is 4, which is none of 2 rows at 2 points"),
        ([0, -1], (2, 3), (2, 5, 3), r"at\[1\] is -1"),
        ([0], (2, 3), (2, 5, 3), "slopes"),
        ([0], (1, 3), (2, 4, 3), "to"),
        ([0], (1, 3), (2, 5, 2), "to"),
    ],
)
def test_chosen_rows_are_checked(at, slopes, to, message):
    rows = _core.SparseRows(np.array([0, 1, 2]), np.array([0, 4], np.int32), np.ones(2), 5)
    with pytest.raises(ValueError, match=message):
        rows.pull(np.array(at), np.ones(slopes), np.zeros(to))
