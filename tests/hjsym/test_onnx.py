"""Every supported operator and its variants against ONNX's own reference evaluator."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import hjsym
from hjsym import layers

node = helper.make_node
R = np.random.default_rng(5)
W34, W32, W23, W33, W44 = (R.normal(size=s) for s in ((3, 4), (3, 2), (2, 3), (3, 3), (4, 4)))
B4, B3, B2 = (R.normal(size=n) for n in (4, 3, 2))


def check(model, count: int = 20):
    """load and compile give the reference's values, the head put back on."""
    onnx.checker.check_model(model, full_check=True)
    dims = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim[1:]]
    points = np.random.default_rng(1).normal(size=(count, *dims)) * 3
    (expected,) = ReferenceEvaluator(model).run(None, {"x": points})
    expected, flat = expected.reshape(count, -1), points.reshape(count, -1)
    network = hjsym.load(model)
    np.testing.assert_allclose(network(flat), expected, rtol=1e-13, atol=1e-13)
    f = hjsym.compile(model)
    scores = f(flat)
    np.testing.assert_allclose(scores if f.head is None else f.head(scores), expected, rtol=1e-13, atol=1e-13)
    return network


def int64(*values):
    return np.array(values, dtype=np.int64)


def scored(head):
    """A head needs scores to act on."""
    return [node("LeakyRelu", ["x"], ["s"], alpha=0.5), head]


