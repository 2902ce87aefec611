"""NumPy as an expert writes it, and what SciPy has ready."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from contestants import THREADS, Run, contestant, rows_in_cache
from scipy.ndimage import distance_transform_edt, grey_erosion
from scipy.signal import fftconvolve
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra, floyd_warshall
from scipy.special import logsumexp
from workloads import Chain, Convolution, Distances, Evaluation, Paths, Product

PACKAGES = ("numpy", "scipy")


@contestant("NumPy chunked", Evaluation, "max", "lse", "maxgrad", "lsegrad")
def evaluate_chunked(w: Evaluation) -> Run:
    """Matrix product and reduction, in chunks that stay in cache, shared out to threads if there are any."""
    rows = rows_in_cache(len(w.b), w.dtype, len(w.x))
    values = np.empty(len(w.x), w.dtype)
    gradient = np.empty_like(w.x) if w.with_gradient else None

    def chunk(start: int) -> None:
        here = slice(start, start + rows)
        z = w.x[here] @ w.slopes.T
        z += w.b
        if not w.eps and w.with_gradient:
            best = z.argmax(axis=1)
            values[here] = np.take_along_axis(z, best[:, None], axis=1)[:, 0]
            gradient[here] = w.slopes[best]
            return
        top = z.max(axis=1)
        if w.eps:
            z -= top[:, None]
            z *= w.dtype.type(1 / w.eps)
            np.exp(z, out=z)
            total = z.sum(axis=1)
            top += w.dtype.type(w.eps) * np.log(total)
            if w.with_gradient:
                gradient[here] = z @ w.slopes / total[:, None]
        values[here] = top

    each = ThreadPoolExecutor(THREADS).map if THREADS > 1 else map

    def run():
        for _ in each(chunk, range(0, len(w.x), rows)):
            pass
        return (values, gradient) if w.with_gradient else values

    return run


@contestant("SciPy logsumexp", Evaluation, "lse", fits=lambda w: w.pairs <= 2e7)
def evaluate_scipy(w: Evaluation) -> Run:
    eps = w.dtype.type(w.eps)
    return lambda: eps * logsumexp((w.x @ w.slopes.T + w.b) / eps, axis=1)


@contestant("NumPy loop", Product, "max", fits=lambda w: w.a.shape[-1] <= 1024)
def product_loop(w: Product) -> Run:
    """Rank-one updates for a batch; one row after the other for large matrices."""

    def batch():
        c = np.full(w.a.shape[:-1] + w.b.shape[-1:], -np.inf, w.dtype)
        for k in range(w.a.shape[-1]):
            np.maximum(c, w.a[:, :, k, None] + w.b[:, k, None, :], out=c)
        return c

    def rows():
        columns = np.ascontiguousarray(w.b.T)
        return np.stack([(columns + row).max(axis=1) for row in w.a])

    return batch if w.is_batch else rows


@contestant("NumPy gemm of exp", Product, "lse")
def product_of_exp(w: Product) -> Run:
    """Scaled by the largest of each row and column; wrong where these do not meet (underflow)."""
    eps = w.dtype.type(w.eps)

    def run():
        a_top, b_top = w.a.max(axis=-1, keepdims=True), w.b.max(axis=-2, keepdims=True)
        c = np.exp((w.a - a_top) / eps) @ np.exp((w.b - b_top) / eps)
        return np.log(c, out=c) * eps + a_top + b_top

    return run


@contestant("SciPy grey erosion", Convolution, "min", fits=lambda w: w.f.size <= 10_000)
def convolution_erosion(w: Convolution) -> Run:
    """By a parabola just wide enough for these values."""
    reach = int(np.sqrt(np.ptp(w.f) / w.w)) + 1
    structure = -w.w * np.arange(-reach, reach + 1.0) ** 2
    return lambda: grey_erosion(w.f, structure=structure, mode="constant", cval=np.inf)


@contestant("SciPy FFT of exp", Convolution, "lse")
def convolution_fft(w: Convolution) -> Run:
    """Right only where f stays within a few ε: the error of the FFT is relative to the largest term."""
    n = w.f.shape[0]
    kernel = np.exp(-w.w / w.eps * np.arange(1.0 - n, n) ** 2)

    def run():
        low = w.f.min()
        u = np.exp((low - w.f) / w.eps)
        for axis in range(u.ndim):
            u = fftconvolve(u, kernel.reshape([-1 if a == axis else 1 for a in range(u.ndim)]), axes=axis)
            u = np.take(u, range(n - 1, 2 * n - 1), axis=axis) if axis else u[n - 1 : 2 * n - 1]
        with np.errstate(invalid="ignore", divide="ignore"):
            return low - w.eps * np.log(u)

    return run


@contestant("NumPy gemm of exp", Convolution, "lse", fits=lambda w: w.f.ndim == 2)
def convolution_of_exp(w: Convolution) -> Run:
    """One axis after the other, scaled by its least values; wrong where these do not meet (underflow)."""
    places = np.arange(float(len(w.f)))
    kernel = np.exp(-w.w / w.eps * (places[:, None] - places) ** 2)

    def run():
        low = w.f.min(axis=1, keepdims=True)
        u = low - w.eps * np.log(np.exp((low - w.f) / w.eps) @ kernel)
        low = u.min(axis=0, keepdims=True)
        return low - w.eps * np.log(kernel @ np.exp((low - u) / w.eps))

    return run


@contestant("SciPy EDT", Distances, "edt")
def distances(w: Distances) -> Run:
    return lambda: distance_transform_edt(~w.f) ** 2


@contestant("NumPy Floyd–Warshall", Paths, "min")
def paths_numpy(w: Paths) -> Run:
    def run():
        d = w.weights.copy()
        for k in range(len(d)):
            np.minimum(d, d[:, k, None] + d[k], out=d)
        return d

    return run


@contestant("SciPy Floyd–Warshall", Paths, "min")
def paths_scipy(w: Paths) -> Run:
    return lambda: floyd_warshall(w.weights)


@contestant("SciPy Dijkstra", Paths, "min")
def paths_dijkstra(w: Paths) -> Run:
    graph = csr_array(np.where(np.isinf(w.weights), 0, w.weights))
    return lambda: dijkstra(graph)


@contestant("NumPy loop", Chain, "max", "lse")
def chain_loop(w: Chain) -> Run:
    columns = np.ascontiguousarray(w.transition.T)
    exp_transition = np.exp(w.transition / w.eps) if w.eps else None

    def run():
        state = w.start
        for emission in w.emissions:
            if w.eps:
                top = state.max(axis=1, keepdims=True)
                state = top + w.eps * np.log(np.exp((state - top) / w.eps) @ exp_transition) + emission
            else:
                state = (state[:, None, :] + columns).max(axis=2) + emission
        return state

    return run
