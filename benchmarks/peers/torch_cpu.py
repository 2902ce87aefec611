"""PyTorch on the processor: eager, in chunks, and compiled."""

import torch
from contestants import THREADS, Run, contestant, rows_in_cache
from workloads import Chain, Convolution, Evaluation, Paths, Product

PACKAGES = ("torch",)

torch.set_num_threads(THREADS)


def point_function(w: Evaluation, slopes: torch.Tensor, b: torch.Tensor):
    """Values, or values and gradients, at a tensor of points."""

    def function(x):
        z = torch.addmm(b, x, slopes.T)
        if not w.eps:
            if not w.with_gradient:
                return z.amax(1)
            values, best = z.max(1)
            return values, slopes[best]
        z = z * (1 / w.eps)
        values = w.eps * torch.logsumexp(z, 1)
        return (values, torch.softmax(z, 1) @ slopes) if w.with_gradient else values

    return function


@contestant("torch eager", Evaluation, "max", "lse", "maxgrad", "lsegrad", fits=lambda w: w.pairs <= 1.1e8)
def evaluate_eager(w: Evaluation) -> Run:
    x, slopes, b = map(torch.from_numpy, (w.x, w.slopes, w.b))
    function = point_function(w, slopes, b)
    return torch.no_grad()(lambda: function(x))


@contestant("torch chunked", Evaluation, "max", "lse", "maxgrad", "lsegrad", fits=lambda w: len(w.x) > 1)
def evaluate_chunked(w: Evaluation) -> Run:
    x, slopes, b = map(torch.from_numpy, (w.x, w.slopes, w.b))
    function = point_function(w, slopes, b)
    rows = rows_in_cache(len(b), w.dtype, len(x))

    @torch.no_grad()
    def run():
        parts = [function(chunk) for chunk in x.split(rows)]
        return tuple(map(torch.cat, zip(*parts, strict=True))) if w.with_gradient else torch.cat(parts)

    return run


@contestant("torch.compile", Evaluation, "max", "lse", fits=lambda w: w.pairs <= 1.1e8)
def evaluate_compiled(w: Evaluation) -> Run:
    """For few variables the affine part is written out, so that the compiler can fuse it with the rest."""
    x, slopes, b = map(torch.from_numpy, (w.x, w.slopes, w.b))
    d = w.x.shape[1]

    def affine(x, slopes, b):
        if d > 3:
            return torch.addmm(b, x, slopes.T)
        return b + sum(x[:, k, None] * slopes[None, :, k] for k in range(d))

    def function(x, slopes, b):
        z = affine(x, slopes, b)
        return w.eps * torch.logsumexp(z * (1 / w.eps), 1) if w.eps else z.amax(1)

    compiled = torch.compile(function, dynamic=False)
    return torch.no_grad()(lambda: compiled(x, slopes, b))


def reduce_last(w: Product, z: torch.Tensor) -> torch.Tensor:
    return w.eps * torch.logsumexp(z * (1 / w.eps), -1) if w.eps else z.amax(-1)


@contestant("torch chunked", Product, "max", "lse", fits=lambda w: not w.eps or w.a.shape[-1] <= 256)
def product_chunked(w: Product) -> Run:
    a, columns = torch.from_numpy(w.a), torch.from_numpy(w.b).mT.contiguous()
    rows = rows_in_cache(columns.shape[-1] * columns.shape[-2], w.dtype, len(a))

    def run():
        if w.is_batch:
            chunks = zip(a.split(rows), columns.split(rows), strict=True)
            return torch.cat([reduce_last(w, p[:, :, None, :] + q[:, None]) for p, q in chunks])
        return torch.cat([reduce_last(w, p[:, None, :] + columns) for p in a.split(rows)])

    return torch.no_grad()(run)


@contestant("torch.compile", Product, "max", "lse", fits=lambda w: w.a.shape[-1] <= (256 if w.eps else 1024))
def product_compiled(w: Product) -> Run:
    a, columns = torch.from_numpy(w.a), torch.from_numpy(w.b).mT.contiguous()
    compiled = torch.compile(
        lambda a, columns: reduce_last(w, a[..., :, None, :] + columns[..., None, :, :]), dynamic=False
    )
    return torch.no_grad()(lambda: compiled(a, columns))


@contestant("torch gemm of exp", Product, "lse")
def product_of_exp(w: Product) -> Run:
    a, b = torch.from_numpy(w.a), torch.from_numpy(w.b)

    def run():
        a_top, b_top = a.amax(-1, keepdim=True), b.amax(-2, keepdim=True)
        c = ((a - a_top) * (1 / w.eps)).exp_() @ ((b - b_top) * (1 / w.eps)).exp_()
        return c.log_() * w.eps + a_top + b_top

    return torch.no_grad()(run)


@contestant("torch chunked", Convolution, "min", "lse", fits=lambda w: w.f.ndim == 1 and w.f.size <= 10_000)
def convolution_chunked(w: Convolution) -> Run:
    f = torch.from_numpy(w.f)
    places = torch.arange(len(f), dtype=f.dtype)
    rows = rows_in_cache(len(f), w.dtype, len(f))

    def some(y: torch.Tensor) -> torch.Tensor:
        terms = f + w.w * (y[:, None] - places) ** 2
        return -w.eps * torch.logsumexp(terms * (-1 / w.eps), 1) if w.eps else terms.amin(1)

    return torch.no_grad()(lambda: torch.cat([some(y) for y in places.split(rows)]))


@contestant("torch gemm of exp", Convolution, "lse", fits=lambda w: w.f.ndim == 2)
def convolution_of_exp(w: Convolution) -> Run:
    f = torch.from_numpy(w.f)
    places = torch.arange(len(f), dtype=f.dtype)
    kernel = torch.exp(-w.w / w.eps * (places[:, None] - places) ** 2)

    def run():
        low = f.amin(1, keepdim=True)
        u = low - w.eps * (((low - f) / w.eps).exp() @ kernel).log()
        low = u.amin(0, keepdim=True)
        return low - w.eps * (kernel @ ((low - u) / w.eps).exp()).log()

    return torch.no_grad()(run)


@contestant("torch Floyd–Warshall", Paths, "min")
def paths(w: Paths) -> Run:
    weights = torch.from_numpy(w.weights)

    def run():
        d = weights.clone()
        for k in range(len(d)):
            torch.minimum(d, d[:, k, None] + d[k], out=d)
        return d

    return run


@contestant("torch loop", Chain, "max", "lse")
def chain(w: Chain) -> Run:
    transition, emissions, start = map(torch.from_numpy, (w.transition, w.emissions, w.start))
    columns = transition.T.contiguous()
    exp_transition = torch.exp(transition / w.eps) if w.eps else None

    def run():
        state = start
        for emission in emissions:
            if w.eps:
                top = state.amax(1, keepdim=True)
                state = top + w.eps * (((state - top) / w.eps).exp() @ exp_transition).log() + emission
            else:
                state = (state[:, None, :] + columns).amax(2) + emission
        return state

    return run