# name: nodes, initializers, options of the model
MODELS = {
    "gemm": ([node("Gemm", ["x", "W", "b"], ["y"])], {"W": W34, "b": B4}, {}),
    "gemm transB": ([node("Gemm", ["x", "W", "b"], ["y"], transB=1)], {"W": W34.T.copy(), "b": B4}, {}),
    "gemm without C": ([node("Gemm", ["x", "W"], ["y"])], {"W": W34}, {}),
    "gemm with C left out by name": ([node("Gemm", ["x", "W", ""], ["y"])], {"W": W34}, {}),
    "gemm alpha beta": (
        [node("Gemm", ["x", "W", "b"], ["y"], alpha=0.25, beta=-1.5, transB=1, transA=0)],
        {"W": W34.T.copy(), "b": B4},
        {},
    ),
    "gemm beta 0": ([node("Gemm", ["x", "W", "b"], ["y"], beta=0.0)], {"W": W34, "b": B4}, {}),
    "gemm row C": ([node("Gemm", ["x", "W", "b"], ["y"])], {"W": W34, "b": B4[None]}, {}),
    "gemm scalar C": ([node("Gemm", ["x", "W", "b"], ["y"])], {"W": W34, "b": B4[:1]}, {}),
    "gemm C of no axes": ([node("Gemm", ["x", "W", "b"], ["y"])], {"W": W34, "b": B4[0]}, {}),
    "gemm square, not transposed": ([node("Gemm", ["x", "W"], ["y"])], {"W": W33}, {}),
    "matmul": ([node("MatMul", ["x", "W"], ["y"])], {"W": W32}, {}),
    "add first": ([node("Add", ["x", "b"], ["y"])], {"b": B3}, {}),
    "add scalar": ([node("Add", ["b", "x"], ["y"])], {"b": B3[:1]}, {}),
    "add twice": ([node("Add", ["x", "b"], ["a"]), node("Add", ["b", "a"], ["y"])], {"b": B3}, {}),
    "double": ([node("Add", ["x", "x"], ["y"])], {}, {}),
    "relu": ([node("Relu", ["x"], ["y"])], {}, {}),
    "leaky relu": ([node("LeakyRelu", ["x"], ["y"])], {}, {}),
    "leaky relu 0.25": ([node("LeakyRelu", ["x"], ["y"], alpha=0.25)], {}, {}),
    "leaky relu 0": ([node("LeakyRelu", ["x"], ["y"], alpha=0.0)], {}, {}),
    "leaky relu -0.5": ([node("LeakyRelu", ["x"], ["y"], alpha=-0.5)], {}, {}),
    "leaky relu 2": ([node("LeakyRelu", ["x"], ["y"], alpha=2.0)], {}, {}),
    "identity": ([node("Identity", ["x"], ["y"])], {}, {}),
    "dropout": ([node("Dropout", ["x"], ["y"])], {}, {}),
    "dropout with its mask": ([node("Dropout", ["x"], ["y", "mask"])], {}, {}),
    "dropout with ratio and mode": (
        [node("Dropout", ["x", "r", "m"], ["y"])],
        {"r": np.array(0.5), "m": np.array(False)},
        {},
    ),
    "dropout of opset 7": ([node("Dropout", ["x"], ["y"], ratio=0.5)], {}, {"opset": 7}),
    "sigmoid": (scored(node("Sigmoid", ["s"], ["y"])), {}, {}),
    "softmax": (scored(node("Softmax", ["s"], ["y"])), {}, {}),
    "softmax axis 1": (scored(node("Softmax", ["s"], ["y"], axis=1)), {}, {}),
    "softmax of opset 11": (scored(node("Softmax", ["s"], ["y"])), {}, {"opset": 11}),
    "softplus": ([node("Softplus", ["x"], ["y"])], {}, {}),
    "logsumexp by attribute": ([node("ReduceLogSumExp", ["x"], ["y"], axes=[1])], {}, {"opset": 13}),
    "logsumexp by negative attribute": (
        [node("ReduceLogSumExp", ["x"], ["y"], axes=[-1])],
        {},
        {"opset": 13},
    ),
    "logsumexp by input": ([node("ReduceLogSumExp", ["x", "a"], ["y"])], {"a": int64(1)}, {}),
    "logsumexp of one axis fewer": (
        [node("ReduceLogSumExp", ["x", "a"], ["y"], keepdims=0)],
        {"a": int64(-1)},
        {"rank": 1},
    ),
    "relu of an image": ([node("Relu", ["x"], ["y"])], {}, {"shape": ("N", 1, 4, 4), "rank": 4}),
    "flatten": ([node("Flatten", ["x"], ["y"])], {}, {"shape": ("N", 1, 2, 3)}),
    "flatten of negative axis": ([node("Flatten", ["x"], ["y"], axis=-3)], {}, {"shape": ("N", 1, 2, 3)}),
    "reshape 0 and -1": (
        [node("Reshape", ["x", "s"], ["y"])],
        {"s": int64(0, -1)},
        {"shape": ("N", 1, 2, 3)},
    ),
    "reshape -1 and 6": ([node("Reshape", ["x", "s"], ["y"])], {"s": int64(-1, 6)}, {"shape": ("N", 2, 3)}),
    "reshape keeps axes": (
        [node("Reshape", ["x", "s"], ["h"]), node("Reshape", ["h", "t"], ["y"])],
        {"s": int64(0, 0, -1, 1), "t": int64(-1, 6)},
        {"shape": ("N", 2, 3)},
    ),
    "sample of one": ([node("Gemm", ["x", "W"], ["y"])], {"W": W34}, {"shape": (20, 3)}),
    "constant node": (
        [
            node("Constant", [], ["W"], value=numpy_helper.from_array(W34)),
            node("Constant", [], ["s"], value_ints=[0, 4]),
            node("MatMul", ["x", "W"], ["h"]),
            node("Reshape", ["h", "s"], ["y"]),
        ],
        {},
        {},
    ),
    "dead nodes": (
        [
            node("Cos", ["x"], ["c"]),
            node("Gemm", ["x", "W"], ["y"]),
            node("Sin", ["y"], ["dead"]),
        ],
        {"W": W34, "unused": np.zeros((2, 2, 2))},
        {},
    ),
    "residual": (
        [
            node("Gemm", ["x", "W", "b"], ["h"]),
            node("Relu", ["h"], ["r"]),
            node("Add", ["r", "x"], ["a"]),
            node("LeakyRelu", ["a"], ["z"], alpha=0.5),
            node("Gemm", ["z", "V", "c"], ["y"]),
        ],
        {"W": W33, "b": B3, "V": W32, "c": B2},
        {},
    ),
    "image classifier": (
        [
            node("Relu", ["x"], ["r"]),
            node("Flatten", ["r"], ["f"]),
            node("MatMul", ["f", "W"], ["h"]),
            node("Add", ["b", "h"], ["z"]),
            node("Relu", ["z"], ["a"]),
            node("Dropout", ["a"], ["d"]),
            node("Gemm", ["d", "V", "c"], ["s"]),
            node("Softmax", ["s"], ["y"], axis=-1),
        ],
        {"W": R.normal(size=(16, 3)), "b": B3, "V": W34, "c": B4},
        {"shape": ("N", 1, 4, 4)},
    ),
    "soft network": (
        [
            node("Gemm", ["x", "W", "b"], ["h"]),
            node("Softplus", ["h"], ["s"]),
            node("Gemm", ["s", "V"], ["z"]),
            node("ReduceLogSumExp", ["z"], ["y"], axes=[1]),
        ],
        {"W": W34, "b": B4, "V": W44},
        {"opset": 13},
    ),
}


