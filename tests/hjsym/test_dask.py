"""Dask arrays beside NumPy's, Zarr, and computations on a cluster of two processes, one of which is killed."""

import os

import numpy as np
import pytest

import hjsym
from hjsym.bifurcation import EntropyLandscape
from hjsym.bifurcation.sweep import sweep
from hjsym.training import fit_lse
from tropical import (
    Box,
    InputError,
    Polynomial,
    PolynomialMap,
    Semiring,
    ShapeError,
    hopf_cole,
    hopf_lax,
    legendre,
    linear_regions,
    matmul,
    stream,
)

da = pytest.importorskip("dask.array")
dask = pytest.importorskip("dask")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 40, 3))
GRID, NODES, SLOPES = RNG.normal(size=(24, 20)), np.sort(RNG.normal(size=24)), np.linspace(-2, 2, 15)
NETWORK = hjsym.compile(
    [(RNG.normal(size=(6, 3)), RNG.normal(size=6)), (RNG.normal(size=(2, 6)), RNG.normal(size=2))]
)


def lazy(array, *chunks):
    return da.from_array(array, chunks=chunks)


@pytest.fixture
def computed():
    """How many tasks dask has run: none may run before the results are asked for."""
    tasks = []
    with dask.callbacks.Callback(pretask=lambda key, *_: tasks.append(key)):
        yield tasks


def same(found, wanted, computed, bound=0.0):
    """Dask arrays of the shape, dtype and numbers of NumPy's."""
    assert not computed
    found, wanted = (r if isinstance(r, tuple) else (r,) for r in (found, wanted))
    assert len(found) == len(wanted) and all(isinstance(a, da.Array) for a in found)
    for a, b, c in zip(found, wanted, dask.compute(*found, scheduler="synchronous"), strict=True):
        assert a.shape == b.shape == c.shape and a.dtype == b.dtype == c.dtype == a._meta.dtype
        assert all(map(sum, a.chunks)) and isinstance(a._meta, np.ndarray) and a._meta.ndim == a.ndim
        if np.max(bound):
            assert (np.abs(b - c) <= bound).all()
        else:
            np.testing.assert_array_equal(c, b)
    computed.clear()


def rounding(wanted, dtype) -> float:
    """At ε > 0 blocks of fewer than 16 points are rounded in another way than all points at once."""
    return max(
        100 * np.finfo(dtype).eps * max(1, abs(a).max()) if a.dtype.kind == "f" else 0.0
        for a in (wanted if isinstance(wanted, tuple) else (wanted,))
    )


METHODS = [
    "argmax",
    "entropy",
    "error_bound",
    "excess",
    "gradient",
    "hessian",
    "value_and_gradient",
    "weights",
]


