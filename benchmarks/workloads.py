"""The workloads: seeded data, the operations any implementation must do, and references in long double.

A workload is named by a case (sizes), an op and a dtype, and every process makes the same arrays from the
name. Results are checked on a subset of the outputs, small enough for arithmetic in `numpy.longdouble`.
"""

import zlib
from dataclasses import dataclass

import numpy as np

__all__ = [
    "CASES",
    "Chain",
    "Conjugate",
    "Convolution",
    "Counts",
    "Distances",
    "Evaluation",
    "Paths",
    "Product",
    "Workload",
    "make",
    "names",
]

_SUBSET = 64  # points, or rows, that are checked
_DECIDED = 1e-3  # gap of the two largest terms below which a float32 argmax may rightly differ
# Vector operations of an accurate exp or log, by bytes of a number: the fewest cycles of the ports for floating point
# that we know of, with powers of two from registers and scaling as integers beside them.
_EXP = {8: 7.4, 4: 3.5}


@dataclass(frozen=True)
class Counts:
    """Operations that no implementation can leave out, per number (not per vector), and bytes it must move."""

    fma: float
    max: float
    bytes: float


@dataclass(frozen=True, eq=False)
class Workload:
    """What all workloads have. `op` is "max", "min", "lse" or "edt", with "grad" behind it if gradients are due."""

    case: str
    op: str
    dtype: np.dtype
    eps: float

    @property
    def exp(self) -> float:
        """What an exponential or a logarithm costs."""
        return _EXP[self.dtype.itemsize]

    def counts(self) -> Counts:
        raise NotImplementedError

    def reference(self) -> tuple[np.ndarray, ...]:
        """The leading outputs in long double."""
        raise NotImplementedError

    def error(self, results: tuple[np.ndarray, ...]) -> float:
        """Largest |got − want| / max(1, |want|) over the leading outputs; NaN if any is NaN."""
        pairs = zip(results, self.reference(), strict=True)
        return max((_relative_error(got[: len(want)], want) for got, want in pairs), key=_nan_last)


@dataclass(frozen=True, eq=False)
class Evaluation(Workload):
    """max_j (W_j·x + b_j), or its log-sum-exp, at many points; with gradients if the op says so."""

    x: np.ndarray  # (B, d)
    slopes: np.ndarray  # (N, d)
    b: np.ndarray  # (N,)

    @property
    def with_gradient(self) -> bool:
        return self.op.endswith("grad")

    @property
    def pairs(self) -> int:
        """Points times monomials, the size of the matrix that a fused kernel never writes."""
        return len(self.x) * len(self.b)

    def counts(self) -> Counts:
        fma = self.slopes.shape[1]
        if self.eps:
            fma += self.exp + (self.slopes.shape[1] if self.with_gradient else 0)
        read = self.x.nbytes + self.slopes.nbytes + self.b.nbytes
        return Counts(self.pairs * fma, self.pairs, read)

    def reference(self) -> tuple[np.ndarray, ...]:
        z = self._terms()
        values = _soft_max(z, self.eps, axis=1)
        if not self.with_gradient:
            return (values,)
        if not self.eps:
            return values, _long(self.slopes[z.argmax(axis=1)])
        weights = np.exp((z - values[:, None]) / self.eps)
        return values, weights @ _long(self.slopes)

    def error(self, results: tuple[np.ndarray, ...]) -> float:
        if self.op != "maxgrad":
            return super().error(results)
        top = np.partition(self._terms(), -2, axis=1)[:, -2:]
        decided = top[:, 1] - top[:, 0] > _DECIDED
        (values, gradient), n = self.reference(), len(decided)
        errors = (
            _relative_error(results[0][:n], values),
            _relative_error(results[1][:n][decided], gradient[decided]),
        )
        return max(errors, key=_nan_last)

    def _terms(self) -> np.ndarray:
        return _long(self.x[:_SUBSET]) @ _long(self.slopes.T) + _long(self.b)


@dataclass(frozen=True, eq=False)
class Product(Workload):
    """C = A ⊗ B: C_ij = ⊕_k A_ik + B_kj, for one pair of matrices or a batch of them."""

    a: np.ndarray  # (..., m, K)
    b: np.ndarray  # (..., K, n)

    @property
    def is_batch(self) -> bool:
        return self.a.ndim == 3

    def counts(self) -> Counts:
        terms, read = self.a.size * self.b.shape[-1], self.a.nbytes + self.b.nbytes
        if not self.eps:
            return Counts(terms, terms, read)
        outputs = terms // self.a.shape[-1]  # exp of both factors, an ordinary product, log of the outputs
        return Counts(
            terms + self.exp * (self.a.size + self.b.size + outputs), self.a.size + self.b.size, read
        )

    def reference(self) -> tuple[np.ndarray, ...]:
        a, b = (self.a[:2], self.b[:2]) if self.is_batch else (self.a[:4], self.b)
        return (_soft_max(_long(a)[..., :, None] + _long(b)[..., None, :, :], self.eps, axis=-2),)