@pytest.mark.parametrize("nodes, constants, options", MODELS.values(), ids=MODELS)
def test_against_the_reference(model, nodes, constants, options):
    check(model(nodes, constants, **options))


@pytest.mark.parametrize("operands", [["h", "b"], ["b", "h"]])
@pytest.mark.parametrize("bias", [B2, B2[None], B2[:1], B2[0]], ids=lambda b: str(np.shape(b)))
def test_matmul_and_add_are_one_affine(model, operands, bias):
    nodes = [node("MatMul", ["x", "W"], ["h"]), node("Add", operands, ["y"])]
    network = check(model(nodes, {"W": W32, "b": bias}))
    assert [type(n.layer) for n in network.nodes] == [layers.Affine]


@pytest.mark.parametrize("order", [1, -1])
def test_matmul_used_twice_keeps_its_value(model, order):
    uses = [node("Add", ["h", "b"], ["u"]), node("Relu", ["h"], ["v"])][::order]
    nodes = [node("MatMul", ["x", "W"], ["h"]), *uses, node("Add", ["u", "v"], ["y"])]
    assert len(check(model(nodes, {"W": W32, "b": B2})).nodes) == 4


def test_bias_added_twice_to_one_value(model):
    nodes = [
        node("MatMul", ["x", "W"], ["h"]),
        node("Add", ["h", "b"], ["u"]),
        node("Add", ["h", "c"], ["v"]),
        node("Add", ["u", "v"], ["y"]),
    ]
    check(model(nodes, {"W": W32, "b": B2, "c": B2[::-1].copy()}))


def test_dead_use_of_a_matmul_does_not_matter(model):
    nodes = [
        node("MatMul", ["x", "W"], ["h"]),
        node("Cos", ["h"], ["dead"]),
        node("Add", ["h", "b"], ["y"]),
    ]
    assert len(check(model(nodes, {"W": W32, "b": B2})).nodes) == 1


@pytest.mark.parametrize("kind", ["value_float", "value_floats"])
def test_numbers_as_attributes_of_constants(model, kind):
    value = 1.5 if kind == "value_float" else [1.5, -2.0, 0.25]
    nodes = [node("Constant", [], ["c"], **{kind: value}), node("Add", ["x", "c"], ["y"])]
    points = R.normal(size=(5, 3))
    np.testing.assert_array_equal(hjsym.load(model(nodes))(points), points + np.array(value))


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int32, np.int8])
@pytest.mark.parametrize("raw", [True, False])
def test_weights_of_other_types_are_taken_without_rounding(model, dtype, raw):
    weight = np.array([[1, -2], [3, 0], [5, 100]], dtype)
    tensor = numpy_helper.from_array(weight, "W")
    if not raw:
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        tensor = helper.make_tensor("W", kind, weight.shape, weight.flatten())
    network = hjsym.load(model([node("MatMul", ["x", "W"], ["y"])], [tensor]))
    assert network([1.0, 2.0, 3.0]).tolist() == [22.0, 298.0]
    assert network.nodes[0].layer.weight.dtype == np.float64


def test_file_names_and_metadata(model, tmp_path):
    proto = model([node("Gemm", ["x", "W"], ["y"], name="dense")], {"W": W34})
    helper.set_model_props(proto, {"author": "nobody", "task": "test"})
    onnx.save(proto, tmp_path / "net.onnx")
    network = hjsym.load(tmp_path / "net.onnx")
    assert dict(network.metadata) == {"author": "nobody", "task": "test"}
    assert [n.name for n in network.nodes] == ["dense"]
    np.testing.assert_array_equal(network(np.eye(3)), W34)


def test_initializers_listed_among_the_inputs(model):
    # Files before IR version 4 list every initializer as an input too.
    inputs = [
        helper.make_tensor_value_info("W", TensorProto.DOUBLE, (3, 4)),
        helper.make_tensor_value_info("x", TensorProto.DOUBLE, ("N", 3)),
    ]
    network = hjsym.load(model([node("MatMul", ["x", "W"], ["y"])], {"W": W34}, inputs=inputs))
    assert network.input_size == 3
