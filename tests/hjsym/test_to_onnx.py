"""Networks and functions as ONNX models, run by ONNX's reference evaluator and read back."""

from fractions import Fraction

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

import hjsym
from hjsym import layers
from hjsym.export import onnx_writer
from hjsym.network import Network, Node
from tropical import BudgetExceeded, Circuit, InputError, Polynomial, Semiring, variables
from tropical.sparse import SparseMatrix

R = np.random.default_rng(17)
POINTS = R.normal(size=(25, 4)) * 3
ZEROS = np.array([[0.0, -0.0, 1.0, -1.0]])


def sparse(rows: int, columns: int, per_row: int) -> SparseMatrix:
    places = np.stack([R.choice(columns, per_row, replace=False) for _ in range(rows)])
    data = R.normal(size=places.shape)
    data[0] = 0  # a row of nothing
    return SparseMatrix((rows, columns), np.repeat(np.arange(rows), per_row), places.ravel(), data.ravel())


def wide(layer: layers.Layer) -> list[layers.Layer]:
    """The layer behind an affine map to 12 entries."""
    return [layers.Affine(R.normal(size=(12, 4)), R.normal(size=12)), layer]


CHAINS = {
    "affine": [layers.Affine(R.normal(size=(3, 4)), R.normal(size=3))],
    "affine without bias": [layers.Affine(R.normal(size=(3, 4)), np.zeros(3))],
    "sparse as windows": wide(layers.Affine(sparse(9, 12, 3), R.normal(size=9))),
    "sparse made dense": wide(layers.Affine(sparse(9, 12, 8), R.normal(size=9))),
    "empty matrix": wide(layers.Affine(SparseMatrix((2, 12), [], [], np.zeros(0)), [1.5, -2.0])),
    "scale": [layers.Scale(R.normal(size=4), R.normal(size=4))],
    "scale of nothing": [layers.Scale(np.ones(4), np.zeros(4))],
    "gather": [layers.Gather([3, 0, 0, 2, 1])],
    "identity": [layers.Identity()],
    "relu": [layers.Relu()],
    "leaky": [layers.LeakyRelu(0.01)],
    "prelu": [layers.prelu([0.25, -1.0, 2.0, 0.1])],
    "abs": [layers.absolute()],
    "clip": [layers.clip(-1, 2.5)],
    "clip below": [layers.clip(-0.1)],
    "clip above": [layers.clip(high=0.3)],
    "softshrink": [layers.softshrink(0.7)],
    "clip by entry": [
        layers.PiecewiseLinear([[-1.0, -2, -3, 0], [1, 2, 3, 0.1]], [[0] * 4, [1] * 4, [0] * 4], [-1.0, -2, -3, 0])
    ],
    "max with constants": [
        layers.PiecewiseLinear([[0.5, -1, 0, 2]], [[0] * 4, [1] * 4], [0.5, -1, 0, 2])
    ],
    "min with constants": [layers.PiecewiseLinear([[0.5, -1, 0, 2]], [[1] * 4, [0] * 4], 0.0)],
    "many bends": [layers.PiecewiseLinear([-2.0, 0.3, 0.3, 5], [0.5, -1, 0, 3, 0], 0.25)],
    "many bends by entry": [
        layers.PiecewiseLinear(np.sort(R.normal(size=(3, 4)), axis=0), R.normal(size=(4, 4)), R.normal(size=4))
    ],
    "a line": [layers.PiecewiseLinear(np.zeros(0), [0.5], 1.0)],
    "a constant": [layers.PiecewiseLinear(np.zeros(0), [0.0], 1.0)],
    "maximum": [layers.Maximum()],
    "maximum of groups": [layers.Maximum([[0, 1, 1], [3, 2, 0]])],
    "logsumexp": [layers.LogSumExp(0.3)],
    "logsumexp of groups": [layers.Maximum([[0, 1], [3, 2]], 1.0)],
    "softplus": [layers.Softplus()],
    "softplus of temperature": [layers.Softplus(0.2)],
    "soft clip": [layers.PiecewiseLinear([-1.0, 1.0], [0, 1, 0], -1.0, eps=0.5)],
    "sigmoid": wide(layers.Sigmoid()),
    "softmax": wide(layers.Softmax()),
    "log softmax": wide(layers.LogSoftmax()),
}  # fmt: skip


