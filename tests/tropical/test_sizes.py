"""Every kernel at small sizes, and one below, at and past each edge of its tiles, blocks and panels.

Data are small integers, so that max-plus results are exact and plain NumPy is an oracle for the bits; at eps > 0
it is one for most digits (test_kernels.py looks at the last). Outputs stand in the middle of larger arrays, of
which nothing else may change. `make valgrind` runs this file.
"""

import numpy as np
import pytest

from tropical import Polynomial, PolynomialMap, Semiring, _core

SMALL = [0, 1, 2, 3, 5, 10, 50]
MARGIN, MARK = 70, 77  # numbers on either side: more than a tile is wide
DTYPES = [np.float32, np.float64]
EPS = 2.0
TOLERANCE = {np.float32: 2e-5, np.float64: 4e-14}

dtypes = pytest.mark.parametrize("dtype", DTYPES)


def around(*edges: int) -> list[int]:
    return sorted({edge + k for edge in edges for k in (-1, 0, 1)})


def whole(shape, dtype=np.float64, low=-9) -> np.ndarray:
    return np.random.default_rng(shape).integers(low, 10, shape).astype(dtype)


class Framed:
    """An array to be filled, in the middle of a larger one."""

    def __init__(self, shape, dtype):
        size = int(np.prod(shape))
        self.all = np.full(size + 2 * MARGIN, MARK, dtype)
        self.array = self.all[MARGIN : MARGIN + size].reshape(shape)

    def checked(self) -> np.ndarray:
        assert (self.all[:MARGIN] == MARK).all() and (self.all[self.all.size - MARGIN :] == MARK).all()
        return self.array


@pytest.fixture
def each_instruction_set(reference):
    def names():
        for name in reference.INSTRUCTION_SETS:
            with reference.instruction_set(name):
                yield name

    return names


# ---- polynomials ---------------------------------------------------------------------------------------

TERMS = SMALL + around(64, 128)  # panels of 64
POINTS = SMALL + around(8, 16, 32, 64, 128, 256)  # tiles of 8 to 64, groups of four tiles
VARIABLES = SMALL + around(96, 192)  # blocks of 96
SHAPES = [(n, 3, 33) for n in TERMS] + [(65, 2, b) for b in POINTS] + [(66, d, 17) for d in VARIABLES]
SHAPES += [(n, 97, 9) for n in around(64)] + [(5, 97, b) for b in around(32, 64, 256)]


def by_numpy(slopes, coefficients, points, sign, eps) -> dict[str, np.ndarray]:
    """Every output; some monomial and d > 0 may be missing."""
    z = sign * (points.astype(float) @ slopes.T.astype(float) + coefficients)
    top = z.max(axis=1, initial=-np.inf)
    none = not len(slopes)
    argmax = np.full(len(z), -1) if none else z.argmax(axis=1)
    weights = (argmax[:, None] == np.arange(len(slopes))).astype(float)
    excess = entropy = np.zeros(len(z))
    if eps and not none:
        powers = np.exp((z - top[:, None]) / eps)
        weights = powers / powers.sum(axis=1, keepdims=True)
        excess = eps * np.log(powers.sum(axis=1))
        entropy = -np.sum(weights * np.log(weights, where=weights > 0, out=np.zeros_like(z)), axis=1)
    return {
        "values": sign * (top + excess),
        "gradient": weights @ slopes,
        "argmax": argmax,
        "excess": sign * excess,
        "entropy": entropy,
        "weights": weights,
    }


