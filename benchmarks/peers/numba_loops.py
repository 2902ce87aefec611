"""Numba: plain loops, compiled with fast arithmetic and a parallel outer loop."""

import numpy as np
from contestants import Run, contestant
from numba import njit, prange
from workloads import Chain, Conjugate, Convolution, Distances, Evaluation, Paths, Product

PACKAGES = ("numba",)

fast = njit(parallel=True, fastmath=True)
BLOCK = 256  # points that share a pass over the monomials when points run in the inner loop


@fast
def max_at(x, slopes, b, values, gradient):
    for i in prange(len(x)):
        top, best = -np.inf, 0
        for j in range(len(b)):
            z = b[j]
            for k in range(x.shape[1]):
                z += slopes[j, k] * x[i, k]
            if z > top:
                top, best = z, j
        values[i] = top
        for k in range(gradient.shape[1]):
            gradient[i, k] = slopes[best, k]


@fast
def max_points_inside(xt, slopes, b, values):
    d, points = xt.shape
    for block in prange((points + BLOCK - 1) // BLOCK):
        start, stop = block * BLOCK, min(points, (block + 1) * BLOCK)
        top = np.full(stop - start, -np.inf, xt.dtype)
        z = np.empty(stop - start, xt.dtype)
        for j in range(len(b)):
            z[:] = b[j]
            for k in range(d):
                slope = slopes[j, k]
                for i in range(stop - start):
                    z[i] += slope * xt[k, start + i]
            for i in range(stop - start):
                top[i] = max(top[i], z[i])
        values[start:stop] = top


@fast
def lse_at(x, slopes, b, eps, values, gradient):
    for i in prange(len(x)):
        z = np.empty(len(b), x.dtype)
        top = -np.inf
        for j in range(len(b)):
            t = b[j]
            for k in range(x.shape[1]):
                t += slopes[j, k] * x[i, k]
            z[j] = t
            top = max(top, t)
        total = x.dtype.type(0)
        for k in range(gradient.shape[1]):
            gradient[i, k] = 0
        for j in range(len(b)):
            e = np.exp((z[j] - top) / eps)
            total += e
            for k in range(gradient.shape[1]):
                gradient[i, k] += e * slopes[j, k]
        values[i] = top + eps * np.log(total)
        for k in range(gradient.shape[1]):
            gradient[i, k] /= total


@fast
def at_one_point(x, slopes, b, eps):
    z = np.empty(len(b), x.dtype)
    for j in prange(len(b)):
        t = b[j]
        for k in range(len(x)):
            t += slopes[j, k] * x[k]
        z[j] = t
    top = z.max()
    if eps == 0:
        return top
    total = x.dtype.type(0)
    for j in prange(len(b)):
        total += np.exp((z[j] - top) / eps)
    return top + eps * np.log(total)


@contestant("Numba", Evaluation, "max", "lse", "maxgrad", "lsegrad")
def evaluate(w: Evaluation) -> Run:
    eps = w.dtype.type(w.eps)
    if len(w.x) == 1:
        return lambda: np.array([at_one_point(w.x[0], w.slopes, w.b, eps)])
    values = np.empty(len(w.x), w.dtype)
    gradient = np.empty((len(w.x), w.x.shape[1] if w.with_gradient else 0), w.dtype)

    def run():
        if w.eps:
            lse_at(w.x, w.slopes, w.b, eps, values, gradient)
        else:
            max_at(w.x, w.slopes, w.b, values, gradient)
        return (values, gradient) if w.with_gradient else values

    return run


@contestant("Numba, points inside", Evaluation, "max", fits=lambda w: w.x.shape[1] <= 16 and len(w.x) > 1)
def evaluate_points_inside(w: Evaluation) -> Run:
    values = np.empty(len(w.x), w.dtype)

    def run():
        max_points_inside(np.ascontiguousarray(w.x.T), w.slopes, w.b, values)
        return values

    return run


@fast
def max_products(a, b, c):
    batch, rows, inner = a.shape
    for index in prange(batch * rows):
        q, i = index // rows, index % rows
        c[q, i] = -np.inf
        for k in range(inner):
            t = a[q, i, k]
            for j in range(c.shape[2]):
                c[q, i, j] = max(c[q, i, j], t + b[q, k, j])


@fast
def lse_products(a, b, eps, c):
    batch, rows, inner = a.shape
    for index in prange(batch * rows):
        q, i = index // rows, index % rows
        c[q, i] = -np.inf
        total = np.zeros(c.shape[2], a.dtype)
        for k in range(inner):
            t = a[q, i, k]
            for j in range(c.shape[2]):
                c[q, i, j] = max(c[q, i, j], t + b[q, k, j])
        for k in range(inner):
            t = a[q, i, k]
            for j in range(c.shape[2]):
                total[j] += np.exp((t + b[q, k, j] - c[q, i, j]) / eps)
        for j in range(c.shape[2]):
            c[q, i, j] += eps * np.log(total[j])


@contestant("Numba", Product, "max", "lse", fits=lambda w: not w.eps or w.a.shape[-1] <= 1024)
def product(w: Product) -> Run:
    c = np.empty(w.a.shape[:-1] + w.b.shape[-1:], w.dtype)
    a, b, out = (m if w.is_batch else m[None] for m in (w.a, w.b, c))

    def run():
        if w.eps:
            lse_products(a, b, w.dtype.type(w.eps), out)
        else:
            max_products(a, b, out)
        return c

    return run


@njit
def lower_envelope(f, w, out, vertices, starts):
    """Felzenszwalb and Huttenlocher, section 2; +inf is no parabola."""
    n, last = len(f), -1
    for q in range(n):
        if f[q] == np.inf:
            continue
        start = -np.inf
        while last >= 0:
            v = vertices[last]
            start = ((f[q] - f[v]) / w + q * q - v * v) / (2 * (q - v))
            if start > starts[last]:
                break
            last -= 1
        last += 1
        vertices[last] = q
        starts[last] = start if last else -np.inf
    if last < 0:
        out[:] = np.inf
        return
    starts[last + 1] = np.inf
    k = 0
    for q in range(n):
        while starts[k + 1] < q:
            k += 1
        d = q - vertices[k]
        out[q] = f[vertices[k]] + w * d * d


@njit(parallel=True)
def each_envelope(f, w, out):
    for i in prange(len(f)):
        n = f.shape[1]
        lower_envelope(f[i], w, out[i], np.empty(n, np.int64), np.empty(n + 1))


def every_axis(f: np.ndarray, w: float) -> np.ndarray:
    """The axes take turns at being the last one, so that lines are contiguous."""
    for axis in range(f.ndim):
        lines = np.ascontiguousarray(np.moveaxis(f, axis, -1))
        out = np.empty_like(lines)
        each_envelope(lines.reshape(-1, lines.shape[-1]), w, out.reshape(-1, lines.shape[-1]))
        f = np.moveaxis(out, -1, axis)
    return f


@contestant("Numba envelope", Convolution, "min")
def convolution(w: Convolution) -> Run:
    return lambda: every_axis(w.f, w.w)


@contestant("Numba envelope", Distances, "edt")
def distances(w: Distances) -> Run:
    return lambda: every_axis(np.where(w.f, 0, np.inf), 1.0)


@njit
def hull_and_walk(f, x, p, out):
    hull, last = np.empty(len(f), np.int64), -1
    for i in range(len(f)):
        while last > 0:
            a, b = hull[last - 1], hull[last]
            if (f[b] - f[a]) * (x[i] - x[b]) < (f[i] - f[b]) * (x[b] - x[a]):
                break
            last -= 1
        last += 1
        hull[last] = i
    k = 0
    for j in range(len(p)):
        while k < last and f[hull[k + 1]] - f[hull[k]] < p[j] * (x[hull[k + 1]] - x[hull[k]]):
            k += 1
        out[j] = p[j] * x[hull[k]] - f[hull[k]]


@contestant("Numba hull", Conjugate, "max")
def conjugate(w: Conjugate) -> Run:
    def run():
        out = np.empty_like(w.p)
        hull_and_walk(w.f, w.x, w.p, out)
        return out

    return run


@fast
def soft_terms(f, w, eps, out):
    for j in prange(len(f)):
        low, total = np.inf, 0.0
        for i in range(len(f)):
            low = min(low, f[i] + w * (i - j) ** 2)
        for i in range(len(f)):
            total += np.exp((low - f[i] - w * (i - j) ** 2) / eps)
        out[j] = low - eps * np.log(total)


@contestant("Numba", Convolution, "lse", fits=lambda w: w.f.size <= 10_000)
def soft_convolution(w: Convolution) -> Run:
    def run():
        out = np.empty_like(w.f)
        soft_terms(w.f, w.w, w.eps, out)
        return out

    return run


@fast
def relax_all(d):
    for k in range(len(d)):
        for i in prange(len(d)):
            t = d[i, k]
            for j in range(len(d)):
                d[i, j] = min(d[i, j], t + d[k, j])


@contestant("Numba Floyd–Warshall", Paths, "min")
def paths(w: Paths) -> Run:
    def run():
        d = w.weights.copy()
        relax_all(d)
        return d

    return run


@fast
def viterbi(transition, emissions, state):
    for q in prange(len(state)):
        new = np.empty(len(transition))
        for t in range(len(emissions)):
            new[:] = -np.inf
            for i in range(len(transition)):
                for j in range(len(transition)):
                    new[j] = max(new[j], state[q, i] + transition[i, j])
            for j in range(len(transition)):
                state[q, j] = new[j] + emissions[t, q, j]


@contestant("Numba", Chain, "max")
def chain(w: Chain) -> Run:
    def run():
        state = w.start.copy()
        viterbi(w.transition, w.emissions, state)
        return state

    return run
