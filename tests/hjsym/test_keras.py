"""Keras models against Keras itself, per layer and whole."""

import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
pytest.importorskip("jax")
keras = pytest.importorskip("keras")

import hjsym  # noqa: E402
from hjsym.errors import UnsupportedLayerError  # noqa: E402

L = keras.layers
IMAGE, LINE, VECTOR = (6, 5, 4), (8, 3), (6,)


@pytest.fixture(autouse=True)
def _double():
    """Keras in double precision, which JAX has to be told as well."""
    import jax

    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    keras.backend.set_floatx("float64")
    yield
    keras.backend.set_floatx("float32")
    jax.config.update("jax_enable_x64", before)


pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras' own


def check(model, shape, count=4, rtol=1e-12):
    rng = np.random.default_rng(5)
    shapes = [w.shape for w in model.get_weights()]
    model.set_weights([rng.uniform(0.25, 1, s) if len(s) == 1 else rng.normal(size=s) for s in shapes])
    points = rng.normal(size=(count, *shape)) * 2
    expected = np.asarray(model(points, training=False)).reshape(count, -1)
    network, flat = hjsym.load(model), points.reshape(count, -1)
    np.testing.assert_allclose(network(flat), expected, rtol=rtol, atol=rtol)
    f = hjsym.compile(model)
    scores = np.subtract(*f.parts(flat))
    scores = scores if f.head is None else f.head(scores)
    np.testing.assert_allclose(scores, expected, rtol=10 * rtol, atol=10 * rtol)


LAYERS = [
    (lambda: L.Dense(3), VECTOR),
    (lambda: L.Dense(3, use_bias=False, activation="relu"), VECTOR),
    (lambda: L.Dense(3, activation="softmax"), VECTOR),
    (lambda: L.Dense(1, activation="sigmoid"), VECTOR),
    (lambda: L.Dense(2, activation="softplus"), IMAGE),
    pytest.param(lambda: L.Conv1D(2, 3, padding="same", dilation_rate=2), LINE, marks=pytest.mark.slow),
    pytest.param(
        lambda: L.Conv2D(6, (3, 2), strides=(2, 1), groups=2, activation="relu6"),
        IMAGE,
        marks=pytest.mark.slow,
    ),
    pytest.param(
        lambda: L.Conv2D(2, 3, padding="same", strides=2, use_bias=False), IMAGE, marks=pytest.mark.slow
    ),
    pytest.param(lambda: L.DepthwiseConv2D(2, depth_multiplier=2), IMAGE, marks=pytest.mark.slow),
    (lambda: L.BatchNormalization(), IMAGE),
    (lambda: L.BatchNormalization(scale=False, center=False, axis=1), VECTOR),
    (lambda: L.MaxPooling1D(3, strides=2), LINE),
    (lambda: L.MaxPooling2D((2, 3), padding="same"), IMAGE),
    (lambda: L.AveragePooling2D(2, strides=1, padding="same"), IMAGE),
    (lambda: L.GlobalAveragePooling2D(), IMAGE),
    (lambda: L.GlobalMaxPooling2D(keepdims=True), IMAGE),
    (lambda: L.ZeroPadding2D(((1, 0), (2, 1))), IMAGE),
    (lambda: L.ReLU(), VECTOR),
    (lambda: L.ReLU(max_value=1.5, negative_slope=0.25), VECTOR),
    (lambda: L.LeakyReLU(negative_slope=0.3), VECTOR),
    (lambda: L.PReLU(), VECTOR),
    (lambda: L.PReLU(shared_axes=[1, 2]), IMAGE),
    (lambda: L.Activation("hard_sigmoid"), VECTOR),
    (lambda: L.Activation("hard_tanh"), VECTOR),
    (lambda: L.Softmax(), VECTOR),
    (lambda: L.Dropout(0.5), VECTOR),
    (lambda: L.Flatten(), IMAGE),
    (lambda: L.Reshape((-1, 3)), VECTOR),
    (lambda: L.Permute((3, 1, 2)), IMAGE),
    (lambda: L.Rescaling(0.5, offset=-1.0), VECTOR),
]


@pytest.mark.parametrize("make, shape", LAYERS, ids=map(str, range(len(LAYERS))))
def test_layers(make, shape):
    layer = make()
    # Keras computes these in single precision, whatever its inputs are.
    single = (L.AveragePooling2D, L.GlobalAveragePooling2D, L.BatchNormalization)
    rtol = 1e-5 if isinstance(layer, single) else 1e-12
    check(keras.Sequential([keras.Input(shape), layer]), shape, rtol=rtol)


@pytest.mark.slow
def test_a_functional_network():
    x = keras.Input(IMAGE)
    conv = L.Conv2D(4, 3, padding="same")
    y = L.Add()([conv(x), x])
    y = L.Concatenate()([L.Subtract()([y, x]), conv(y)])  # one layer called twice
    y = L.Maximum()([y, L.LeakyReLU()(y)])
    y = L.Average()([y, L.Minimum()([y, L.BatchNormalization()(y)])])
    y = L.GlobalAveragePooling2D()(y)
    inner = keras.Sequential([keras.Input((8,)), L.Dense(3, activation="relu"), L.Dense(2)], name="inner")
    check(keras.Model(x, inner(y)), IMAGE, rtol=1e-4)  # with a batch norm and means among it


REFUSED = [
    (
        lambda: L.Dense(2, activation="tanh"),
        r"layer 0 'dense\w*' \(Dense\): activation tanh is not piecewise linear",
    ),
    (lambda: L.Activation("hard_silu"), "hard_silu is not supported|hard_silu is not piecewise"),
    (lambda: L.LayerNormalization(), "LayerNormalization.*divides by"),
    (lambda: L.ReLU(threshold=1.0), "jumps"),
    (lambda: L.UnitNormalization(), "UnitNormalization is not supported; layers read are"),
]


@pytest.mark.parametrize("make, message", REFUSED, ids=map(str, range(len(REFUSED))))
def test_refused(make, message):
    with pytest.raises(UnsupportedLayerError, match=message):
        hjsym.load(keras.Sequential([keras.Input(VECTOR), make()]))
