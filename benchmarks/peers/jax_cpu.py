"""JAX on the processor, compiled by XLA: whole arrays, and chunks by `lax.map`."""

import jax
import jax.numpy as jnp
from contestants import Run, contestant, rows_in_cache
from jax.scipy.special import logsumexp
from workloads import Chain, Convolution, Evaluation, Paths, Product

PACKAGES = ("jax", "jaxlib")

jax.config.update("jax_enable_x64", True)


def blocking(function, *arrays) -> Run:
    """The compiled function on arrays that are on the device already; waits for the result."""
    compiled, arrays = jax.jit(function), [jnp.asarray(a) for a in arrays]
    return lambda: jax.block_until_ready(compiled(*arrays))


def point_function(w: Evaluation):
    def function(x, slopes, b):
        z = x @ slopes.T + b
        if not w.eps:
            return (z.max(1), slopes[z.argmax(1)]) if w.with_gradient else z.max(1)
        z = z * (1 / w.eps)
        values = w.eps * logsumexp(z, axis=1)
        return (values, jax.nn.softmax(z, axis=1) @ slopes) if w.with_gradient else values

    return function


@contestant("JAX", Evaluation, "max", "lse", "maxgrad", "lsegrad", fits=lambda w: w.pairs <= 1.1e8)
def evaluate(w: Evaluation) -> Run:
    return blocking(point_function(w), w.x, w.slopes, w.b)


@contestant("JAX chunked", Evaluation, "max", "lse", "maxgrad", "lsegrad", fits=lambda w: len(w.x) > 1)
def evaluate_chunked(w: Evaluation) -> Run:
    function = point_function(w)
    rows = rows_in_cache(len(w.b), w.dtype, len(w.x), divides=True)

    def mapped(x, slopes, b):
        parts = jax.lax.map(lambda chunk: function(chunk, slopes, b), x.reshape(-1, rows, x.shape[1]))
        return jax.tree_util.tree_map(lambda a: a.reshape(-1, *a.shape[2:]), parts)

    return blocking(mapped, w.x, w.slopes, w.b)


@contestant("JAX fused", Product, "max", "lse", fits=lambda w: w.a.shape[-1] <= (256 if w.eps else 1024))
def product(w: Product) -> Run:
    def function(a, b):
        z = a[..., :, :, None] + b[..., None, :, :]
        return w.eps * logsumexp(z * (1 / w.eps), axis=-2) if w.eps else z.max(-2)

    return blocking(function, w.a, w.b)


@contestant("JAX gemm of exp", Product, "lse")
def product_of_exp(w: Product) -> Run:
    def function(a, b):
        a_top, b_top = a.max(-1, keepdims=True), b.max(-2, keepdims=True)
        c = jnp.exp((a - a_top) * (1 / w.eps)) @ jnp.exp((b - b_top) * (1 / w.eps))
        return w.eps * jnp.log(c) + a_top + b_top

    return blocking(function, w.a, w.b)


@contestant("JAX chunked", Convolution, "min", "lse", fits=lambda w: w.f.ndim == 1 and w.f.size <= 10_000)
def convolution_chunked(w: Convolution) -> Run:
    rows = rows_in_cache(len(w.f), w.dtype, len(w.f), divides=True)

    def function(f):
        places = jnp.arange(len(f), dtype=f.dtype)

        def some(y):
            terms = f + w.w * (y[:, None] - places) ** 2
            return -w.eps * logsumexp(terms * (-1 / w.eps), axis=1) if w.eps else terms.min(1)

        return jax.lax.map(some, places.reshape(-1, rows)).ravel()

    return blocking(function, w.f)


@contestant("JAX gemm of exp", Convolution, "lse", fits=lambda w: w.f.ndim == 2)
def convolution_of_exp(w: Convolution) -> Run:
    def function(f, kernel):
        low = f.min(1, keepdims=True)
        u = low - w.eps * jnp.log(jnp.exp((low - f) / w.eps) @ kernel)
        low = u.min(0, keepdims=True)
        return low - w.eps * jnp.log(kernel @ jnp.exp((low - u) / w.eps))

    places = jnp.arange(len(w.f), dtype=w.f.dtype)
    return blocking(function, w.f, jnp.exp(-w.w / w.eps * (places[:, None] - places) ** 2))


@contestant("JAX Floyd–Warshall", Paths, "min")
def paths(w: Paths) -> Run:
    def function(d):
        return jax.lax.fori_loop(0, len(d), lambda k, d: jnp.minimum(d, d[:, k, None] + d[k]), d)

    return blocking(function, w.weights)


@contestant("JAX scan", Chain, "max", "lse")
def chain(w: Chain) -> Run:
    def function(transition, emissions, start):
        exp_transition = jnp.exp(transition / w.eps) if w.eps else None

        def step(state, emission):
            if not w.eps:
                return (state[:, :, None] + transition).max(1) + emission, None
            top = state.max(1, keepdims=True)
            total = jnp.exp((state - top) / w.eps) @ exp_transition
            return top + w.eps * jnp.log(total) + emission, None

        return jax.lax.scan(step, start, emissions)[0]

    return blocking(function, w.transition, w.emissions, w.start)