def run(model: onnx.ModelProto, points: np.ndarray) -> np.ndarray:
    (values,) = ReferenceEvaluator(model).run(None, {"x": points})
    return values


def compare(network: Network, points: np.ndarray = POINTS) -> onnx.ModelProto:
    """The model's values and those of the network that is read back from it are the network's."""
    model = network.to_onnx()
    onnx.checker.check_model(model, full_check=True)
    expected = network(points)
    np.testing.assert_allclose(run(model, points), expected, rtol=1e-13, atol=1e-13)
    again = hjsym.load(model)
    assert (again.input_size, again.output_size) == (network.input_size, network.output_size)
    np.testing.assert_allclose(again(points), expected, rtol=1e-13, atol=1e-13)
    return model


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
def test_every_layer(chain):
    network = Network.sequential(4, chain)
    compare(network)
    compare(network, ZEROS)


def test_sums_and_branches():
    nodes = [
        Node(layers.Affine(R.normal(size=(4, 4)), R.normal(size=4)), (0,), "first"),
        Node(layers.Relu(), (1,)),
        Node(layers.Add(), (2, 1)),
        Node(layers.Add([1.0, -1.0]), (3, 0)),
        Node(layers.Add([0.5, 1.0, -3.0]), (4, 2, 3)),
        Node(layers.Concat(3), (5, 1, 5)),
        Node(layers.Add([2.0]), (6,)),
    ]
    model = compare(Network(4, tuple(nodes), {"author": "nobody"}))
    assert {"Add", "Sub", "Sum"} <= {node.op_type for node in model.graph.node}
    assert model.graph.node[0].name == "first"
    assert dict(hjsym.load(model).metadata) == {"author": "nobody"}


def test_read_back_is_the_same_function():
    """Proved by regions, for what is written without sums of ReLUs: no weight changes on the way."""
    chain = [
        layers.Affine(R.normal(size=(5, 2)), R.normal(size=5)),
        layers.LeakyRelu(0.01),
        layers.Maximum([[0, 1], [2, 3], [4, 4]]),
        layers.clip(-1, 2),
        layers.Affine(R.normal(size=(2, 3)), R.normal(size=2)),
    ]
    network = Network.sequential(2, chain)
    assert hjsym.equivalent(network, network.to_onnx())


def test_convolutions_become_windows(model):
    live = model(
        "Conv x W b -> h; Relu h -> r; MaxPool{kernel_shape=[2,2]} r -> p; Flatten p -> f; Gemm f V -> y",
        {"W": R.normal(size=(2, 1, 3, 3)), "b": R.normal(size=2), "V": R.normal(size=(50, 3))},
        shape=("N", 1, 8, 8),
    )
    network = hjsym.load(live)
    written = compare(network, R.normal(size=(5, 64)))
    assert max(len(t.dims) for t in written.graph.initializer) == 3
    assert written.ByteSize() < 20_000


# ---- functions ----------------------------------------------------------------------------------------


def test_functions():
    x, y = variables(2)
    points = R.normal(size=(30, 2)) * 4
    p, q = x**2 + 3 * y + 1, x * y + (-1)
    low = Polynomial([[1, 0], [0, 1]], [0, 1], Semiring(-1))
    cases = {"Gemm ReduceMax": p, "Gemm ReduceMax Gemm ReduceMax Sub": p / q, "Gemm ReduceMax Mul": low}
    for operators, f in cases.items():
        model = hjsym.to_onnx(f)
        assert [node.op_type for node in model.graph.node] == operators.split()
        np.testing.assert_allclose(run(model, points)[:, 0], f(points), rtol=1e-14, atol=1e-14)
        assert hjsym.equivalent(hjsym.load(model), f)
    soft = p.deform(0.5)
    np.testing.assert_allclose(run(hjsym.to_onnx(soft), points)[:, 0], soft(points), rtol=1e-13)
    c = Circuit.identity(2)
    c = (c.affine([[1, -1]]) + 0) * c.affine([[0, 1]])
    np.testing.assert_allclose(run(hjsym.to_onnx(c), points), c(points), rtol=1e-14, atol=1e-14)