def fill(packed, shape, dtype, points, tiles, names) -> dict[str, np.ndarray]:
    terms, variables, count = shape
    tails = {"gradient": (variables,), "weights": (terms,)}
    framed = {
        name: Framed((count, *tails.get(name, ())), np.int64 if name == "argmax" else dtype) for name in names
    }
    packed.fill(points, tiles, **{name: frame.array for name, frame in framed.items()})
    return {name: frame.checked() for name, frame in framed.items()}


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "x".join(map(str, s)))
@pytest.mark.parametrize("eps", [0.0, EPS])
@dtypes
def test_polynomials(shape, eps, dtype, each_instruction_set):
    terms, variables, count = shape
    sign = 1 if count % 2 else -1
    low = -9 if variables < 50 else -2  # or all weight is on one monomial
    slopes, coefficients = whole((terms, variables), dtype, low), whole((terms,), dtype)
    points = whole((count, variables), dtype, low)
    packed = Polynomial(slopes, coefficients, Semiring(sign, eps))._packed
    want = by_numpy(slopes, coefficients, points, sign, eps)
    if eps:
        together = [(False, tuple(want)), *((True, n) for n in (("values", "gradient"), ("argmax",)))]
        together += [(True, ("excess", "entropy")), (True, ("values",)), (True, ("entropy",))]
    else:
        together = [(False, tuple(want)), (True, ("values", "gradient", "argmax")), (True, ("values",))]
    for kernel in each_instruction_set():
        for tiles, names in together:
            for name, got in fill(packed, shape, dtype, points, tiles, names).items():
                if eps and name != "argmax":
                    # sums of 200 products of integers up to 81 leave the last digits of a single
                    scale = TOLERANCE[dtype] * max(1, np.abs(slopes).max(initial=0))
                    np.testing.assert_allclose(
                        got, want[name], rtol=TOLERANCE[dtype], atol=scale, err_msg=kernel
                    )
                else:
                    np.testing.assert_array_equal(got, want[name], err_msg=f"{kernel} {name}")


@pytest.mark.parametrize("terms", SMALL + around(64, 128))
@pytest.mark.parametrize("variables", [0, 1, 2, 3, 5, 10])
@dtypes
def test_hessian(terms, variables, dtype, each_instruction_set):
    slopes, coefficients, points = (whole(s, dtype) for s in [(terms, variables), (terms,), (3, variables)])
    p = Polynomial(slopes, coefficients, Semiring(-1, EPS))
    weights = by_numpy(slopes, coefficients, points, -1, EPS)["weights"]
    want = np.zeros((3, variables, variables))
    for i, w in enumerate(weights):
        centred = slopes - w @ slopes
        want[i] = -(w * centred.T) @ centred / EPS
    for kernel in each_instruction_set():
        framed = Framed(want.shape, dtype)
        p._packed.fill_hessian(points, framed.array)
        tolerance = 100 * TOLERANCE[dtype]
        np.testing.assert_allclose(framed.checked(), want, rtol=tolerance, atol=tolerance, err_msg=kernel)


LAYERS = [([2, 3, 64, 0, 8], 3, b) for b in POINTS] + [([n, 2, n], 5, 33) for n in SMALL + around(32, 64)]
LAYERS += [([2, 50, 20], d, 17) for d in SMALL + around(104)] + [
    ([3, 64], 105, b) for b in around(32, 64, 256)
]


@pytest.mark.parametrize("shape", LAYERS, ids=lambda s: f"{'+'.join(map(str, s[0]))}x{s[1]}x{s[2]}")
@pytest.mark.parametrize("eps", [0.0, EPS])
@dtypes
def test_layers(shape, eps, dtype, each_instruction_set):
    lengths, variables, count = shape
    lengths = [n for n in lengths if n <= 64]
    sign, low = (1 if count % 2 else -1), -9 if variables < 50 else -2
    monomials = [(whole((n, variables), dtype, low), whole((n,), dtype)) for n in lengths]
    points = whole((count, variables), dtype, low)
    want = np.stack([by_numpy(*some, points, sign, eps)["values"] for some in monomials], axis=-1)
    f = PolynomialMap(Polynomial(*some, Semiring(sign, eps)) for some in monomials)
    ((layer, _),) = f._together(np.dtype(dtype))
    for kernel in each_instruction_set():
        for tiles in (False, True):
            framed = Framed(want.shape, dtype)
            layer.fill(points, tiles, framed.array)
            tolerance = TOLERANCE[dtype] if eps else 0
            np.testing.assert_allclose(
                framed.checked(), want, rtol=tolerance, atol=10 * tolerance, err_msg=kernel
            )


GATES = [(k, 3, 33) for k in (1, 2, 3, 9)] + [(2, 1, n) for n in POINTS] + [(3, 2, n) for n in POINTS]
GATES += [(2, rows, 70) for rows in SMALL]


