"""Layers against formulas written out in other arithmetic, and what a Network refuses."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest

from hjsym import layers
from hjsym.network import Network, Node
from tropical.errors import InputError, ShapeError

POINTS = [[0.0, 0.0, 0.0], [1.5, -2.0, 0.25], [-3.0, 40.0, -0.125], [-700.0, 2.0, 800.0]]


def _log_sum_exp(values, eps):
    """In 60 digits, so that nothing has to be shifted."""
    return eps * mpmath.log(sum(mpmath.exp(mpmath.mpf(v) / eps) for v in values))


def _softmax(row):
    weights = [mpmath.exp(mpmath.mpf(v)) for v in row]
    return [w / sum(weights) for w in weights]


# layer and the same map in plain Python or mpmath, row by row
RULES = [
    (layers.Identity(), list),
    (layers.Relu(), lambda r: [v if v > 0 else 0.0 for v in r]),
    (layers.LeakyRelu(), lambda r: [v if v > 0 else 0.01 * v for v in r]),
    (layers.LeakyRelu(0.0), lambda r: [v if v > 0 else 0.0 for v in r]),
    (layers.LeakyRelu(-0.5), lambda r: [v if v > 0 else -v / 2 for v in r]),
    (layers.LeakyRelu(3.0), lambda r: [v if v > 0 else 3 * v for v in r]),
    (
        layers.Affine([[1.0, 2.0, -3.0], [0.5, 0.0, 0.25]], [1.0, -2.0]),
        lambda r: [r[0] + 2 * r[1] - 3 * r[2] + 1, r[0] / 2 + r[2] / 4 - 2],
    ),
    (layers.Softplus(), lambda r: [_log_sum_exp([0, v], 1) for v in r]),
    (layers.Softplus(0.25), lambda r: [_log_sum_exp([0, v], mpmath.mpf("0.25")) for v in r]),
    (layers.LogSumExp(), lambda r: [_log_sum_exp(r, 1)]),
    (layers.LogSumExp(2.5), lambda r: [_log_sum_exp(r, mpmath.mpf("2.5"))]),
    (layers.Sigmoid(), lambda r: [1 / (1 + mpmath.exp(-mpmath.mpf(v))) for v in r]),
    (layers.Softmax(), _softmax),
]


@pytest.mark.parametrize("layer, rule", RULES, ids=lambda v: str(v) if isinstance(v, layers.Layer) else "")
def test_layer_rule(layer, rule):
    with mpmath.workdps(60):
        expected = [[float(v) for v in rule(row)] for row in POINTS]
    values = Network.sequential(3, [layer])(POINTS)
    assert values.shape == (len(POINTS), layer.output_size(3))
    np.testing.assert_allclose(values, expected, rtol=4e-15, atol=1e-300)


def test_batches_of_any_shape():
    net = Network.sequential(3, [layers.Affine(np.eye(2, 3), [0.0, 1.0]), layers.Relu()])
    points = np.arange(24.0).reshape(2, 4, 3) - 10
    values = net(points)
    assert values.shape == (2, 4, 2)
    assert values[1, 2].tolist() == net(points[1, 2]).tolist() == [8.0, 10.0]


# ---- validation --------------------------------------------------------------------------------------

AFFINE = layers.Affine([[1.0, 2.0]], [0.0])
INVALID = [
    (2, [], InputError, "no layers"),
    (3, [Node(AFFINE, (0,), "dense_1")], ShapeError, r"layer 0 \(dense_1\).*\(1, 2\).*3 values"),
    (2, [Node(AFFINE, (0,)), Node(AFFINE, (1,))], ShapeError, r"layer 1 \(Affine 2 → 1\)"),
    (2, [Node(layers.Relu(), (1,))], InputError, r"layer 0 \(Relu\) reads values \(1,\)"),
    (2, [Node(layers.Relu(), (-1,))], InputError, "only values 0 to 0"),
    (2, [Node(layers.Relu(), (0,)), Node(layers.Add(), (1,))], InputError, "has 1 inputs; it takes 2"),
    (2, [Node(layers.Relu(), (0, 0))], InputError, "has 2 inputs; it takes 1"),
    (2, [Node(AFFINE, (0,)), Node(layers.Add(), (0, 1), "join")], ShapeError, r"\(join\).*sizes 2 and 1"),
]


@pytest.mark.parametrize("size, nodes, error, message", INVALID)
def test_invalid_networks(size, nodes, error, message):
    with pytest.raises(error, match=message):
        Network(size, tuple(nodes))


@pytest.mark.parametrize(
    "weight, bias, message",
    [
        ([1.0, 2.0], [0.0], r"weight has shape \(2,\)"),
        ([[1.0, 2.0]], [0.0, 1.0], r"bias \(2,\)"),
        ([[1.0, 2.0]], 0.0, r"bias \(\)"),
        ([[1.0], [2.0, 3.0]], [0.0, 0.0], "ragged"),
        ([[1.0, np.nan]], [0.0], r"weight\[0, 1\] is nan"),
        ([[1.0, 2.0]], [-np.inf], r"bias\[0\] is -inf"),
    ],
)
def test_invalid_weights(weight, bias, message):
    with pytest.raises(InputError, match=message):
        layers.Affine(weight, bias)


@pytest.mark.parametrize("make", [layers.Softplus, layers.LogSumExp])
@pytest.mark.parametrize("eps", [0.0, -1.0, np.nan, np.inf])
def test_invalid_temperatures(make, eps):
    with pytest.raises(InputError, match=make.__name__):
        make(eps)


@pytest.mark.parametrize("slope", [np.nan, np.inf])
def test_invalid_slope(slope):
    with pytest.raises(InputError, match="LeakyRelu"):
        layers.LeakyRelu(slope)


def test_points_of_another_size():
    with pytest.raises(ShapeError, match=r"\(4, 3\)"):
        Network.sequential(2, [layers.Relu()])(np.zeros((4, 3)))


# ---- a graph with a residual connection --------------------------------------------------------------


@pytest.fixture
def residual():
    first = layers.Affine([[1.0, -1.0], [0.5, 2.0]], [0.25, -1.0])
    last = layers.Affine([[2.0, -3.0]], [0.5])
    nodes = (
        Node(first, (0,)),
        Node(layers.Relu(), (1,)),
        Node(layers.Add(), (2, 0), "skip"),
        Node(last, (3,)),
        Node(layers.Sigmoid(), (4,)),
    )
    return Network(2, nodes, {"producer": "hand"})


def _residual_by_hand(x, y):
    h1 = max(x - y + Fraction(1, 4), 0) + x
    h2 = max(x / 2 + 2 * y - 1, 0) + y
    return 2 * h1 - 3 * h2 + Fraction(1, 2)


def test_residual_values(residual):
    scores = residual.without_head()
    for point in ([Fraction(1), Fraction(2)], [Fraction(-3, 2), Fraction(1, 4)], [Fraction(5), Fraction(-7)]):
        assert scores(np.array(point, float)).tolist() == [float(_residual_by_hand(*point))]


def test_head(residual):
    scores = residual.without_head()
    assert isinstance(residual.head, layers.Sigmoid) and scores.head is None
    assert scores.without_head() is scores
    assert len(scores.nodes) == 4 and scores.metadata["producer"] == "hand"
    x = [0.5, 0.25]
    np.testing.assert_allclose(residual(x), 1 / (1 + np.exp(-scores(x))), rtol=1e-15)


@pytest.mark.parametrize(
    "nodes",
    [[Node(layers.Softmax(), (0,))], [Node(layers.Relu(), (0,)), Node(layers.Softmax(), (0,))]],
    ids=["alone", "beside"],
)
def test_head_without_scores(nodes):
    with pytest.raises(InputError, match="Softmax"):
        Network(2, tuple(nodes)).without_head()


def test_sizes_and_parameters(residual):
    assert residual.sizes == (2, 2, 2, 2, 1, 1) and residual.output_size == 1
    assert residual.parameters == (4 + 2) + (2 + 1)


def test_str(residual):
    lines = str(residual).splitlines()
    assert lines[0] == "input of size 2" and lines[-1] == "9 parameters"
    assert [line.split()[1] for line in lines[1:-1]] == ["Affine", "Relu", "Add", "Affine", "Sigmoid"]
    assert lines[3].endswith("reads 2, 0") and "Affine 2 → 1" in lines[4]


def test_to_exact_does_not_round(residual):
    exact = residual.without_head().to_exact()
    for point in ([Fraction(1, 3), Fraction(2, 7)], [Fraction(-5, 3), Fraction(10, 9)]):
        (value,) = exact(point)
        assert type(value) is Fraction and value == _residual_by_hand(*point)


def test_to_exact_takes_floats_as_the_numbers_they_are():
    (value,) = Network.sequential(1, [layers.Affine([[0.1]], [0.3])]).to_exact()([0.7])
    assert value == Fraction(0.1) * Fraction(0.7) + Fraction(0.3)


@pytest.mark.parametrize("slope", [0.1, -0.3, 1.7])
def test_to_exact_without_any_weights(slope):
    (value,) = Network.sequential(1, [layers.LeakyRelu(slope)]).to_exact()([-0.7])
    assert value == Fraction(slope) * Fraction(-0.7)


# ---- immutability ------------------------------------------------------------------------------------


def test_arrays_are_private_and_read_only():
    weight, bias = np.eye(2), np.zeros(2)
    layer = layers.Affine(weight, bias)
    weight[0, 0] = bias[0] = 7.0
    assert layer.weight[0, 0] == 1.0 and layer.bias[0] == 0.0
    for array in (layer.weight, layer.bias):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0


def test_nothing_can_be_replaced(residual):
    with pytest.raises(AttributeError):
        residual.nodes = ()
    with pytest.raises(AttributeError):
        residual.nodes[0].layer.weight = np.eye(2)
    with pytest.raises(TypeError):
        residual.metadata["producer"] = "other"
