"""Every supported operator against ONNX's own reference evaluator, and the graphs that are refused."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import hjsym
from hjsym import layers
from hjsym.errors import ModelFileError, UnsupportedLayerError

R = np.random.default_rng(5)
W34, W32, W33, W44 = (R.normal(size=s) for s in ((3, 4), (3, 2), (3, 3), (4, 4)))
B4, B3, B2 = (R.normal(size=n) for n in (4, 3, 2))


# name: nodes, initializers, options of the model
MODELS = {
    "gemm": ("Gemm x W b -> y", {"W": W34, "b": B4}, {}),
    "gemm transB": ("Gemm{transB=1} x W b -> y", {"W": W34.T.copy(), "b": B4}, {}),
    "gemm without C": ("Gemm x W -> y", {"W": W34}, {}),
    "gemm with C left out by name": ("Gemm x W _ -> y", {"W": W34}, {}),
    "gemm alpha": ("Gemm{alpha=0.25,beta=-1.5,transA=0} x W b -> y", {"W": W34, "b": B4}, {}),
    "gemm alpha transB": ("Gemm{alpha=-2.0,transB=1} x W b -> y", {"W": W33, "b": B3}, {}),
    "gemm beta 0": ("Gemm{beta=0.0} x W b -> y", {"W": W34, "b": B4}, {}),
    "gemm row C": ("Gemm x W b -> y", {"W": W34, "b": B4[None]}, {}),
    "gemm scalar C": ("Gemm x W b -> y", {"W": W34, "b": B4[:1]}, {}),
    "gemm C of no axes": ("Gemm x W b -> y", {"W": W34, "b": B4[0]}, {}),
    "gemm square": ("Gemm x W -> y", {"W": W33}, {}),
    "gemm and add": ("Gemm x W b -> h; Add c h -> y", {"W": W32, "b": B2, "c": B2[::-1].copy()}, {}),
    "matmul": ("MatMul x W -> y", {"W": W32}, {}),
    "add": ("Add x b -> y", {"b": B3}, {}),
    "add scalar": ("Add b x -> y", {"b": B3[:1]}, {}),
    "add twice": ("Add x b -> a; Add b a -> y", {"b": B3}, {}),
    "double": ("Add x x -> y", {}, {}),
    "relu": ("Relu x -> y", {}, {}),
    "leaky relu": ("LeakyRelu x -> y", {}, {}),
    "leaky relu 0.25": ("LeakyRelu{alpha=0.25} x -> y", {}, {}),
    "leaky relu 0": ("LeakyRelu{alpha=0.0} x -> y", {}, {}),
    "leaky relu -0.5": ("LeakyRelu{alpha=-0.5} x -> y", {}, {}),
    "leaky relu 2": ("LeakyRelu{alpha=2.0} x -> y", {}, {}),
    "identity": ("Identity x -> y", {}, {}),
    "dropout": ("Dropout x -> y", {}, {}),
    "dropout with its mask": ("Dropout x -> y mask", {}, {}),
    "dropout with its mask left out": ("Dropout x -> y _", {}, {}),
    "dropout with mode": ("Dropout x r m -> y", {"r": np.array(0.5), "m": np.array(False)}, {}),
    "dropout of opset 7": ("Dropout{ratio=0.5} x -> y", {}, {"opset": 7}),
    "sigmoid": ("Identity x -> s; Sigmoid s -> y", {}, {}),
    "softmax": ("Identity x -> s; Softmax s -> y", {}, {}),
    "softmax axis 1": ("Relu x -> s; Softmax{axis=1} s -> y", {}, {}),
    "softmax of opset 11": ("Relu x -> s; Softmax s -> y", {}, {"opset": 11}),
    "softplus": ("Softplus x -> y", {}, {}),
    "logsumexp by attribute": ("ReduceLogSumExp{axes=[1]} x -> y", {}, {"opset": 13}),
    "logsumexp by negative attribute": ("ReduceLogSumExp{axes=[-1]} x -> y", {}, {"opset": 13}),
    "logsumexp by input": ("ReduceLogSumExp x a -> y", {"a": np.array([1])}, {}),
    "logsumexp drops axis": ("ReduceLogSumExp{keepdims=0} x a -> y", {"a": np.array([-1])}, {"rank": 1}),
    "relu of an image": ("Relu x -> y", {}, {"shape": ("N", 1, 4, 4), "rank": 4}),
    "flatten": ("Flatten x -> y", {}, {"shape": ("N", 1, 2, 3)}),
    "flatten of negative axis": ("Flatten{axis=-3} x -> y", {}, {"shape": ("N", 1, 2, 3)}),
    "reshape 0 -1": ("Reshape x s -> y", {"s": np.array([0, -1])}, {"shape": ("N", 1, 2, 3)}),
    "reshape -1 6": ("Reshape x s -> y", {"s": np.array([-1, 6])}, {"shape": ("N", 2, 3)}),
    "reshape keeps axes": (
        "Reshape x s -> h; Reshape h t -> y",
        {"s": np.array([0, 0, -1, 1]), "t": np.array([-1, 6])},
        {"shape": ("N", 2, 3)},
    ),
    "batch of fixed size": ("Gemm x W -> y", {"W": W34}, {"shape": (20, 3)}),
    "constant nodes": (
        "Constant{value=numpy_helper.from_array(np.eye(3))} -> W; Constant{value_ints=[0,3]} -> s;"
        "MatMul x W -> h; Reshape h s -> y",
        {},
        {},
    ),
    "dead nodes": ("Cos x -> c; Gemm x W -> y; Sin y -> dead", {"W": W34, "unused": np.zeros((2, 2))}, {}),
    "residual": (
        "Gemm x W b -> h; Relu h -> r; Add r x -> a; LeakyRelu{alpha=0.5} a -> z; Gemm z V c -> y",
        {"W": W33, "b": B3, "V": W32, "c": B2},
        {},
    ),
    "image classifier": (
        "Relu x -> r; Flatten r -> f; MatMul f W -> h; Add b h -> z; Relu z -> a;"
        "Dropout a -> d; Gemm d V c -> s; Softmax{axis=-1} s -> y",
        {"W": R.normal(size=(16, 3)), "b": B3, "V": W34, "c": B4},
        {"shape": ("N", 1, 4, 4)},
    ),
    "soft network": (
        "Gemm x W b -> h; Softplus h -> s; Gemm s V -> z; ReduceLogSumExp{axes=[1]} z -> y",
        {"W": W34, "b": B4, "V": W44},
        {"opset": 13},
    ),
}


@pytest.mark.parametrize("nodes, constants, options", MODELS.values(), ids=MODELS)
def test_against_the_reference(model, check, nodes, constants, options):
    check(model(nodes, constants, **options))


@pytest.mark.parametrize("operands", ["h b", "b h"])
@pytest.mark.parametrize("bias", [B2, B2[None], B2[:1], B2[0]], ids=lambda b: str(np.shape(b)))
def test_matmul_and_add_are_one_affine(model, check, operands, bias):
    network = check(model(f"MatMul x W -> h; Add {operands} -> y", {"W": W32, "b": bias}))
    assert [type(n.layer) for n in network.nodes] == [layers.Affine]


@pytest.mark.parametrize(
    "nodes, count",
    [
        ("MatMul x W -> h; Add h b -> u; Relu h -> v; Add u v -> y", 4),
        ("MatMul x W -> h; Relu h -> v; Add b h -> u; Add u v -> y", 4),
        ("MatMul x W -> h; Add h b -> u; Add h c -> v; Add u v -> y", 4),
        ("MatMul x W -> h; Add h b -> u; Add u u -> v; Add v h -> y", 4),
        ("MatMul x W -> h; Add h h -> y", 2),
        ("MatMul x W -> h; Cos h -> dead; Add h b -> y", 1),
    ],
)
def test_matmul_used_twice_is_not_folded(model, check, nodes, count):
    network = check(model(nodes, {"W": W32, "b": B2, "c": B2[::-1].copy()}))
    assert len(network.nodes) == count


@pytest.mark.parametrize("kind, value", [("float", 1.5), ("floats", [1.5, -2.0, 0.25]), ("ints", [3])])
def test_numbers_as_attributes_of_constants(model, kind, value):
    points = R.normal(size=(5, 3))
    network = hjsym.load(model(f"Constant{{value_{kind}={value}}} -> c; Add x c -> y"))
    np.testing.assert_array_equal(network(points), points + np.array(value))


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int32, np.int8])
@pytest.mark.parametrize("raw", [True, False])
def test_weights_of_other_types_are_taken_without_rounding(model, dtype, raw):
    weight = np.array([[1, -2], [3, 0], [5, 100]], dtype)
    tensor = numpy_helper.from_array(weight, "W")
    if not raw:
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        tensor = helper.make_tensor("W", kind, weight.shape, weight.flatten())
    network = hjsym.load(model("MatMul x W -> y", [tensor]))
    assert network([1.0, 2.0, 3.0]).tolist() == [22.0, 298.0]
    assert network.nodes[0].layer.weight.dtype == np.float64


def test_file_names_and_metadata(model, tmp_path):
    proto = model("Gemm{name='dense'} x W -> y", {"W": W34})
    helper.set_model_props(proto, {"author": "nobody", "task": "test"})
    onnx.save(proto, tmp_path / "net.onnx")
    network = hjsym.load(tmp_path / "net.onnx")
    assert dict(network.metadata) == {"author": "nobody", "task": "test"}
    assert [n.name for n in network.nodes] == ["dense"]
    np.testing.assert_array_equal(network(np.eye(3)), W34)


def test_initializers_listed_among_the_inputs(model):
    # Files before IR version 4 list every initializer as an input too.
    sizes = {"W": (3, 4), "x": ("N", 3)}
    inputs = [helper.make_tensor_value_info(n, TensorProto.DOUBLE, shape) for n, shape in sizes.items()]
    assert hjsym.load(model("MatMul x W -> y", {"W": W34}, inputs=inputs)).input_size == 3


# ---- what is refused -----------------------------------------------------------------------------------

C = {"W": W34, "b": B4, "V": W34.T.copy()}
GRAPHS = {
    "unknown operator": ("Cos{name='c1'} x -> y", C, {}, "Cos 'c1' is not piecewise linear: it is curved.*Gemm"),
    "foreign domain": ("Relu{domain='com.x'} x -> y", C, {}, "Relu 'y' of domain 'com.x' is not supported"),
    "loop": ("Add a x -> b; Relu b -> a; Gemm b W -> y", {"W": W34}, {}, "Add 'b' reads 'a', which no earlier"),
    "own output": ("Add x y -> y", C, {}, "Add 'y' reads 'y'"),
    "unordered": ("Relu h -> y; Gemm x W -> h", C, {}, "Relu 'y' reads 'h'"),
    "missing initializer": ("Gemm x U -> y", C, {}, "Gemm 'y' reads 'U'"),
    "output nobody computes": ("Relu x -> z", C, {}, "output 'y' is not computed"),
    "constant output": ("Identity W -> y", C, {}, "is not computed from the input"),
    "output is a mask": ("Relu x -> h; Dropout h -> z y", C, {}, "'y'"),
    "no operands": ("Relu -> y", C, {}, "Relu 'y'"),
    "one operand": ("Add x -> y", C, {}, "Add 'y'"),
    "operand left out": ("Relu _ -> y", C, {}, "Relu"),
    "weights from input": ("Gemm x x -> y", C, {}, "weights of Gemm"),
    "constant times input": ("MatMul b x -> y", C, {}, "MatMul of a constant"),
    "bias from input": ("Gemm x W x -> y", C, {}, "bias of Gemm"),
    "bias of a wrong size": ("Gemm x W c -> y", {"W": W34, "c": np.ones(3)}, {}, r"bias of Gemm of shape \(3,\)"),
    "bias of every sample": ("Gemm x W c -> y", {"W": W34, "c": np.ones((4, 1))}, {}, r"\(4, 1\)"),
    "add of other sizes": ("Gemm x W -> h; Add h x -> y", C, {}, r"Add 'y': shapes \(4,\) and \(3,\)"),
    "add of a matrix": ("Add x c -> y", {"c": np.ones((3, 3))}, {}, r"constant of shape \(3, 3\)"),
    "transA": ("Gemm{transA=1} x W -> y", C, {}, "transA"),
    "alpha of text": ("LeakyRelu{alpha='a'} x -> y", C, {}, "LeakyRelu 'y'"),
    "alpha nan": ("LeakyRelu{alpha=float('nan')} x -> y", C, {}, "LeakyRelu 'y'"),
    "alpha of two": ("Gemm{alpha=[1.0,2.0,3.0]} x W -> y", {"W": np.eye(3)}, {}, "Gemm 'y'"),
    "training": ("Dropout x r m -> y", {"r": np.array(0.5), "m": np.array(True)}, {}, "Dropout in training"),
    "reshape moves the batch": ("Reshape x s -> y", {"s": np.array([3, -1])}, {}, "mixes samples"),
    "reshape flattens all": ("Reshape x s -> y", {"s": np.array([-1])}, {}, "mixes samples"),
    "reshape to another size": ("Reshape x s -> y", {"s": np.array([0, 4])}, {}, "mixes samples"),
    "reshape, two unknown": ("Reshape x s -> y", {"s": np.array([-1, -1])}, {}, r"Reshape to \[-1, -1\]"),
    "reshape, negative": ("Reshape x s -> y", {"s": np.array([0, -3])}, {}, r"Reshape to \[0, -3\]"),
    "reshape to nothing": ("Reshape x s -> y", {"s": np.array([], int)}, {}, "mixes samples"),
    "flatten all": ("Flatten{axis=0} x -> y", C, {}, "Flatten from axis 0"),
    "flatten late": ("Flatten{axis=2} x -> y", C, {"shape": ("N", 3, 2)}, "Flatten from axis 2"),
    "softmax of samples": ("Softmax{axis=0} x -> y", C, {}, "Softmax over axis 0"),
    "softmax of an image": ("Softmax x -> y", C, {"shape": ("N", 3, 2)}, r"Softmax of a tensor of shape \(3, 2\)"),
    "logsumexp of everything": ("ReduceLogSumExp x -> y", C, {}, "ReduceLogSumExp over axes None"),
    "logsumexp over axis 0": ("ReduceLogSumExp x a -> y", {"a": np.array([0])}, {}, r"over axes \[0\]"),
    "image into gemm": ("Gemm x W -> y", C, {"shape": ("N", 1, 3)}, r"Gemm of a tensor of shape \(1, 3\)"),
    "dynamic axis": ("Relu x -> y", C, {"shape": ("N", "D")}, r"'x' has shape \['N', 'D'\]"),
    "axis of length 0": ("Relu x -> y", C, {"shape": ("N", 0)}, "'x' has shape"),
    "no batch axis": ("Relu x -> y", C, {"shape": (3,)}, r"'x' has shape \[3\]"),
    "unknown shape": ("Relu x -> y", C, {"shape": None}, r"'x' has shape \[\]"),
    "huge input": ("Relu x -> y", C, {"shape": ("N", 10**6, 10**6)}, "numbers a sample"),
    "large input and a bias": ("Add x c -> y", {"c": np.ones(1)}, {"shape": ("N", 10**8)}, "numbers a sample"),
    # Values of one axis hold one number a sample: what follows would run over the samples.
    "softmax after all is flat": (
        "Gemm x c -> h; Reshape h s -> f; Softmax f -> y", {"c": np.ones((3, 1)), "s": np.array([-1])}, {}, "."
    ),
    "softmax after an axis is dropped": (
        "ReduceLogSumExp{keepdims=0} x a -> f; Softmax f -> y", {"a": np.array([1])}, {}, "."
    ),
    "softmax after an axis is added": ("Add x c -> h; Softmax{axis=1} h -> y", {"c": np.ones((1, 1, 3))}, {}, "."),
    "flatten after all is flat": (
        "Gemm x c -> h; Reshape h s -> f; Flatten{axis=0} f -> y", {"c": np.ones((3, 1)), "s": np.array([-1])}, {}, "."
    ),
    "one name computed twice": ("Relu x -> y; Identity x -> h; Dropout h -> z y", C, {}, "'y'"),
}  # fmt: skip


@pytest.mark.parametrize("nodes, constants, options, message", GRAPHS.values(), ids=GRAPHS)
def test_graphs(model, nodes, constants, options, message):
    with pytest.raises((ModelFileError, UnsupportedLayerError), match=message):
        hjsym.load(model(nodes, constants, **options))


@pytest.mark.parametrize("head", ["Sigmoid", "Softmax"])
def test_curved_layers_in_the_middle_are_refused_by_compile(model, head):
    live = model(f"Gemm x W -> h; {head}{{name='bend'}} h -> s; Gemm s V -> y", C)
    assert hjsym.load(live).head is None
    with pytest.raises(UnsupportedLayerError, match=rf"layer 1 \(bend\): {head} is not piecewise linear"):
        hjsym.compile(live)