@pytest.mark.parametrize("shape", GATES, ids=lambda s: "x".join(map(str, s)))
@dtypes
def test_gates(shape, dtype, each_instruction_set):
    count, rows, columns = shape
    sign = 1 if columns % 2 else -1
    arrays = whole((count, rows, columns), dtype)
    branches = [*arrays[:-1], arrays[-1, :1] if count > 2 else arrays[-1]]  # of many, one row is shared
    signed = sign * np.stack([np.broadcast_to(b, (rows, columns)) for b in branches]).astype(float)
    top = signed.max(axis=0)
    want = sign * (top + EPS * np.log(np.exp((signed - top) / EPS).sum(axis=0)))
    for kernel in each_instruction_set():
        framed = Framed((rows, columns), dtype)
        _core.gate(branches, framed.array, sign, EPS)
        tolerance = TOLERANCE[dtype]
        np.testing.assert_allclose(framed.checked(), want, rtol=tolerance, atol=tolerance, err_msg=kernel)


# ---- matrices ------------------------------------------------------------------------------------------

PRODUCTS = [(m, 5, 6) for m in SMALL + around(4, 192)] + [(5, k, 6) for k in SMALL + around(128, 256)]
PRODUCTS += [(5, 6, n) for n in SMALL + around(8, 16, 32, 64)] + [(193, 129, 65)]


@pytest.mark.parametrize("size", PRODUCTS, ids=lambda s: "x".join(map(str, s)))
@dtypes
def test_matmul(size, dtype, each_instruction_set):
    m, k, n = size
    a, b, c = whole((1, m, k), dtype), whole((1, k, n), dtype), whole((1, m, n), dtype)
    sign = -1 if k % 2 else 1
    terms = sign * (a[0, :, :, None] + b[0, None])
    want = sign * terms.max(axis=1, initial=-np.inf)
    index = terms.argmax(axis=1) if k else np.full((m, n), -1)
    for kernel in each_instruction_set():
        plain, with_index, where = Framed(c.shape, dtype), Framed(c.shape, dtype), Framed(c.shape, np.int64)
        onto = Framed(c.shape, dtype)
        onto.array[...] = c
        _core.matmul(a, b, plain.array, sign)
        _core.matmul(a, b, with_index.array, sign, False, where.array)
        _core.matmul(a, b, onto.array, sign, True)
        for got in plain, with_index:
            np.testing.assert_array_equal(got.checked()[0], want, err_msg=kernel)
        np.testing.assert_array_equal(where.checked()[0], index, err_msg=kernel)
        best = np.maximum(sign * want, sign * c[0])
        np.testing.assert_array_equal(onto.checked()[0], sign * best, err_msg=kernel)


VIEWS = {  # of a (2, m, k), b (2, k, n) and c (2, m, n) for which other loops may run
    "rows upwards": lambda a, b, c: (a[:, ::-1], b, c),
    "every other column": lambda a, b, c: (a[:, :1, ::2], b[:, : a[:, :, ::2].shape[2]], c[:, :1]),
    "a row by a transposed matrix": lambda a, b, c: (
        a[:, :1, ::2],
        np.ascontiguousarray(b[:, : a[:, :, ::2].shape[2]].transpose(0, 2, 1)).transpose(0, 2, 1),
        c[:, :1],
    ),
    "one column by one row": lambda a, b, c: (
        a[:, :1, ::10],
        np.ascontiguousarray(b.transpose(0, 2, 1)).transpose(0, 2, 1)[:, :1],
        c[:, :1],
    ),
    "into a column": lambda a, b, c: (a, b[:, :, :1], c[:, :, :1]),
}


@pytest.mark.parametrize("view", VIEWS)
@dtypes
def test_matmul_of_views(view, dtype, each_instruction_set):
    m, k, n = 6, 10, 70
    for kernel in each_instruction_set():
        framed = Framed((2, m, n), dtype)
        a, b, c = VIEWS[view](whole((2, m, k), dtype), whole((2, k, n), dtype), framed.array)
        _core.matmul(a, b, c, 1)
        want = (a[:, :, :, None] + b[:, None]).max(axis=2)
        framed.checked()
        np.testing.assert_array_equal(c, want, err_msg=kernel)


@dtypes
def test_log_matmul_of_long_rows(dtype, each_instruction_set):
    a, b = whole((1, 5, 5000), dtype), whole((1, 5000, 3), dtype)
    terms = a[0, :, :, None].astype(float) + b[0, None]
    top = terms.max(axis=1)
    want = top + EPS * np.log(np.exp((terms - top[:, None]) / EPS).sum(axis=1))
    for kernel in each_instruction_set():
        framed = Framed((1, 5, 3), dtype)
        _core.log_matmul(a, b, framed.array, 1, EPS)
        tolerance = 8 * float(np.finfo(dtype).eps)
        np.testing.assert_allclose(framed.checked()[0], want, rtol=tolerance, err_msg=kernel)