@pytest.mark.parametrize("eps", [0.0, 0.3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_points(eps, dtype, computed):
    p = Polynomial(RNG.normal(size=(9, 3)).astype(dtype), RNG.normal(size=9).astype(dtype), Semiring(eps=eps))
    functions = [p, *(getattr(p, name) for name in METHODS), PolynomialMap([p, p * p.deform(eps)])]
    for f in functions + ([] if eps else [p.affine_at]):
        for x in (X, X.astype(np.float32), np.rint(X).astype(int)):
            wanted = f(x)
            same(f(lazy(x, 4, 17, 2)), wanted, computed, rounding(wanted, dtype) if eps else 0.0)
    assert p(lazy(X, 4, 17, 2)).chunks == ((4, 2), (17, 17, 6))


def test_networks_and_circuits(computed):
    x = X[0]
    same(NETWORK(lazy(x, 11, 3)), NETWORK(x), computed, 2 * NETWORK.error_bound(x))
    same(NETWORK.network(lazy(x, 11, 3)), NETWORK(x), computed, 2 * NETWORK.error_bound(x))
    same(NETWORK.gradient(lazy(x, 11, 2)), NETWORK.gradient(x), computed, 1e-14)
    for part in (NETWORK.P, NETWORK.Q, NETWORK.P.deform(0.1)):
        same(part(lazy(x, 11, 3)), part(x), computed, 2 * part.error_bound(x))
    for lazily, wanted in zip(NETWORK.parts(lazy(x, 11, 3)), NETWORK.parts(x), strict=True):
        same(lazily, wanted, computed, 1e-13)


def test_points_without_known_number(computed):
    p = Polynomial([[1.0, 0.0, 2.0], [0.0, 1.0, 0.0]], [0.0, 1.0])
    x = lazy(X[0], 11, 3)
    positive = p(x[x[:, 0] > 0])
    assert not computed
    np.testing.assert_array_equal(positive.compute(), p(X[0][X[0][:, 0] > 0]))


SHAPES = [
    ((12, 30), (30, 9)), ((30,), (30, 9)), ((12, 30), (30,)), ((30,), (30,)), ((3, 1, 12, 30), (2, 30, 9)),
    ((4, 0), (0, 3)),
]  # fmt: skip


@pytest.mark.parametrize("eps", [0.0, 0.5])
@pytest.mark.parametrize("sign", [1, -1])
def test_products(eps, sign, computed):
    semiring = Semiring(sign, eps)
    for shapes in SHAPES:
        A, B = (sign * RNG.normal(size=shape) for shape in shapes)
        A[A * sign < -1] = semiring.zero
        a = lazy(A, *[max(1, n // 2) for n in A.shape[:-1]], max(1, A.shape[-1] // 10))  # k in ten chunks
        b = lazy(B, *(max(1, n // 2) for n in B.shape))
        size = max(abs(M[np.isfinite(M)]).max(initial=0) for M in (A, B))
        # Twice what `matmul` states, and two additions of partial sums.
        bound = 2.0**-53 * (2 * (24 * size + eps * 151) + 8 * (2 * size + 10 * eps))
        wanted = matmul(A, B, semiring)
        for left, right in ((a, b), (a, B), (A, b)):
            found = matmul(left, right, semiring)
            if eps:
                assert not computed and found.shape == wanted.shape
                values = found.compute(scheduler="synchronous")
                np.testing.assert_allclose(values, wanted, rtol=0, atol=bound)
                computed.clear()
            else:
                same(found, wanted, computed)
                pair = matmul(left, right, semiring, return_argmax=True)
                same(pair, tuple(map(np.asarray, matmul(A, B, semiring, return_argmax=True))), computed)


def test_products_with_nan_and_ties(computed):
    A, B = np.zeros((3, 8)), np.zeros((8, 2))
    A[1, 3], A[2] = np.nan, -np.inf
    found = matmul(lazy(A, 3, 2), B, return_argmax=True)
    same(found, matmul(A, B, return_argmax=True), computed)
    assert found[1].compute().tolist() == [[0, 0], [-1, -1], [-1, -1]]


@pytest.mark.parametrize("chunks", [(7, 6), (24, 5)])
def test_transforms(chunks, computed):
    f = lazy(GRID, *chunks)
    dyadic = lazy(np.rint(8 * GRID) / 8, *chunks)
    for axis in (0, 1):
        x = NODES[: GRID.shape[axis]]
        bound = 16 * 2.0**-53 * (np.abs(np.outer(SLOPES, x)).max() + np.abs(GRID).max())
        wanted = legendre(GRID, x, SLOPES, axis)
        same(legendre(f, x, SLOPES, axis), wanted, computed, 0.0 if f.numblocks[axis] == 1 else bound)
        x = np.arange(GRID.shape[axis])
        pair = legendre(np.rint(8 * GRID) / 8, x, [-1.5, 0.25, 2], axis, return_argmax=True)
        same(legendre(dyadic, x, [-1.5, 0.25, 2], axis, return_argmax=True), pair, computed)
    for options in (
        {},
        {"axes": (1, 0), "sign": 1, "kappa": 2},
        {"spacing": (0.1, 0.2)},
        {"x": NODES, "axes": 0},
    ):
        same(hopf_lax(f, 0.3, **options), hopf_lax(GRID, 0.3, **options), computed)
    for options in ({}, {"normalised": True, "spacing": (0.1, 0.2)}, {"tol": 1e-3}, {"axes": 1}):
        bound = 2 * options.get("tol", 0) + 1e-13
        same(hopf_cole(f, 0.3, 0.1, **options), hopf_cole(GRID, 0.3, 0.1, **options), computed, bound)


def test_what_is_refused_is_refused_at_once(computed):
    p, x = Polynomial([[1.0, 0.0, 2.0]], [0.0]), lazy(X, 4, 17, 2)
    with pytest.raises(ShapeError, match=r"x has shape \(6, 40, 2\) but there are 3 variables"):
        p(x[..., :2])
    for call in (
        lambda: p(x, out=np.empty((6, 40))),
        lambda: p.hessian(x, out=np.empty((6, 40, 3, 3))),
        lambda: PolynomialMap([p])(x, out=np.empty((6, 40, 1))),
        lambda: matmul(x, np.zeros((3, 2)), out=np.empty((6, 40, 2))),
        lambda: legendre(x, np.arange(3), [0.0], out=np.empty((6, 40, 1))),
        lambda: hopf_lax(x, 1.0, out=np.empty(X.shape)),
        lambda: hopf_cole(x, 1.0, 0.1, out=np.empty(X.shape)),
    ):
        with pytest.raises(InputError, match=r"leave out away and use dask\.array\.store"):
            call()
    with pytest.raises(InputError, match="return_argmax needs f in memory"):
        hopf_lax(x, 1.0, return_argmax=True)
    with pytest.raises(ShapeError, match="the last axis of A and the one before last of B"):
        matmul(x, x)
    with pytest.raises(ShapeError, match="axis 3 of an f"):
        legendre(x, NODES, SLOPES, axis=3)
    assert not computed


def test_zarr(tmp_path):
    zarr = pytest.importorskip("zarr")
    points = zarr.create_array(tmp_path / "x", shape=(1000, 3), dtype="f8", chunks=(128, 3))
    points[:] = RNG.normal(size=(1000, 3))
    p = Polynomial(RNG.normal(size=(9, 3)), RNG.normal(size=9), Semiring(eps=0.1))
    out = zarr.create_array(tmp_path / "y", shape=(1000, 3), dtype="f8", chunks=(128, 3))
    assert stream(p.gradient, points, out, rows=256) is out
    np.testing.assert_array_equal(out[:], p.gradient(points[:]))
    dask_points = da.from_array(points)
    np.testing.assert_array_equal(p.gradient(dask_points).compute(), out[:])


# ---- a cluster of two processes ------------------------------------------------------------------------


def regions(executor):
    found = linear_regions(NETWORK, Box(-3, 3), executor=executor)
    return [np.array([region.slope for region in found], dtype=float), [tuple(r.witness) for r in found]]


def attribution(executor):
    layer = hjsym.hopf.LSELayer(RANDOM[:, :3], RANDOM[:, 3], eps=0.1)
    found = hjsym.attribute(layer, X, top=3, executor=executor)
    return [found.value, found.weight, found.loss, found.index]


def critical(executor, progress=None):
    H = EntropyLandscape.of_atoms([-2.6, -1.5, -0.4, 0.7, 1.7, 2.7])
    levels = sweep(H, np.geomspace(0.1, 1, 12), executor=executor, progress=progress)
    return [level.x for level in levels]


def starts(executor):
    x = np.linspace(-1, 1, 60)[:, None]
    fit = fit_lse(x, np.sin(3 * x[:, 0]), n_neurons=3, init="random", n_init=4, seed=0, executor=executor)
    return [fit.table, fit.losses, fit.error]


def streamed(executor):
    p = Polynomial(RANDOM[:, :3], RANDOM[:, 3], Semiring(eps=0.2))
    p(X)
    return [stream(p.gradient, X.reshape(-1, 3), rows=64, executor=executor)]


RANDOM = np.random.default_rng(5).normal(size=(30, 4))


def killing(victim):
    def kill(done):
        if done == 2:
            os.kill(victim, 9)

    return kill


def test_a_cluster_of_two_processes_one_of_which_is_killed():
    """In one test, since each process that runs tests would start a cluster of its own."""
    distributed = pytest.importorskip("distributed")
    options = {"dashboard_address": None, "silence_logs": 50}
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, **options) as cluster,
        distributed.Client(cluster) as client,
    ):
        executor = client.get_executor()
        for work in (regions, attribution, critical, starts, streamed):
            for found, wanted in zip(work(executor), work(None), strict=True):
                np.testing.assert_array_equal(found, wanted, err_msg=work.__name__)
        p = Polynomial(RANDOM[:, :3], RANDOM[:, 3], Semiring(eps=0.2))
        p(X)  # with what the kernel keeps, which cannot be sent
        np.testing.assert_array_equal(p.gradient(lazy(X, 2, 20, 3)).compute(), p.gradient(X))
        victim = min(client.run(os.getpid).values())
        for found, wanted in zip(critical(executor, killing(victim)), critical(None), strict=True):
            np.testing.assert_array_equal(found, wanted)
        client.wait_for_workers(2, timeout=30)
        assert victim not in client.run(os.getpid).values()
