"""What exporters write around the layers: shapes that are computed, weights that are not folded, scalers, linear
models, transposed convolutions and resizing; against ONNX's reference evaluator."""

from contextlib import suppress

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import hjsym
from hjsym import layers
from hjsym.errors import ModelFileError, UnsupportedLayerError
from tropical.errors import BudgetExceeded, TropicalError

R = np.random.default_rng(29)
IMAGE = {"shape": ("N", 2, 4, 6), "rank": 4}
LINE = {"shape": ("N", 3, 7), "rank": 3}
VECTOR = {"shape": ("N", 5)}
FLAT = {**IMAGE, "rank": 2}
ONE, ZERO = np.array([1]), np.array([0])


def normal(*shape):
    return R.normal(size=shape)


FLATTENED = (
    "Shape x -> s; Gather{axis=0} s i -> n; Unsqueeze n z -> u; Concat{axis=0} u m -> t; Reshape x t -> y"
)
NORM = "Add v e -> w; Sqrt w -> d; Sub x m -> c; Div c d -> n; Mul n g -> k; Add k b -> y"

MODELS = {
    # shapes that are computed
    "view of the batch and the rest": (FLATTENED, {"i": np.array(0), "z": ZERO, "m": np.array([-1])}, FLAT),
    "view with a length": (FLATTENED, {"i": np.array(0), "z": ZERO, "m": np.array([48])}, FLAT),
    "view of a slice of the shape": (
        "Shape x -> s; Slice s a b -> n; Concat{axis=0} n m -> t; Cast{to=7} t -> q; Reshape x q -> y",
        {"a": ZERO, "b": np.array([2]), "m": np.array([-1])},
        {**IMAGE, "rank": 3},
    ),
    "shape from its second axis": (
        "Shape{start=1} x -> s; ReduceProd{keepdims=1} s -> n; Concat{axis=0} m n -> t; Reshape x t -> y",
        {"m": np.array([-1])},
        {**IMAGE, "rank": 2},
    ),
    "lengths multiplied": (
        "Shape x -> s; Gather s i -> a; Gather s j -> b; Mul a b -> n; Squeeze n -> q; Unsqueeze q z -> u;"
        "Concat{axis=0} m u -> t; Reshape x t -> y",
        {"i": np.array([1]), "j": np.array([2]), "z": ZERO, "m": np.array([0, -1])[:1]},
        {"shape": ("N", 2, 4), "rank": 2},
    ),
    "half of the channels": (
        "Shape x -> s; Gather s i -> c; Div c k -> h; Slice x z h o -> y",
        {"i": np.array([1]), "k": np.array([2]), "z": ZERO, "o": ONE},
        {"shape": ("N", 4, 3), "rank": 3},
    ),
    "zeros of the shape": (
        "Shape x -> s; ConstantOfShape s -> c; Cast{to=11} c -> d; Abs x -> a; Max a d -> y", {}, VECTOR
    ),
    "expand to the shape of another": (
        "ReduceMax{keepdims=1} x a -> m; Shape x -> s; Expand m s -> e; Sub x e -> y", {"a": np.array([2])}, LINE
    ),
    "expand": ("Expand x s -> y", {"s": np.array([1, 3, 1, 6])}, {"shape": ("N", 1, 4, 6), "rank": 4}),
    "expand by the sample alone": ("Expand x s -> y", {"s": np.array([3, 6])}, {"shape": ("N", 3, 1), "rank": 3}),
    "expanded constant": (
        "Shape x -> s; Expand c s -> e; Add x e -> y", {"c": normal(1, 3, 1)}, LINE
    ),
    "legacy expand of a constant": (
        "ConstantOfShape{value=numpy_helper.from_array(np.array([1]))} k -> o; Mul o f -> w; Equal s w -> q;"
        "Where q o s -> t; Expand c t -> e; Add x e -> y",
        {"k": np.array([2]), "f": np.array([-1]), "s": np.array([-1, 5]), "c": np.array([[0.5]])},
        VECTOR,
    ),
    "tile": ("Tile x r -> y", {"r": np.array([1, 2, 3])}, LINE),
    "range as indices": (
        "Range a b c -> i; Gather{axis=1} x i -> y", {"a": np.array(0), "b": np.array(5), "c": np.array(2)}, VECTOR
    ),
    # weights that are computed
    "batch norm unfolded": (
        NORM, {"v": R.uniform(0.5, 2, 5), "e": np.array(0.01), "m": normal(5), "g": normal(5), "b": normal(5)}, VECTOR
    ),
    "weights transposed": ("Transpose W -> V; MatMul x V -> y", {"W": normal(3, 5)}, VECTOR),
    "weights scaled, reshaped, joined": (
        "Mul W k -> V; Reshape V s -> U; Concat{axis=1} U U -> T; MatMul x T -> y",
        {"W": normal(10), "k": np.array(0.5), "s": np.array([5, -1])},
        VECTOR,
    ),
    "product of weights": ("MatMul A B -> W; Gemm x W -> y", {"A": normal(5, 2), "B": normal(2, 4)}, VECTOR),
    "weight norm": (
        "Mul W W -> q; ReduceSum{keepdims=1} q a -> n; Sqrt n -> l; Div W l -> u;"
        "Mul u g -> V; Gemm{transB=1} x V -> y",
        {"W": normal(3, 5), "a": ONE, "g": normal(3, 1)},
        VECTOR,
    ),
    "constants by every operator": (
        "Neg c -> a; Abs a -> b; Reciprocal b -> d; Exp d -> e; Log e -> f; Pow f p -> g; Sub g c -> h; Floor h -> i;"
        "Ceil g -> j; Max i j k -> l; Min l c k -> m; Sum m c c -> n; Relu n -> o; Tile o r -> q; Slice q s t -> u;"
        "ReduceMean{keepdims=0} u -> v; ReduceMax{keepdims=0} u -> w; ReduceMin{keepdims=0} u -> z; Add v w -> aa;"
        "Add aa z -> bb; Identity bb -> cc; Add x cc -> y",
        {"c": normal(5), "p": np.array(2.0), "k": normal(5), "r": np.array([2]), "s": ONE, "t": np.array([9])},
        VECTOR,
    ),
    # layers
    "a constant from the left": ("MatMul W x -> y", {"W": normal(4, 3)}, LINE),
    "a constant from the left, with its batch": ("MatMul W x -> y", {"W": normal(1, 4, 3)}, LINE),
    "sum of absolute values": ("ReduceL1{axes=[2],keepdims=0} x -> y", {}, {**LINE, "rank": 2, "opset": 13}),
    "reduction over nothing": ("ReduceSum{noop_with_empty_axes=1} x -> y", {}, VECTOR),
    "depth to space": (
        "DepthToSpace{blocksize=2} x -> y", {}, {"shape": ("N", 8, 2, 3), "rank": 4}
    ),
    "depth to space, columns first": (
        "DepthToSpace{blocksize=2,mode='CRD'} x -> y", {}, {"shape": ("N", 8, 2, 3), "rank": 4}
    ),
    "space to depth": ("SpaceToDepth{blocksize=2} x -> y", {}, IMAGE),
    "batch norm of a line": (
        "BatchNormalization x g b m v -> y", {k: R.uniform(0.5, 2, 3) for k in "gbmv"}, LINE
    ),
    "batch norm of a volume": (
        "BatchNormalization x g b m v -> y", {k: R.uniform(0.5, 2, 2) for k in "gbmv"},
        {"shape": ("N", 2, 2, 3, 2), "rank": 5},
    ),
    "prelu by channel with a batch axis": ("PRelu x s -> y", {"s": normal(1, 2, 1, 1)}, IMAGE),
    "max pool of everything": (
        "MaxPool{kernel_shape=[2,3],strides=[1,2],pads=[1,1,0,1],dilations=[2,1],ceil_mode=1} x -> y", {}, IMAGE
    ),
    "dropout of opset 12": ("Dropout x r -> y", {"r": np.array(0.5, np.float32)}, {**VECTOR, "opset": 12}),
    # transposed convolutions
    "transposed": ("ConvTranspose x W b -> y", {"W": normal(2, 3, 2, 3), "b": normal(3)}, IMAGE),
    "transposed stride": ("ConvTranspose{strides=[2,3]} x W -> y", {"W": normal(2, 1, 3, 2)}, IMAGE),
    "transposed pads": ("ConvTranspose{strides=[2,2],pads=[1,0,1,1]} x W -> y", {"W": normal(2, 1, 3, 3)}, IMAGE),
    "transposed output padding": (
        "ConvTranspose{strides=[2,2],pads=[1,1,1,1],output_padding=[1,0]} x W -> y", {"W": normal(2, 2, 3, 3)}, IMAGE
    ),
    "transposed dilations": ("ConvTranspose{dilations=[2,1]} x W -> y", {"W": normal(2, 1, 2, 2)}, IMAGE),
    "transposed line": ("ConvTranspose{strides=[2],pads=[0,1]} x W -> y", {"W": normal(3, 2, 4)}, LINE),
    # resizing
    "nearest": ("Resize x r s -> y", {"r": np.zeros(0), "s": np.array([1, 1, 2, 3], np.float32)}, IMAGE),
    "upsample": ("Upsample x s -> y", {"s": np.array([1, 1, 2, 2], np.float32)}, {**IMAGE, "opset": 9}),
}  # fmt: skip


