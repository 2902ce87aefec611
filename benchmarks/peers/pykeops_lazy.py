"""pykeops: symbolic matrices whose reductions are compiled to fused C++ loops."""

import torch
from contestants import Run, contestant
from pykeops.torch import LazyTensor
from workloads import Convolution, Evaluation

PACKAGES = ("pykeops",)


@contestant("pykeops", Evaluation, "max", "lse", "maxgrad", "lsegrad", fits=lambda w: w.x.shape[1] <= 16)
def evaluate(w: Evaluation) -> Run:
    x, slopes, b = map(torch.from_numpy, (w.x, w.slopes, w.b))
    x.requires_grad_(w.op == "lsegrad")

    def run():
        terms = (LazyTensor(x[:, None, :]) | LazyTensor(slopes[None])) + LazyTensor(b[None, :, None])
        if w.op == "maxgrad":
            best = terms.argmax(axis=1).reshape(-1)
            return (slopes[best] * x).sum(1) + b[best], slopes[best]
        if not w.eps:
            return terms.max(axis=1).reshape(-1)
        values = w.eps * (terms * (1 / w.eps)).logsumexp(axis=1).reshape(-1)
        if not w.with_gradient:
            return values
        (gradient,) = torch.autograd.grad(values.sum(), x)
        return values.detach(), gradient

    return run


@contestant("pykeops", Convolution, "min", "lse", fits=lambda w: w.f.ndim == 1 and w.f.size <= 10_000)
def convolution(w: Convolution) -> Run:
    f = torch.from_numpy(w.f)
    places = torch.arange(len(f), dtype=f.dtype)

    def run():
        x, y = LazyTensor(places[None, :, None]), LazyTensor(places[:, None, None])
        terms = LazyTensor(f[None, :, None]) + w.w * (x - y) ** 2
        if not w.eps:
            return terms.min(axis=1).reshape(-1)
        return -w.eps * (terms * (-1 / w.eps)).logsumexp(axis=1).reshape(-1)

    return run
