"""Whatever arrays come in: the right result, or one of our errors; never a crash, and inputs stay as they were.

The oracle is layout: arrays of any dtype, strides and alignment give what fresh ones in C order give, bit for bit, and
are refused where those are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tropical import (
    Polynomial,
    PolynomialMap,
    Semiring,
    TropicalError,
    backward,
    forward,
    hopf_cole,
    hopf_lax,
    legendre,
    matmul,
    power,
    residual,
    star,
    viterbi,
)
from tropical.sparse import SparseMatrix

REFUSED = (TropicalError, TypeError, ValueError)
NUMBERS = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    3.0,
    np.nan,
    np.inf,
    -np.inf,
    5e-324,
    -1e-310,
    1.7e308,
    -1.7e308,
    1e-45,
    3e38,
]
EPSILONS = [0.0, 5e-324, 1e-300, 1e-30, 0.5, 1e30, 1e300, 1.7e308, -0.0, -1.0, np.nan, np.inf]
DTYPES = ["<f8", "<f4", ">f8", ">f4", "<f2", "<i8", ">i4", "u1", "?", "O", "<c16", "<U3", "M8[s]", "g"]


# ---- arrays of any kind ----------------------------------------------------------------------------------


def _strided(a: np.ndarray) -> np.ndarray:
    wide = np.empty((*a.shape[:-1], 3 * a.shape[-1] + 2), a.dtype)
    wide[..., 1::3][..., : a.shape[-1]] = a
    return wide[..., 1::3][..., : a.shape[-1]]


def _misaligned(a: np.ndarray) -> np.ndarray:
    if a.dtype == object:
        return a
    buffer = np.empty(a.nbytes + 1, np.uint8)
    view = buffer[1:].view(a.dtype).reshape(a.shape)
    view[...] = a
    return view


def _read_only(a: np.ndarray) -> np.ndarray:
    a = a.copy()
    a.flags.writeable = False
    return a


LAYOUTS: dict[str, Callable] = {
    "C": lambda a: a.copy(),
    "Fortran": lambda a: np.asfortranarray(a),
    "backwards": lambda a: a[::-1].copy()[::-1],
    "backwards twice": lambda a: a[..., ::-1].copy()[..., ::-1],
    "strided": _strided,
    "misaligned": _misaligned,
    "read-only": _read_only,
    "one column repeated": lambda a: np.broadcast_to(a[..., :1], a.shape),
    "a matrix's view": lambda a: a.view(np.ndarray),
}


@dataclass
class Given:
    """An array in some layout, and a fresh copy in C order."""

    array: np.ndarray
    fresh: np.ndarray


@st.composite
def arrays(draw, *shape: int) -> Given:
    """Of this shape, more or less."""
    if draw(st.integers(0, 9)) == 0:
        shape = tuple(draw(st.lists(st.integers(0, 3), max_size=3)))
    kind = draw(st.sampled_from(["<f8"] * 20 + ["<f4"] * 10 + DTYPES))
    count = int(np.prod(shape))
    values = draw(st.lists(st.sampled_from(NUMBERS), min_size=count, max_size=count))
    if kind == "O":
        entries = np.empty(count, object)
        entries[:] = [Fraction(v) if np.isfinite(v) else v for v in values]
    elif kind in ("<U3", "M8[s]"):
        entries = np.zeros(count, kind)
    else:
        if np.dtype(kind).kind in "iu":
            values = np.clip(np.nan_to_num(values), 0 if kind == "u1" else -100, 100)
        with np.errstate(all="ignore"):
            entries = np.array(values).astype(kind)
    entries = entries.reshape(shape)
    layout = draw(st.sampled_from(list(LAYOUTS))) if shape else "C"
    array = LAYOUTS[layout](entries)
    return Given(array, np.array(array, order="C", copy=True))


lengths = st.integers(0, 4)
semirings = st.tuples(st.sampled_from([1, -1]), st.sampled_from([0.0] * 9 + [0.5, 1.0] * 4 + EPSILONS))
METHODS = ["__call__", "argmax", "excess", "entropy", "gradient", "weights", "hessian"]


@st.composite
def calls(draw, kinds):
    """A function of the semiring and arrays, with arrays that fit it for the most part."""
    n, d, m = draw(lengths), draw(lengths), draw(lengths)
    kind = draw(st.sampled_from(kinds))
    shapes, function = CALLS[kind](n, d, m)
    return kind, function, [draw(arrays(*shape)) for shape in shapes]


def _polynomial(method):
    return lambda n, d, m: (
        [(n, d), (n,), (m, d)],
        lambda s, W, b, x: getattr(Polynomial(W, b, s), method)(x),
    )


CALLS = {
    **{f"polynomial {name}": _polynomial(name) for name in METHODS},
    "map": lambda n, d, m: (
        [(n, d), (n,), (m, d)],
        lambda s, W, b, x: PolynomialMap([Polynomial(W, b, s), Polynomial(W[::-1], b, s)])(x),
    ),
    "matmul": lambda n, d, m: ([(n, d), (d, m)], lambda s, A, B: matmul(A, B, s)),
    "matmul of many": lambda n, d, m: ([(2, n, d), (d, m)], lambda s, A, B: matmul(A, B, s)),
    "winners": lambda n, d, m: ([(n, d), (d, m)], lambda s, A, B: matmul(A, B, s, return_argmax=True)[1]),
    "residual": lambda n, d, m: ([(n, d), (n, m)], lambda s, A, B: residual(A, B, s)),
    "star": lambda n, d, m: ([(n, n)], lambda s, A: star(A, s)),
    "power": lambda n, d, m: ([(n, n)], lambda s, A: power(A, 3, s)),
    "add": lambda n, d, m: ([(n, d), (d,), (1, d)], lambda s, a, b, c: s.add(a, b, c)),
    "mul": lambda n, d, m: ([(n, d), (d,)], lambda s, a, b: s.mul(a, b)),
    "sum": lambda n, d, m: ([(n, d, m)], lambda s, a: s.sum(a, axis=1)),
    "gates": lambda n, d, m: ([(n, d)], lambda s, a: s.weights(a)),
    "forward": lambda n, d, m: ([(n,), (n, n), (d, n)], lambda s, i, A, e: forward(i, A, e, s)),
    "backward": lambda n, d, m: ([(n, n), (d, n)], lambda s, A, e: backward(A, e, s)),
    "viterbi": lambda n, d, m: ([(n,), (n, n), (d, n)], lambda s, i, A, e: viterbi(i, A, e, s)[0]),
    "legendre": lambda n, d, m: (
        [(n, d), (m,)],
        lambda s, f, p: legendre(f, np.arange(d), np.sort(p.ravel()), axis=-1),
    ),
    "nodes of any kind": lambda n, d, m: ([(n,), (n,), (m,)], lambda s, f, x, p: legendre(f, x, p)),
    "hopf_lax": lambda n, d, m: ([(n, d)], lambda s, f: hopf_lax(f, 0.5, sign=s.sign)),
    "hopf_cole": lambda n, d, m: ([(n, d)], lambda s, f: hopf_cole(f, 0.5, s.eps)),
    "sparse": lambda n, d, m: (
        [(d,), (m, 4)],
        lambda s, data, x: (
            SparseMatrix((4, 4), np.arange(len(data)) % 4, np.arange(len(data)) % 3, data) @ x.T
        ),
    ),
}


def outcome(function, semiring, inputs):
    """The bits of the result, or the class of the error."""
    try:
        sign, eps = semiring
        result = np.asarray(function(Semiring(sign, eps), *inputs))
    except REFUSED as error:
        return type(error).__name__
    if result.dtype == object:
        return result.shape, [repr(v) for v in result.ravel().tolist()]
    return result.shape, str(result.dtype), np.ascontiguousarray(result).tobytes()


GROUPS = {
    "polynomials": [kind for kind in CALLS if kind.startswith("polynomial")],
    "maps": ["map", "sparse"],
    "matrices": ["matmul", "matmul of many", "winners", "residual", "star", "power"],
    "semirings": ["add", "mul", "sum", "gates"],
    "chains": ["forward", "backward", "viterbi"],
    "transforms": ["legendre", "nodes of any kind", "hopf_lax", "hopf_cole"],
}


@pytest.mark.parametrize("kinds", GROUPS.values(), ids=GROUPS)
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data(), semiring=semirings)
def test_any_array_gives_what_a_fresh_one_gives(kinds, data, semiring):
    kind, function, given_arrays = data.draw(calls(kinds))
    before = [repr(g.fresh.tolist()) for g in given_arrays]
    got = outcome(function, semiring, [g.array for g in given_arrays])
    assert got == outcome(function, semiring, [g.fresh for g in given_arrays]), kind
    assert [repr(g.array.tolist()) for g in given_arrays] == before, f"{kind} wrote into an input"


# ---- out= ------------------------------------------------------------------------------------------------

OUTPUTS = {
    "polynomial": ((3,), lambda out, x: Polynomial(np.eye(2), [0.0, 1.0])(x, out=out)),
    "gradient": ((3, 2), lambda out, x: Polynomial(np.eye(2), [0.0, 1.0]).gradient(x, out=out)),
    "map": ((3, 1), lambda out, x: PolynomialMap([Polynomial(np.eye(2), [0.0, 1.0])])(x, out=out)),
    "matmul": ((3, 3), lambda out, x: matmul(x, x.T, out=out)),
    "soft matmul": ((3, 3), lambda out, x: matmul(x, x.T, Semiring(eps=0.5), out=out)),
    "add": ((3, 2), lambda out, x: Semiring(eps=0.5).add(x, 1.0, out=out)),
    "hard add": ((3, 2), lambda out, x: Semiring().add(x, 1.0, out=out)),
    "weights": ((3, 2), lambda out, x: Semiring(eps=0.5).weights(x, out=out)),
    "forward": ((3, 2), lambda out, x: forward(np.zeros(2), np.zeros((2, 2)), x, out=out)),
    "legendre": ((3, 4), lambda out, x: legendre(x, [0.0, 1.0], np.arange(4.0), out=out)),
    "hopf_lax": ((3, 2), lambda out, x: hopf_lax(x, 1.0, out=out)),
    "hopf_cole": ((3, 2), lambda out, x: hopf_cole(x, 1.0, 0.5, out=out)),
}  # fmt: skip


def _sound(shape):
    """Places for a result that may be written to: (array that holds it, the view)."""
    rows, columns = (*shape, 1)[:2]
    wide = np.full((3 * rows + 2, 3 * columns + 2), 7.0)
    yield "C", (a := np.full(shape, 7.0)), a
    yield "Fortran", (a := np.full(shape, 7.0, order="F")), a
    yield (
        "strided",
        wide,
        wide[1:-1:3, 1:-1:3].reshape(shape) if len(shape) == 1 and False else _window(wide, shape),
    )
    yield "backwards", (a := np.full(shape, 7.0)), a[::-1]


def _window(wide, shape):
    view = wide[1::3, 1::3][: shape[0]]
    return view[:, 0] if len(shape) == 1 else view[:, : shape[1]]


@pytest.mark.parametrize("name", OUTPUTS)
def test_out_takes_the_result_and_nothing_else(name):
    shape, call = OUTPUTS[name]
    x = np.random.default_rng(0).normal(size=(3, 2))
    want = call(None, x)
    for layout, whole, out in _sound(shape):
        outside = whole.size - out.size
        assert np.shares_memory(call(out, x), out), layout
        assert np.array_equal(out, want), layout
        assert (whole == 7.0).sum() == outside, layout


@pytest.mark.parametrize("name", OUTPUTS)
def test_out_that_cannot_be_taken(name):
    shape, call = OUTPUTS[name]
    x = np.random.default_rng(0).normal(size=(3, 2))
    before = x.copy()
    bad = [
        np.zeros(shape, ">f8"), np.zeros(shape, "f4"), np.zeros(shape, int), np.zeros(shape, object),
        np.zeros((*shape, 1)), np.zeros(shape[1:]), np.zeros((0,)), _read_only(np.zeros(shape)),
        np.broadcast_to(0.0, shape), [0.0], "out", x, x[:, ::-1], x.T, x[:, 0], np.zeros(shape).tolist(),
    ]  # fmt: skip
    for out in bad:
        with pytest.raises(TropicalError):
            call(out, x)
    assert np.array_equal(x, before)


@given(n_threads=st.sampled_from([0, -1, 2**40, 1.5, "2", None, True]))
@example(n_threads=2**40)
def test_numbers_of_threads(n_threads):
    p, x = Polynomial(np.eye(2), [0.0, 1.0]), np.zeros((3, 2))
    try:
        assert p(x, n_threads=n_threads).tolist() == [1.0] * 3
    except REFUSED:
        assert n_threads not in (None, True)


@pytest.mark.parametrize("semiring", [Semiring(), Semiring(-1)])
def test_no_warning_leaks(semiring):
    """Warnings are errors here: a product beyond the floats, NaN among Fractions in a closure."""
    assert np.isinf(semiring.mul([1.7e308, -1.7e308], [1.7e308, -1.7e308])).all()
    with pytest.raises(TropicalError, match="is nan"):
        star(np.array([[np.nan, Fraction(1)], [Fraction(0), np.inf]], dtype=object), semiring)


def test_numbers_beyond_the_floats_beside_infinities():
    """Fraction + inf asks for the Fraction as a float, which there is none of; an exact sum does not."""
    big, low, inf = Fraction(10**400), -np.inf, np.inf
    A = np.array([[big, low]], dtype=object)
    assert Semiring().mul(A, low).tolist() == [[low, low]]
    assert Semiring(-1).mul(A, inf).tolist() == [[inf, inf]]
    assert Semiring(-1).mul(A, low).tolist() == [[low, low]]
    assert matmul(A, np.array([[0, low], [1, 0]], dtype=object)).tolist() == [[big, low]]
    assert star(np.array([[-big, low], [-1, -big]], dtype=object)).tolist() == [[0, low], [-1, 0]]
    p = Polynomial([[Fraction(1)], [-big]], [big, low])
    assert p([Fraction(1)]) == big + 1
    assert p(np.array([[inf], [low]], dtype=object)).tolist() == [inf, low]
    with pytest.raises(TropicalError, match="eps"):
        Polynomial(np.eye(2), [0.0, 1.0], Semiring(eps=0.5)).hessian([[Fraction(1), Fraction(0)]])
    with pytest.raises(TropicalError, match=r"shapes \(2,\), \(3,\)"):
        Semiring().mul([1.0, 2.0], [1.0, 2.0, 3.0])