@dataclass(frozen=True, eq=False)
class Paths(Workload):
    """Shortest paths between all pairs of a dense matrix of weights, in which +∞ is "no edge"."""

    weights: np.ndarray  # (n, n)

    def counts(self) -> Counts:
        return Counts(self.weights.size * len(self.weights), self.weights.size * len(self.weights), 0)

    def reference(self) -> tuple[np.ndarray, ...]:
        """By Bellman–Ford from a few vertices."""
        weights = _long(self.weights)
        distances, before = weights[:4], None
        while before is None or (distances != before).any():
            before = distances
            distances = np.stack([(row[:, None] + weights).min(axis=0) for row in distances])
        return (distances,)


@dataclass(frozen=True, eq=False)
class Chain(Workload):
    """The last row of Viterbi's or the forward algorithm: α_{t+1} = (α_t ⊗ A) + e_t, for a batch of chains."""

    transition: np.ndarray  # (S, S)
    emissions: np.ndarray  # (T, batch, S)
    start: np.ndarray  # (batch, S)

    def counts(self) -> Counts:
        terms, read = self.emissions.size * len(self.transition), self.emissions.nbytes
        if not self.eps:
            return Counts(terms, terms, read)
        return Counts(terms + 2 * self.exp * self.emissions.size, self.emissions.size, read)

    def reference(self) -> tuple[np.ndarray, ...]:
        state, transition = _long(self.start[:2]), _long(self.transition)
        for emission in self.emissions[:, :2]:
            state = _soft_max(state[:, :, None] + transition, self.eps, axis=1) + emission
        return (state,)


@dataclass(frozen=True, eq=False)
class OnGrid(Workload):
    """A transform along every axis of an array. Results are checked at a few places along the diagonal."""

    f: np.ndarray

    @property
    def places(self) -> tuple[np.ndarray, ...]:
        return tuple(np.linspace(0, n - 1, 12 if self.f.ndim == 1 else 4).astype(int) for n in self.f.shape)

    def counts(self) -> Counts:
        return Counts(0, 0, 2 * self.f.nbytes * self.f.ndim)  # along each axis all is read and written

    def error(self, results: tuple[np.ndarray, ...]) -> float:
        return super().error(tuple(a[self.places] for a in results))


@dataclass(frozen=True, eq=False)
class Convolution(OnGrid):
    """u(y) = min_x (f(x) + w |x − y|²) on the integers, or its log-sum-exp: Hopf–Lax, Hopf–Cole."""

    w: float

    def counts(self) -> Counts:
        if not self.eps:
            return super().counts()
        support = min(max(self.f.shape), 2 * np.sqrt(45 * self.eps / self.w))  # of a flat f: e^−45 is nothing
        terms = self.f.size * self.f.ndim * (support + 2 * self.exp)
        return Counts(terms, 0, super().counts().bytes)

    def reference(self) -> tuple[np.ndarray, ...]:
        axes = [np.arange(n, dtype=np.longdouble) for n in self.f.shape]
        values = []
        for place in zip(*self.places, strict=True):
            squares = [(x - i) ** 2 for x, i in zip(axes, place, strict=True)]
            cost = squares[0] if len(squares) == 1 else squares[0][:, None] + squares[1]
            values.append(-_soft_max(-(_long(self.f) + np.longdouble(self.w) * cost).ravel(), self.eps, 0))
        return (np.array(values),)


@dataclass(frozen=True, eq=False)
class Distances(OnGrid):
    """Squared Euclidean distances to the places where a binary image `f` is true."""

    def counts(self) -> Counts:
        return Counts(0, 0, self.f.size * (1 + 8 + 16 * (self.f.ndim - 1)))

    def reference(self) -> tuple[np.ndarray, ...]:
        inside = np.argwhere(self.f)
        return (np.array([((inside - place) ** 2).sum(1).min() for place in zip(*self.places, strict=True)]),)


@dataclass(frozen=True, eq=False)
class Conjugate(OnGrid):
    """f*(p_j) = max_i (p_j x_i − f_i), as many slopes as nodes: Legendre's transform."""

    x: np.ndarray
    p: np.ndarray

    def counts(self) -> Counts:
        return Counts(0, 0, 4 * self.f.nbytes)

    def reference(self) -> tuple[np.ndarray, ...]:
        return (np.array([(q * _long(self.x) - self.f).max() for q in _long(self.p[self.places])]),)


# ---- sizes ---------------------------------------------------------------------------------------