@pytest.mark.parametrize("nodes, constants, options", MODELS.values(), ids=MODELS)
def test_against_the_reference(model, check, nodes, constants, options):
    check(model(nodes, constants, **options), count=5)


@pytest.mark.parametrize("where", ["asymmetric", "half_pixel", "pytorch_half_pixel", "align_corners"])
@pytest.mark.parametrize("rule", ["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"])
@pytest.mark.parametrize("scales", [(2, 3), (0.5, 0.5), (1.5, 2.5)])
def test_rules_of_nearest_neighbours(model, check, where, rule, scales):
    options = f"coordinate_transformation_mode='{where}',nearest_mode='{rule}'"
    constants = {"s": np.array([1, 1, *scales], np.float32)}
    check(model(f"Resize{{{options}}} x _ s -> y", constants, **IMAGE), count=2)


def test_transposed_convolutions_in_groups(model):
    """Each group as a model of its own: the reference evaluator knows one group only."""
    weight, bias = normal(4, 3, 2, 2), normal(6)
    nodes = "ConvTranspose{group=2,strides=[2,1]} x W b -> y"
    network = hjsym.load(model(nodes, {"W": weight, "b": bias}, shape=("N", 4, 3, 5), rank=4))
    points = normal(3, 4, 3, 5)
    parts = []
    for group in range(2):
        constants = {"W": weight[2 * group : 2 * group + 2], "b": bias[3 * group : 3 * group + 3]}
        alone = model("ConvTranspose{strides=[2,1]} x W b -> y", constants, shape=("N", 2, 3, 5), rank=4)
        parts += ReferenceEvaluator(alone).run(None, {"x": points[:, 2 * group : 2 * group + 2]})
    expected = np.concatenate(parts, axis=1).reshape(3, -1)
    np.testing.assert_allclose(network(points.reshape(3, -1)), expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(
    "options, pads",
    [("", [1, 1, 0, 0]), (",auto_pad='SAME_UPPER'", [0, 0, 1, 1]), (",auto_pad='SAME_LOWER'", [1, 1, 0, 0])],
)
def test_output_shapes_of_transposed_convolutions(model, options, pads):
    """The paddings that the operator's specification derives from a shape, given outright."""
    constants = {"W": normal(2, 1, 3, 3)}
    given = model(f"ConvTranspose{{strides=[2,2],output_shape=[8,12]{options}}} x W -> y", constants, **IMAGE)
    padded = model(f"ConvTranspose{{strides=[2,2],pads={pads}}} x W -> y", constants, **IMAGE)
    points = normal(4, 48)
    (expected,) = ReferenceEvaluator(padded).run(None, {"x": points.reshape(4, 2, 4, 6)})
    np.testing.assert_allclose(hjsym.load(given)(points), expected.reshape(4, -1), rtol=1e-13, atol=1e-13)
    if options:
        same = model(f"ConvTranspose{{strides=[2,2]{options}}} x W -> y", constants, **IMAGE)
        np.testing.assert_allclose(hjsym.load(same)(points), expected.reshape(4, -1), rtol=1e-13, atol=1e-13)


def test_resizing_to_sizes(model):
    live = model("Resize x _ _ n -> y", {"n": np.array([1, 2, 7, 4])}, **IMAGE)
    point = normal(1, 48)
    (expected,) = ReferenceEvaluator(live).run(None, {"x": point.reshape(1, 2, 4, 6)})
    np.testing.assert_array_equal(hjsym.load(live)(point), expected.reshape(1, -1))


# ---- classifiers and scalers of scikit-learn's converters ----------------------------------------------


def converted(nodes, outputs, size: int = 5) -> onnx.ModelProto:
    """A model with operators of ai.onnx.ml."""
    x = helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["N", size])
    graph = helper.make_graph(nodes, "g", [x], outputs)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def ml_node(kind: str, inputs, outputs, **attributes):
    return helper.make_node(kind, inputs, outputs, domain="ai.onnx.ml", **attributes)