@pytest.mark.parametrize("n", SMALL + around(64))
@pytest.mark.parametrize("sign", [1, -1])
@dtypes
def test_close(n, sign, dtype, each_instruction_set):
    a = -np.abs(whole((n, n))) - 1.0  # no positive cycle
    a[np.random.default_rng(n).random((n, n)) < 0.7] = -np.inf
    want, longer = a, np.full((n, n), -np.inf)
    while not np.array_equal(want, longer):  # paths of 1, 2, 4, … steps at most
        longer = want
        want = np.maximum(want, (want[:, :, None] + want[None]).max(axis=1, initial=-np.inf))
    for kernel in each_instruction_set():
        framed = Framed((n, n), dtype)
        framed.array[...] = sign * a
        _core.close(framed.array, sign)
        np.testing.assert_array_equal(framed.checked(), sign * want, err_msg=kernel)


@pytest.mark.parametrize("n", [*SMALL[1:], *around(16, 32)])
@pytest.mark.parametrize("emitting", ["nothing", "in order", "in strides"])
@dtypes
def test_chain(n, emitting, dtype, each_instruction_set):
    a, start, twice = whole((3, 2, n, n), dtype), whole((2, n), dtype), whole((3, 2, 2 * n), dtype)
    emissions = {"nothing": None, "in order": twice[..., :n].copy(), "in strides": twice[..., ::2]}[emitting]
    want = start
    for t in range(3):
        want = (want[:, :, None] + a[t]).max(axis=1) + (0 if emissions is None else emissions[t])
    for kernel in each_instruction_set():
        framed = Framed((2, n), dtype)
        framed.array[...] = start
        assert not _core.chain(framed.array, a, emissions, None, 1, 0.0, False, False, False)
        np.testing.assert_array_equal(framed.checked(), want, err_msg=kernel)


# ---- lines ---------------------------------------------------------------------------------------------

LENGTHS = SMALL + around(16, 32, 64, 128)  # tiles of 16 to 64
LINES = [(2, n, 3) for n in LENGTHS] + [(3, n, 1) for n in LENGTHS]  # gathered, and where they lie
LINES += [(2, 17, inner) for inner in SMALL + around(8, 16)] + [(outer, 5, 2) for outer in (0, 1)]
lines = pytest.mark.parametrize("shape", LINES, ids=lambda s: "x".join(map(str, s)))


def assert_lines(framed, won, want, index, kernel):
    np.testing.assert_array_equal(framed.checked(), want, err_msg=kernel)
    np.testing.assert_array_equal(won.checked(), index, err_msg=kernel)


@lines
@dtypes
def test_hopf_lax(shape, dtype, each_instruction_set):
    f, n = whole(shape, dtype), shape[1]
    sign = -1 if n % 2 else 1
    cost = (np.arange(n)[:, None] - np.arange(n)) ** 2.0
    terms = sign * f[:, None] + cost[None, :, :, None]  # outer, result, term, inner
    want = sign * terms.min(axis=2, initial=np.inf)
    index = terms.argmin(axis=2) if n else want
    for kernel in each_instruction_set():
        framed, won = Framed(shape, dtype), Framed(shape, np.int64)
        _core.hopf_lax(f, None, 1.0, sign, framed.array, won.array)
        assert_lines(framed, won, want, index, kernel)


@pytest.mark.parametrize("bad", [np.nan, -np.inf])
@pytest.mark.parametrize("position", [0, 1, 37, 150, 299])
def test_one_number_decides_a_long_line(bad, position, each_instruction_set):
    f = whole((2, 300, 1))
    f[1, position] = bad
    cost = (np.arange(300)[:, None] - np.arange(300)) ** 2.0
    for kernel in each_instruction_set():
        framed = Framed(f.shape, np.float64)
        _core.hopf_lax(f, None, 1.0, 1, framed.array)
        assert np.array_equal(framed.checked()[1, :, 0], np.full(300, bad), equal_nan=True), kernel
        np.testing.assert_array_equal(framed.array[0, :, 0], (f[0, :, 0] + cost).min(axis=1), err_msg=kernel)