_POLYNOMIALS = {  # points, monomials, variables
    "W1a": (100_000, 64, 2),
    "W1b": (100_000, 1024, 2),
    "W1c": (10_000, 4096, 16),
    "W1d": (10_000, 1024, 784),
    "W1e": (1_000_000, 256, 3),
    "W1f": (1, 1_000_000, 8),
}
_PRODUCTS = {"W2a": (256,), "W2b": (1024,), "W2c": (2048,), "W2s": (1000, 32)}  # square; a batch first
_CONVOLUTIONS = {"W3a": (10**4,), "W3b": (10**5,), "W3c": (10**6,), "W3d": (512, 512), "W3e": (1024, 1024)}
_IMAGES = {"W3f": (1000, 1000), "W3g": (3000, 3000), "W3h": (128, 128, 128)}
_CONJUGATES = {"W3i": 10**6}
_PATHS = {"W4a": 500, "W4b": 1000}
_CHAINS = {"W4v": (1000, 32, 64)}  # steps, batch, states

CASES = [*_POLYNOMIALS, *_PRODUCTS, *_CONVOLUTIONS, *_IMAGES, *_CONJUGATES, *_PATHS, *_CHAINS]


def names(case: str) -> list[tuple[str, str]]:
    """The (op, dtype) pairs of a case."""
    if case in _PATHS:
        return [("min", "float64")]
    if case.startswith("W3"):
        ops = ["min", "lse"] if case in _CONVOLUTIONS else ["edt"] if case in _IMAGES else ["max"]
        return [(op, "float64") for op in ops]
    ops = ["max", "lse", "maxgrad", "lsegrad"] if case in ("W1b", "W1c", "W1e") else ["max", "lse"]
    dtypes = ["float64"] if case in _CHAINS else ["float64", "float32"]
    return [(op, dtype) for op in ops for dtype in dtypes]


def make(case: str, op: str, dtype: str) -> Workload:
    """The workload of that name."""
    rng = np.random.default_rng(zlib.crc32(case.encode()))

    def normal(scale: float, *shape: int) -> np.ndarray:
        return (scale * rng.standard_normal(shape)).astype(dtype)

    eps = 0.5 if op.startswith("lse") else 0.0
    if case in _POLYNOMIALS:
        points, monomials, d = _POLYNOMIALS[case]
        arrays = normal(1, points, d), normal(3 / np.sqrt(d), monomials, d), normal(1, monomials)
        return Evaluation(case, op, np.dtype(dtype), eps, *arrays)
    if case in _PRODUCTS:
        *batch, n = _PRODUCTS[case]
        return Product(case, op, np.dtype(dtype), eps, normal(2, *batch, n, n), normal(2, *batch, n, n))
    if case in _PATHS:
        n = _PATHS[case]
        weights = np.where(rng.random((n, n)) < 0.1, rng.random((n, n)), np.inf)
        np.fill_diagonal(weights, 0.0)
        return Paths(case, op, np.dtype(dtype), eps, weights)
    if case in _CONVOLUTIONS:  # a random walk, or sheet; the kernel is e^−1 at 1/90 of the length for ε = ½
        shape = _CONVOLUTIONS[case]
        f = normal(0.1 / shape[0] ** ((len(shape) - 1) / 2), *shape)
        for axis in range(len(shape)):
            f = f.cumsum(axis=axis)
        return Convolution(case, op, np.dtype(dtype), eps, f, 8000 / shape[0] ** 2)
    if case in _IMAGES:
        return Distances(case, op, np.dtype(dtype), eps, rng.random(_IMAGES[case]) < 0.01)
    if case in _CONJUGATES:
        n = _CONJUGATES[case]
        x = np.linspace(-1, 1, n)
        f = x**2 + 1e-4 * normal(1, n)  # about one node in a thousand is on the hull
        return Conjugate(case, op, np.dtype(dtype), eps, f, x, np.linspace(-3, 3, n))
    steps, batch, states = _CHAINS[case]
    arrays = normal(1, states, states), normal(1, steps, batch, states), normal(1, batch, states)
    return Chain(case, op, np.dtype(dtype), 2 * eps, *arrays)


# ---- arithmetic of the references ----------------------------------------------------------------


def _long(a: np.ndarray) -> np.ndarray:
    return a.astype(np.longdouble)


def _soft_max(z: np.ndarray, eps: float, axis: int) -> np.ndarray:
    top = z.max(axis=axis, keepdims=True)
    if eps:
        top = top + eps * np.log(np.exp((z - top) / eps).sum(axis=axis, keepdims=True))
    return top.squeeze(axis)


def _relative_error(got: np.ndarray, want: np.ndarray) -> float:
    same = got == want  # equal infinities have no difference
    with np.errstate(invalid="ignore"):
        error = np.abs(got - want) / np.maximum(1, np.abs(want))
    return float(np.where(same, 0, error).max(initial=0))


def _nan_last(error: float) -> tuple[bool, float]:
    return error != error, error
