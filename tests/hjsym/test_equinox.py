"""Equinox modules against Equinox itself, and lists of JAX arrays."""

import numpy as np
import pytest

import hjsym
from hjsym.errors import UnsupportedLayerError
from tropical.errors import InputError

jax = pytest.importorskip("jax")
eqx = pytest.importorskip("equinox")
nn, KEY = eqx.nn, jax.random.PRNGKey(0)
IMAGE, VECTOR = (4, 6, 5), (6,)


def check(module, shape, count=4):
    points = np.random.default_rng(5).normal(size=(count, *shape)).astype(np.float32)
    module = nn.inference_mode(module)
    expected = np.asarray(jax.vmap(module)(points)).reshape(count, -1)
    network = hjsym.load(module, shape)
    np.testing.assert_allclose(
        network(points.reshape(count, -1)), expected, rtol=1e-4, atol=1e-5
    )  # single precision
    return network


MODULES = [
    (nn.Linear(6, 3, key=KEY), VECTOR),
    (nn.MLP(6, 2, width_size=5, depth=2, key=KEY), VECTOR),
    (nn.MLP(6, 2, 5, 1, activation=jax.nn.softplus, final_activation=jax.nn.relu6, key=KEY), VECTOR),
    (nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=((1, 0), (2, 1)), dilation=(1, 2), groups=2, key=KEY), IMAGE),
    (nn.Conv1d(3, 2, 3, use_bias=False, key=KEY), (3, 8)),
    (nn.MaxPool2d(2, stride=(1, 2), padding=1), IMAGE),
    (nn.AvgPool2d((2, 3), stride=2, padding=1), IMAGE),
    (nn.PReLU(), IMAGE),
    (nn.Sequential([nn.Linear(6, 3, key=KEY), nn.Lambda(jax.nn.relu), nn.Dropout(0.5), nn.Identity()]), VECTOR),
    (
        nn.Sequential([
            nn.Conv2d(4, 2, 3, key=KEY), nn.Lambda(jax.nn.relu), nn.MaxPool2d(2, 2), nn.Lambda(jax.numpy.ravel),
            nn.Linear(4, 3, key=KEY), nn.Lambda(jax.nn.log_softmax),
        ]),
        IMAGE,
    ),
]  # fmt: skip


@pytest.mark.parametrize("module, shape", MODULES, ids=map(str, range(len(MODULES))))
def test_modules(module, shape):
    check(module, shape)


def test_float_weights_are_taken_without_rounding():
    layer = nn.Linear(6, 3, key=KEY)
    network = hjsym.load(layer)
    assert network.input_size == 6
    np.testing.assert_array_equal(network.nodes[0].layer.weight, np.asarray(layer.weight).astype(float))


def test_list_of_jax_arrays():
    pairs = [
        (jax.numpy.array([[1.0, -1.0]]), jax.numpy.array([0.5])),
        (jax.numpy.array([[2.0]]), jax.numpy.zeros(1)),
    ]
    assert hjsym.load(pairs)([3.0, 1.0]).tolist() == [5.0]


class Own(eqx.Module):
    layer: nn.Linear

    def __call__(self, x):
        return self.layer(x) * x


REFUSED = [
    (
        nn.MLP(6, 2, 5, 1, activation=jax.nn.gelu, key=KEY),
        UnsupportedLayerError,
        "gelu is not piecewise linear",
    ),
    (nn.LayerNorm(6), UnsupportedLayerError, r"module \(LayerNorm\).*divides by"),
    (Own(nn.Linear(6, 6, key=KEY)), UnsupportedLayerError, "Own is not supported; modules read are"),
    (
        nn.Sequential([nn.Identity(), nn.Dropout(0.5)]),
        UnsupportedLayerError,
        r"layers\[1\] \(Dropout\).*inference",
    ),
]


@pytest.mark.parametrize("module, error, message", REFUSED)
def test_refused(module, error, message):
    with pytest.raises(error, match=message):
        hjsym.load(module, VECTOR)


def test_shape_is_asked_for():
    with pytest.raises(InputError, match="pass input_shape="):
        hjsym.load(nn.Conv2d(1, 1, 2, key=KEY))