@lines
@pytest.mark.parametrize("results", [0, 1, 9])
@dtypes
def test_legendre(shape, results, dtype, each_instruction_set):
    f, n = whole(shape, dtype), shape[1]
    x, p = np.arange(n) - 3.0, np.sort(whole((results,)))
    terms = (p[:, None] * x)[None, :, :, None] - f[:, None]
    want = terms.max(axis=2, initial=-np.inf)
    index = terms.argmax(axis=2) if n else np.full(want.shape, -1)
    for kernel in each_instruction_set():
        framed, won = Framed(want.shape, dtype), Framed(want.shape, np.int64)
        _core.legendre(f, x, p, framed.array, won.array)
        assert_lines(framed, won, want, index, kernel)


@lines
@pytest.mark.parametrize("w", [1e-3, 0.2, 5.0])  # by blocks, by both ways, term by term
@dtypes
def test_hopf_cole(shape, w, dtype, each_instruction_set):
    f, n = whole(shape, dtype), shape[1]
    cost = w * (np.arange(n)[:, None] - np.arange(n)) ** 2.0
    terms = f[:, None] + cost[None, :, :, None]
    least = terms.min(axis=2, initial=0)
    powers = np.exp((least[:, :, None] - terms) / EPS).sum(axis=2)
    want = least - EPS * np.log(powers)
    for kernel in each_instruction_set():
        framed = Framed(shape, dtype)
        _core.SoftTransform(f, w, EPS, 60.0, 64, framed.array).fill()
        np.testing.assert_allclose(
            framed.checked(), want, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype], err_msg=kernel
        )


# ---- numbers one by one --------------------------------------------------------------------------------


@pytest.mark.parametrize("n", SMALL + around(8, 16, 32, 64))
@dtypes
def test_exp_and_log(n, dtype, each_instruction_set):
    a, s = -np.linspace(0, 20, n).astype(dtype), np.linspace(1, 1000, n).astype(dtype)
    for kernel in each_instruction_set():
        powers, logarithms = Framed((n,), dtype), Framed((n,), dtype)
        _core.exp_nonpositive(a, powers.array)
        _core.log_positive(s, logarithms.array)
        tolerance = 25 * float(np.finfo(dtype).eps)
        np.testing.assert_allclose(powers.checked(), np.exp(a.astype(float)), rtol=tolerance, err_msg=kernel)
        np.testing.assert_allclose(
            logarithms.checked(), np.log(s.astype(float)), rtol=tolerance, err_msg=kernel
        )


# ---- rows of sparse matrices ---------------------------------------------------------------------------


def sparse_rows(shape, dtype, filled=0.4):
    """A matrix by its rows, and the same as an array."""
    W = whole(shape, dtype) * (np.random.default_rng(shape).random(shape) < filled)
    rows, places = np.nonzero(W)
    offsets = np.searchsorted(rows, np.arange(shape[0] + 1))
    packed = _core.SparseRows(
        offsets, places.astype(np.int32), np.ascontiguousarray(W[rows, places]), shape[1]
    )
    return packed, W


PULLS = [(r, 3, 3, 5) for r in SMALL] + [(4, c, 5, 3) for c in SMALL] + [(4, 3, n, 3) for n in SMALL]
PULLS += [(5, 7, 9, m) for m in SMALL + around(4, 8, 16, 32)]


@pytest.mark.parametrize("shape", PULLS, ids=lambda s: "x".join(map(str, s)))
@pytest.mark.parametrize("points", [1, 3])
@dtypes
def test_chosen_rows(shape, points, dtype, each_instruction_set):
    rows, columns, count, width = shape
    count = count if rows else 0
    packed, W = sparse_rows((rows, columns), dtype)
    at = np.random.default_rng(shape).integers(0, max(rows, 1) * points, count)
    slopes, start = whole((count, width), dtype), whole((points, columns, width), dtype)
    want = start.copy()
    for place, slope in zip(at, slopes, strict=True):
        want[place // rows] += np.multiply.outer(W[place % rows], slope)
    for kernel in each_instruction_set():
        framed = Framed(want.shape, dtype)
        framed.array[...] = start
        packed.pull(at, slopes, framed.array)
        assert np.array_equal(framed.checked(), want), kernel
