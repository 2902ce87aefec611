"""What the tests of this folder share: random exact networks and ONNX models in a few words."""

import re
from fractions import Fraction

import numpy as np
import onnx
import pytest
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import hjsym
from hjsym.layers import Add, Affine, Identity, LeakyRelu, Relu
from hjsym.network import Network, Node

DYADIC = st.integers(-12, 12).map(lambda k: k / 4)
RATIONAL = st.fractions(-4, 4, max_denominator=30)


def _affine(draw, outputs: int, inputs: int) -> Affine:
    row = st.lists(DYADIC, min_size=inputs, max_size=inputs)
    weight = draw(st.lists(row, min_size=outputs, max_size=outputs))
    return Affine(weight, draw(st.lists(DYADIC, min_size=outputs, max_size=outputs)))


@st.composite
def _networks(draw, max_depth: int = 3, slopes=(0.0, 1.0, 0.25, -0.5, -2.0, 1.5, 3.0)) -> Network:
    """Piecewise-linear networks of dyadic weights, of every supported layer and with residual edges."""
    inputs = draw(st.integers(1, 3))
    nodes, size = [], inputs
    for _ in range(draw(st.integers(0, max_depth))):
        width = draw(st.integers(1, 3))
        nodes.append(Node(_affine(draw, width, size), (len(nodes),)))
        activation = st.sampled_from([Relu(), Identity(), *map(LeakyRelu, slopes)])
        nodes.append(Node(draw(activation), (len(nodes),)))
        if draw(st.booleans()):  # join the activation with what it was applied to
            nodes.append(Node(Add(), (len(nodes), len(nodes) - 1)))
        size = width
    nodes.append(Node(_affine(draw, draw(st.integers(1, 2)), size), (len(nodes),)))
    return Network(inputs, tuple(nodes))


@st.composite
def _networks_with_points(draw, **options) -> tuple[Network, list[list[Fraction]]]:
    network = draw(_networks(**options))
    row = st.lists(RATIONAL, min_size=network.input_size, max_size=network.input_size)
    return network, draw(st.lists(row, min_size=1, max_size=4))


@pytest.fixture(scope="session")
def networks_with_points():
    """The strategy of pairs (network, rational points)."""
    return _networks_with_points


def parse_nodes(text: str) -> list[onnx.NodeProto]:
    """Nodes from lines like "Gemm{transB=1} x W -> h; Relu h -> y", where _ is an operand left out."""
    nodes = []
    for line in filter(None, map(str.strip, text.split(";"))):
        kind, attributes, inputs, outputs = re.fullmatch(r"(\w+)(?:{(.*)})? ?(.*?) -> (.*)", line).groups()
        names = [["" if n == "_" else n for n in side.split()] for side in (inputs, outputs)]
        nodes.append(helper.make_node(kind, *names, **eval(f"dict({attributes or ''})")))
    return nodes


def make_model(nodes, constants=(), *, shape=("N", 3), rank=2, opset=18, **replaced) -> onnx.ModelProto:
    """A model of DOUBLE tensors from "x" to "y", of `rank` axes; `replaced` are inputs or outputs."""
    inputs = [helper.make_tensor_value_info("x", TensorProto.DOUBLE, shape)]
    outputs = [helper.make_tensor_value_info("y", TensorProto.DOUBLE, "MKLPQ"[:rank])]
    if isinstance(constants, dict):
        constants = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    nodes = parse_nodes(nodes) if isinstance(nodes, str) else nodes
    inputs, outputs = replaced.get("inputs", inputs), replaced.get("outputs", outputs)
    graph = helper.make_graph(nodes, "g", inputs, outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


@pytest.fixture(scope="session")
def model():
    """The function `make_model`."""
    return make_model


def check_against_reference(model: onnx.ModelProto, count: int = 20) -> Network:
    """load and compile give the values of ONNX's reference evaluator, the head put back on, and so do the
    affine pieces at the points."""
    onnx.checker.check_model(model, full_check=True)
    dims = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim[1:]]
    points = np.random.default_rng(1).normal(size=(count, *dims)) * 3
    (expected,) = ReferenceEvaluator(model).run(None, {"x": points})
    expected, flat = expected.reshape(count, -1), points.reshape(count, -1)
    network = hjsym.load(model)
    np.testing.assert_allclose(network(flat), expected, rtol=1e-13, atol=1e-13)
    f = hjsym.compile(model)
    scores = np.subtract(*f.parts(flat))
    np.testing.assert_allclose(scores if f.head is None else f.head(scores), expected, rtol=1e-12, atol=1e-12)
    if f.P.is_tropical:
        slope, intercept = f.affine_at(flat)
        line = (slope @ flat[..., None])[..., 0] + intercept
        np.testing.assert_allclose(line, scores, rtol=1e-12, atol=1e-11)
    return network


@pytest.fixture(scope="session")
def check():
    """The function `check_against_reference`."""
    return check_against_reference