def floats(name: str, *dims):
    return helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["N", *dims])


def quarters(*shape) -> list[float]:
    """Numbers that the attributes, which are float32, hold exactly."""
    return (R.integers(-9, 10, shape) / 4).ravel().tolist()


LABEL = helper.make_tensor_value_info("label", TensorProto.INT64, ["N"])


def test_scaler_and_regressor():
    nodes = [
        ml_node("Scaler", ["x"], ["s"], offset=quarters(5), scale=quarters(5)),
        ml_node(
            "LinearRegressor", ["s"], ["y"], coefficients=quarters(2, 5), intercepts=quarters(2), targets=2
        ),
    ]
    model = converted(nodes, [floats("y", 2)])
    points = normal(20, 5)
    (expected,) = ReferenceEvaluator(model).run(None, {"x": points})
    np.testing.assert_allclose(hjsym.load(model)(points), expected, rtol=1e-13, atol=1e-12)


@pytest.mark.parametrize(
    "kind, head", [("NONE", None), ("SOFTMAX", layers.Softmax), ("LOGISTIC", layers.Sigmoid)]
)
def test_linear_classifier(kind, head):
    options = dict(coefficients=quarters(3, 5), intercepts=quarters(3), classlabels_ints=[0, 1, 2])
    node = ml_node("LinearClassifier", ["x"], ["label", "y"], post_transform=kind, **options)
    model = converted([node], [LABEL, floats("y", 3)])
    points = normal(20, 5)
    label, expected = ReferenceEvaluator(model).run(None, {"x": points})
    network = hjsym.load(model)
    np.testing.assert_allclose(network(points), expected, rtol=1e-6)
    assert hjsym.compile(model)(points).argmax(axis=1).tolist() == label.tolist()
    assert network.head is None if head is None else isinstance(network.head, head)


