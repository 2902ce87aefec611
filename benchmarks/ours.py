"""The library itself as a contestant. What a version does not have yet is left out."""

import inspect
from importlib.metadata import version

import numpy as np
from contestants import THREADS, Run, contestant
from workloads import Chain, Conjugate, Convolution, Distances, Evaluation, Paths, Product, Workload

import tropical
from tropical import Polynomial, Semiring


def versions() -> dict[str, str]:
    return {"ours": f"{version('hjsym')} ({tropical.core_info()['instruction_set']} kernels)"}


def has(name: str):
    return lambda workload: hasattr(tropical, name)


def semiring_of(w: Workload) -> Semiring:
    return Semiring(sign=-1 if w.op == "min" else 1, eps=w.eps)


def threads_of(function) -> dict[str, int]:
    """The keyword that asks for threads, where there is one."""
    return {"n_threads": THREADS} if "n_threads" in inspect.signature(function).parameters else {}


@contestant("ours", Evaluation, "max", "lse", "maxgrad", "lsegrad")
def evaluate(w: Evaluation) -> Run:
    p = Polynomial(w.slopes, w.b, semiring_of(w))
    function = p.value_and_gradient if w.with_gradient else p
    threads = threads_of(function)
    return lambda: function(w.x, **threads)


@contestant("ours", Product, "max", "lse", fits=has("matmul"))
def product(w: Product) -> Run:
    arguments = {"semiring": semiring_of(w), **threads_of(tropical.matmul)}
    return lambda: tropical.matmul(w.a, w.b, **arguments)


@contestant("ours", Convolution, "min", "lse", fits=has("hopf_cole"))
def convolution(w: Convolution) -> Run:
    time = 1 / (4 * w.w)
    if w.eps:
        return lambda: tropical.hopf_cole(w.f, time, w.eps, **threads_of(tropical.hopf_cole))
    return lambda: tropical.hopf_lax(w.f, time, **threads_of(tropical.hopf_lax))


@contestant("ours", Distances, "edt", fits=has("hopf_lax"))
def distances(w: Distances) -> Run:
    return lambda: tropical.hopf_lax(np.where(w.f, 0, np.inf), 0.25, **threads_of(tropical.hopf_lax))


@contestant("ours", Conjugate, "max", fits=has("legendre"))
def conjugate(w: Conjugate) -> Run:
    return lambda: tropical.legendre(w.f, w.x, w.p, **threads_of(tropical.legendre))


@contestant("ours", Paths, "min", fits=has("star"))
def paths(w: Paths) -> Run:
    arguments = {"semiring": semiring_of(w), **threads_of(tropical.star)}
    return lambda: tropical.star(w.weights, **arguments)


@contestant("ours", Chain, "max", "lse", fits=has("forward"))
def chain(w: Chain) -> Run:
    arguments = {"semiring": semiring_of(w), "last": True, **threads_of(tropical.forward)}

    def run():
        # The workload has a transition before its first emission.
        first = tropical.matmul(w.start, w.transition, arguments["semiring"])
        return tropical.forward(first, w.transition, w.emissions, **arguments)

    return run