def test_compiled_networks_are_written_as_functions_of_scores():
    net = Network.sequential(4, [layers.Affine(R.normal(size=(3, 4)), R.normal(size=3)), layers.Softmax()])
    f = hjsym.compile(net)
    np.testing.assert_allclose(run(hjsym.to_onnx(f), POINTS), f(POINTS), rtol=1e-13)
    np.testing.assert_allclose(run(hjsym.to_onnx(net), POINTS), net(POINTS), rtol=1e-13)
    deformed = hjsym.compile([(R.normal(size=(3, 4)), R.normal(size=3)), (np.eye(3), np.zeros(3))]).deform(
        0.1
    )
    np.testing.assert_allclose(run(hjsym.to_onnx(deformed), POINTS), deformed(POINTS), rtol=1e-12, atol=1e-12)


# ---- types, numbers that do not fit, files ------------------------------------------------------------


def test_float32():
    network = Network.sequential(4, [*wide(layers.LeakyRelu(0.01)), layers.Maximum()])
    model = network.to_onnx(dtype=np.float32)
    values = run(model, POINTS.astype(np.float32))
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, network(POINTS), rtol=1e-5)
    weight = hjsym.load(model).nodes[0].layer.weight
    assert weight.tolist() == network.nodes[0].layer.weight.astype(np.float32).tolist()
    with pytest.raises(InputError, match=r"layer 0 \(Scale\) has the number 1e\+200, beyond float32"):
        Network.sequential(1, [layers.Scale([1e200], [0.0])]).to_onnx(dtype="float32")
    with pytest.raises(InputError, match="dtype is float16"):
        network.to_onnx(dtype=np.float16)


@pytest.mark.parametrize("number", [Fraction(1, 3), Fraction(10) ** 400, Fraction(1, 2**1080)])
def test_fractions_that_no_float_holds(number, tmp_path):
    network = Network.sequential(1, [layers.Affine([[Fraction(1)]], [number])])
    path = tmp_path / "net.onnx"
    path.write_bytes(b"before")
    with pytest.raises(InputError, match=r"layer 0 .*no float64 holds.*to_float"):
        network.to_onnx(path)
    assert path.read_bytes() == b"before" and len(list(tmp_path.iterdir())) == 1


def test_fractions_that_floats_hold():
    exact = Network.sequential(4, [layers.Affine(R.integers(-9, 9, (3, 4)) / 8, [0.5, 1, 2])]).to_exact()
    np.testing.assert_array_equal(run(exact.to_onnx(), POINTS), exact.to_float()(POINTS))


def test_files_appear_whole(tmp_path, monkeypatch):
    network = Network.sequential(4, CHAINS["many bends"])
    network.to_onnx(tmp_path / "deep" / "net.onnx")
    np.testing.assert_allclose(
        hjsym.load(tmp_path / "deep" / "net.onnx")(POINTS), network(POINTS), atol=1e-13
    )

    def fails(*_, **__):
        raise onnx.checker.ValidationError("no")

    monkeypatch.setattr(onnx.checker, "check_model", fails)
    with pytest.raises(onnx.checker.ValidationError):
        network.to_onnx(tmp_path / "net.onnx")
    assert [p.name for p in tmp_path.iterdir()] == ["deep"]


def test_models_too_large_are_refused_before_they_are_built(monkeypatch):
    monkeypatch.setattr(onnx_writer, "MAX_BYTES", 400)
    for chain in (CHAINS["sparse as windows"], CHAINS["sparse made dense"]):
        with pytest.raises(BudgetExceeded, match="bytes of the ONNX model so far"):
            Network.sequential(4, chain).to_onnx()