def test_perceptron_with_a_scaler_and_a_label():
    """As scikit-learn's converter writes an MLPClassifier: the label by ArgMax is an output of its own."""
    weight = numpy_helper.from_array(normal(5, 3), "W")
    nodes = [
        helper.make_node("Constant", [], ["w"], value=weight),
        ml_node("Scaler", ["x"], ["s"], offset=[0.5], scale=[2.0]),
        helper.make_node("MatMul", ["s", "w"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("ArgMax", ["r"], ["label"], axis=1, keepdims=0),
        helper.make_node("Softmax", ["r"], ["y"], axis=1),
    ]
    model = converted(nodes, [LABEL, floats("y", 3)])
    points = normal(20, 5)
    expected = ReferenceEvaluator(model).run(None, {"x": points})[1]
    np.testing.assert_allclose(hjsym.load(model)(points), expected, rtol=1e-12)


# ---- refused ----------------------------------------------------------------------------------------------

REFUSED = {
    "computes with the batch": ("Shape x -> s; Mul s s -> t; Reshape x t -> y", {}, LINE, "length of the batch"),
    "batch as a factor": ("Shape x -> s; Gather s i -> n; Cast{to=11} n -> c; Mul x c -> y", {"i": np.array(0)}, VECTOR,
                          "Cast of a constant"),
    "batch not in front": ("Shape x -> s; Slice s z o -> n; Concat{axis=0} m n -> t; Reshape x t -> y",
                           {"z": ZERO, "o": ONE, "m": np.array([5])}, VECTOR, "elsewhere than in front"),
    "expand of the batch": ("Expand x s -> y", {"s": np.array([4, 1, 5])}, VECTOR, "moves the batch"),
    "tile of the batch": ("Tile x r -> y", {"r": np.array([2, 1])}, VECTOR, "only the axes of a sample"),
    "where": ("Abs x -> a; Where c x a -> y", {"c": np.ones(5, bool)}, VECTOR, "Where.*jumps"),
    "resize bilinear": ("Resize{mode='linear'} x _ s -> y", {"s": np.array([1, 1, 2, 2], np.float32)}, IMAGE,
                        "nearest"),
    "resize of the batch": ("Resize x _ s -> y", {"s": np.array([2, 1, 1, 1], np.float32)}, IMAGE, "Resize of a value"),
    "resize to nothing": ("Resize x _ s -> y", {"s": np.array([1, 1, 0.1, 1], np.float32)}, IMAGE, "Resize of a value"),
    "resize by nothing": ("Resize x _ s -> y", {"s": np.array([1, 1, 0, 1], np.float32)}, IMAGE, "Resize of a value"),
    "corners": ("Resize{coordinate_transformation_mode='align_corners'} x _ s -> y",
                {"s": np.array([1, 1, 1.1, 1], np.float32)}, IMAGE, "aligned corners"),
    "depth": ("DepthToSpace{blocksize=3} x -> y", {}, IMAGE, "DepthToSpace 'y' cannot be read"),
    "no blocks": ("SpaceToDepth{blocksize=0} x -> y", {}, IMAGE, "by blocks of 0"),
    "division of integers by zero": ("Div a b -> c; Gather{axis=1} x c -> y", {"a": ONE, "b": ZERO}, VECTOR,
                                     "division by zero"),
    "constants that are not finite": ("Log c -> d; Add x d -> y", {"c": -np.ones(5)}, VECTOR, "NaN or infinity"),
    "groups of transposed": ("ConvTranspose{group=3} x W -> y", {"W": normal(2, 1, 2, 2)}, IMAGE, "in 3 groups"),
    "channels of transposed": ("ConvTranspose x W -> y", {"W": normal(3, 1, 2, 2)}, IMAGE, "transposed convolution"),
    "large output padding": ("ConvTranspose{output_padding=[2,2]} x W -> y", {"W": normal(2, 1, 2, 2)}, IMAGE,
                             "transposed"),
    "flat transposed": ("ConvTranspose x W -> y", {"W": normal(4)}, IMAGE, "ConvTranspose 'y'"),
    "matmul from the left": ("MatMul W x -> y", {"W": normal(3, 5)}, VECTOR, "two axes each"),
}  # fmt: skip


@pytest.mark.parametrize("nodes, constants, options, message", REFUSED.values(), ids=REFUSED)
def test_refused(model, nodes, constants, options, message):
    with pytest.raises((UnsupportedLayerError, ModelFileError), match=message):
        hjsym.load(model(nodes, constants, **options))


BOMBS = {
    "constant of shape": ("ConstantOfShape n -> c; Add x c -> y", {"n": np.array([2**20, 2**20])}),
    "expand": ("Expand c n -> e; Add x e -> y", {"c": np.ones(1), "n": np.array([2**20, 2**20])}),
    "expand of a value": ("Expand x n -> y", {"n": np.array([1, 2**40, 5])[:2]}),
    "tile": ("Tile c n -> e; Add x e -> y", {"c": np.ones(5), "n": np.array([2**40])}),
    "range": (
        "Range a b c -> i; Gather{axis=1} x i -> y",
        {"a": np.array(0), "b": np.array(2**50), "c": np.array(1)},
    ),
    "outer product": ("Mul a b -> c; Add x c -> y", {"a": np.ones((2**14, 1)), "b": np.ones((1, 2**14))}),
    "gather": (
        "Gather a i -> b; Gather b i -> c; Add x c -> y",
        {"a": np.ones((2, 2**13)), "i": np.zeros(2**14, int)},
    ),
    "doubling": (
        "; ".join(f"Concat{{axis=0}} c{k} c{k} -> c{k + 1}" for k in range(40)) + "; Add x c40 -> y",
        {"c0": np.ones(5)},
    ),
    "empty product": ("MatMul a b -> c; Add x c -> y", {"a": np.ones((2**20, 0)), "b": np.ones((0, 2**20))}),
    "tile of a value": ("Tile x n -> y", {"n": np.array([1, 2**40])}),
    "resize": ("Resize x _ s -> y", {"s": np.array([1, 2.0**40], np.float32)}),
}


@pytest.mark.parametrize("nodes, constants", BOMBS.values(), ids=BOMBS)
def test_what_would_grow_too_large_is_counted_first(model, nodes, constants):
    with pytest.raises((BudgetExceeded, UnsupportedLayerError, ModelFileError)) as caught:
        hjsym.load(model(nodes, constants, **({"shape": ("N", 1)} if "value" in nodes else VECTOR)))
    assert not isinstance(caught.value, MemoryError)


@pytest.mark.parametrize("nodes, constants, options", MODELS.values(), ids=MODELS)
def test_operands_that_are_missing_or_wrong(model, nodes, constants, options):
    """Each operand left out, replaced by the input, or by an odd constant: read or refused, never a crash."""
    live = model(nodes, {**constants, "odd": np.array([[3, -7]])}, **options)
    for k, node in enumerate(live.graph.node):
        for i in range(len(node.input)):
            for other in ("", "x", "odd"):
                changed = onnx.ModelProto()
                changed.CopyFrom(live)
                changed.graph.node[k].input[i] = other
                with suppress(TropicalError):
                    hjsym.load(changed)


def test_damaged_linear_models():
    for attributes in (
        {"coefficients": [1.0, 2.0]},
        {"coefficients": [float("nan")] * 5},
        {"coefficients": [1]},
    ):
        node = ml_node("LinearRegressor", ["x"], ["y"], targets=1, **attributes)
        with pytest.raises(ModelFileError, match="LinearRegressor"):
            hjsym.load(converted([node], [floats("y", 1)]))
    node = ml_node("Scaler", ["x"], ["y"], offset=[1.0, 2.0], scale=[1.0])
    with pytest.raises(ModelFileError, match="2 offsets"):
        hjsym.load(converted([node], [floats("y", 5)]))
    node = ml_node("TreeEnsembleRegressor", ["x"], ["y"])
    with pytest.raises(UnsupportedLayerError, match=r"of domain 'ai.onnx.ml'.*jumps from leaf to leaf"):
        hjsym.load(converted([node], [floats("y", 5)]))
    node = ml_node(
        "LinearClassifier", ["x"], ["label", "y"], coefficients=quarters(5), classlabels_ints=[0, 1]
    )
    with pytest.raises(UnsupportedLayerError, match="two rows or more"):
        hjsym.load(converted([node], [LABEL, floats("y", 2)]))
    with pytest.raises(UnsupportedLayerError, match="zipmap=False"):
        hjsym.load(converted([node], [LABEL]))
