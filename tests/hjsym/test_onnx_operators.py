"""Operators on images and shapes, with their attributes, against ONNX's own reference evaluator."""

from fractions import Fraction

import numpy as np
import pytest

import hjsym
from hjsym.errors import ModelFileError, UnsupportedLayerError
from tropical.errors import BudgetExceeded

R = np.random.default_rng(11)
IMAGE = {"shape": ("N", 2, 5, 4), "rank": 4}
LINE = {"shape": ("N", 3, 7), "rank": 3}
VECTOR = {"shape": ("N", 5)}


def normal(*shape):
    return R.normal(size=shape)


BATCH_NORM = {"g": normal(2), "b": normal(2), "m": normal(2), "v": R.uniform(0.5, 2, 2)}
C2 = normal(2, 1, 1)

# name: nodes, initializers, options of the model
MODELS = {
    # convolutions: every attribute alone and together, one to three axes
    "conv": ("Conv x W -> y", {"W": normal(3, 2, 3, 2)}, IMAGE),
    "conv bias": ("Conv x W b -> y", {"W": normal(3, 2, 1, 1), "b": normal(3)}, IMAGE),
    "conv stride": ("Conv{strides=[2,3]} x W -> y", {"W": normal(3, 2, 2, 2)}, IMAGE),
    "conv pads": ("Conv{pads=[1,0,2,3]} x W b -> y", {"W": normal(2, 2, 3, 3), "b": normal(2)}, IMAGE),
    "conv dilations": ("Conv{dilations=[2,3],kernel_shape=[2,2]} x W -> y", {"W": normal(1, 2, 2, 2)}, IMAGE),
    "conv depthwise": ("Conv{group=2} x W b -> y", {"W": normal(4, 1, 2, 2), "b": normal(4)}, IMAGE),
    "conv of everything": (
        "Conv{group=2,strides=[2,1],dilations=[1,2],pads=[2,1,0,1]} x W b -> y",
        {"W": normal(6, 2, 3, 2), "b": normal(6)},
        {"shape": ("N", 4, 6, 5), "rank": 4},
    ),
    "conv same upper": ("Conv{auto_pad='SAME_UPPER',strides=[2,2]} x W -> y", {"W": normal(1, 2, 2, 3)}, IMAGE),
    "conv same lower": ("Conv{auto_pad='SAME_LOWER',strides=[1,2]} x W -> y", {"W": normal(1, 2, 2, 3)}, IMAGE),
    "conv valid": ("Conv{auto_pad='VALID'} x W -> y", {"W": normal(1, 2, 2, 3)}, IMAGE),
    "conv 1d": ("Conv{pads=[2,1],dilations=[2]} x W b -> y", {"W": normal(2, 3, 3), "b": normal(2)}, LINE),
    "conv 3d": ("Conv x W -> y", {"W": normal(2, 1, 2, 2, 2)}, {"shape": ("N", 1, 3, 3, 2), "rank": 5}),
    # pools
    "max pool": ("MaxPool{kernel_shape=[2,2]} x -> y", {}, IMAGE),
    "max pool stride pads": ("MaxPool{kernel_shape=[3,2],strides=[2,1],pads=[1,1,1,0]} x -> y", {}, IMAGE),
    "max pool ceil": ("MaxPool{kernel_shape=[2,2],strides=[2,2],ceil_mode=1} x -> y", {}, IMAGE),
    "max pool dilations": ("MaxPool{kernel_shape=[2,2],dilations=[2,3]} x -> y", {}, IMAGE),
    "max pool same": ("MaxPool{kernel_shape=[2,2],strides=[2,2],auto_pad='SAME_UPPER'} x -> y", {}, IMAGE),
    "max pool 1d": ("MaxPool{kernel_shape=[3],strides=[2]} x -> y", {}, LINE),
    "max pool of negative rails": (
        "Conv x W -> h; Relu h -> r; Conv r V -> z; MaxPool{kernel_shape=[2,2]} z -> y",
        {"W": normal(2, 2, 2, 2), "V": normal(2, 2, 1, 1)},
        IMAGE,
    ),
    "average pool": ("AveragePool{kernel_shape=[2,3]} x -> y", {}, IMAGE),
    "average pool pads": ("AveragePool{kernel_shape=[2,2],pads=[1,1,0,1]} x -> y", {}, IMAGE),
    "average pool counts padding": (
        "AveragePool{kernel_shape=[2,2],pads=[1,1,0,1],count_include_pad=1,strides=[2,2]} x -> y", {}, IMAGE
    ),
    "average pool ceil": ("AveragePool{kernel_shape=[2,2],strides=[2,2],ceil_mode=1} x -> y", {}, IMAGE),
    "average pool same": ("AveragePool{kernel_shape=[2,3],auto_pad='SAME_LOWER'} x -> y", {}, IMAGE),
    "global average pool": ("GlobalAveragePool x -> y", {}, IMAGE),
    "global max pool": ("GlobalMaxPool x -> y", {}, IMAGE),
    # batch norm
    "batch norm": ("BatchNormalization{epsilon=0.125} x g b m v -> y", BATCH_NORM, IMAGE),
    "batch norm of a vector": ("BatchNormalization x g b m v -> y", BATCH_NORM, {"shape": ("N", 2)}),
    "batch norm, opset 14": ("BatchNormalization{training_mode=0} x g b m v -> y", BATCH_NORM, {"opset": 14, **IMAGE}),
    # elementwise
    "abs": ("Abs x -> y", {}, VECTOR),
    "neg": ("Neg x -> y", {}, VECTOR),
    "clip": ("Clip x l h -> y", {"l": np.array(-1.0), "h": np.array(2.0)}, VECTOR),
    "clip below": ("Clip x l -> y", {"l": np.array(-1.0)}, VECTOR),
    "clip above": ("Clip x _ h -> y", {"h": np.array(0.5)}, VECTOR),
    "clip of nothing": ("Clip x -> y", {}, VECTOR),
    "clip of opset 10": ("Relu x -> h; Clip{min=0.5,max=6.0} h -> y", {}, {**VECTOR, "opset": 10}),
    "prelu": ("PRelu x s -> y", {"s": np.array([0.25, -1, 2, 0, 1.5])}, VECTOR),
    "prelu shared": ("PRelu x s -> y", {"s": np.array([0.25])}, VECTOR),
    "prelu by channel": ("PRelu x s -> y", {"s": C2}, IMAGE),
    "hard sigmoid": ("HardSigmoid{alpha=0.25,beta=0.375} x -> y", {}, VECTOR),
    "softshrink": ("Shrink{lambd=0.75,bias=0.75} x -> y", {}, VECTOR),
    "softplus of an image": ("Softplus x -> y", {}, IMAGE),
    "cast": ("Cast{to=11} x -> y", {}, VECTOR),
    # sums and products
    "sub": ("Abs x -> a; Sub x a -> y", {}, VECTOR),
    "sub a constant": ("Sub x c -> y", {"c": normal(5)}, VECTOR),
    "sub from a constant": ("Sub c x -> y", {"c": normal(1, 5)}, VECTOR),
    "residual by channel": ("GlobalMaxPool x -> g; Sub x g -> y", {}, IMAGE),
    "add by channel": ("Add c x -> y", {"c": C2}, IMAGE),
    "add makes wider": ("Add x c -> y", {"c": normal(4)}, {"shape": ("N", 1)}),
    "mul": ("Mul x c -> y", {"c": normal(5)}, VECTOR),
    "mul by channel": ("Mul c x -> y", {"c": C2}, IMAGE),
    "div": ("Div x c -> y", {"c": normal(5)}, VECTOR),
    "sum of three": ("Abs x -> a; Relu x -> r; Sum x a r -> y", {}, VECTOR),
    "mean": ("Abs x -> a; Relu x -> r; Mean x a r -> y", {}, VECTOR),
    "matmul of rows": ("MatMul x W -> y", {"W": normal(7, 4)}, LINE),
    "matmul of rows and bias": ("MatMul x W -> h; Add h b -> y", {"W": normal(7, 4), "b": normal(4)}, LINE),
    # maxima
    "max": ("Neg x -> n; Abs x -> a; Max n x a -> y", {}, VECTOR),
    "min": ("Neg x -> n; Relu x -> r; Min n x r -> y", {}, VECTOR),
    "max with constants": ("Neg x -> n; Max n c x d -> y", {"c": normal(5), "d": normal(1)}, VECTOR),
    "min with a constant": ("Min x c -> y", {"c": C2}, IMAGE),
    "max makes wider": ("Max x c -> y", {"c": normal(4)}, {"shape": ("N", 1)}),
    "max of image and channel": ("GlobalAveragePool x -> g; Max x g -> y", {}, IMAGE),
    "maxout": (
        "Gemm x W b -> h; Reshape h s -> r; ReduceMax{keepdims=0} r a -> y",
        {"W": normal(5, 6), "b": normal(6), "s": np.array([0, 2, 3]), "a": np.array([-1])},
        VECTOR,
    ),
    # reductions
    "reduce max": ("ReduceMax x a -> y", {"a": np.array([1, 3])}, IMAGE),
    "reduce min": ("ReduceMin{keepdims=0} x a -> y", {"a": np.array([-1])}, {**IMAGE, "rank": 3}),
    "reduce sum": ("ReduceSum x a -> y", {"a": np.array([2])}, IMAGE),
    "reduce mean": ("ReduceMean{axes=[2,3]} x -> y", {}, {**IMAGE, "opset": 13}),
    "reduce logsumexp": ("ReduceLogSumExp x a -> y", {"a": np.array([1])}, IMAGE),
    # shapes
    "concat": ("Abs x -> a; Concat{axis=1} x a -> y", {}, VECTOR),
    "concat of channels": ("MaxPool{kernel_shape=[1,1]} x -> a; Concat{axis=-3} a x -> y", {}, IMAGE),
    "concat of columns": ("Abs x -> a; Concat{axis=3} x a -> y", {}, IMAGE),
    "transpose": ("Transpose{perm=[0,3,1,2]} x -> y", {}, IMAGE),
    "transpose and gemm": (
        "Transpose{perm=[0,2,3,1]} x -> t; Flatten t -> f; Gemm f W -> y", {"W": normal(40, 2)}, {**IMAGE, "rank": 2}
    ),
    "slice": (
        "Slice x s e a t -> y",
        {"s": np.array([-1, 1]), "e": np.array([-9, 9]), "a": np.array([2, 3]), "t": np.array([-2, 2])},
        IMAGE,
    ),
    "slice of opset 9": ("Slice{starts=[1],ends=[3],axes=[2]} x -> y", {}, {**IMAGE, "opset": 9}),
    "gather": ("Gather{axis=2} x i -> y", {"i": np.array([[0, -1], [2, 0]])}, {**IMAGE, "rank": 5}),
    "gather one": ("Gather{axis=1} x i -> y", {"i": np.array(1)}, {**IMAGE, "rank": 3}),
    "split": ("Split{axis=1,num_outputs=2} x -> a b; Sub b a -> y", {}, IMAGE),
    "split by sizes": ("Split{axis=3} x s -> a b; Abs b -> y", {"s": np.array([3, 1])}, IMAGE),
    "split of opset 11": ("Split{axis=-1,split=[1,3]} x -> a b; Abs b -> y", {}, {**IMAGE, "opset": 11}),
    "squeeze": ("GlobalMaxPool x -> g; Squeeze g a -> y", {"a": np.array([2, -1])}, {**IMAGE, "rank": 2}),
    "unsqueeze": ("Unsqueeze x a -> y", {"a": np.array([1, -1])}, {**VECTOR, "rank": 4}),
    "pad": ("Pad x p v -> y", {"p": np.array([0, 1, 0, 2, 0, 0, 1, 0]), "v": np.array(-1.5)}, IMAGE),
    "pad of opset 10": ("Pad{pads=[0,0,1,0,0,1],value=0.5} x -> y", {}, {**LINE, "opset": 10}),
    "log softmax": ("Identity x -> s; LogSoftmax s -> y", {}, VECTOR),
    # whole networks
    "residual block": (
        "Conv{pads=[1,1,1,1]} x W -> h; BatchNormalization h g b m v -> n; Relu n -> r;"
        "Conv{pads=[1,1,1,1]} r V -> z; Add z x -> s; Relu s -> y",
        {"W": normal(2, 2, 3, 3), "V": normal(2, 2, 3, 3), **BATCH_NORM},
        IMAGE,
    ),
    "lenet": (
        "Conv x A a -> h1; Relu h1 -> r1; MaxPool{kernel_shape=[2,2],strides=[2,2]} r1 -> p1;"
        "Conv p1 B b -> h2; Clip h2 lo hi -> r2; AveragePool{kernel_shape=[2,2]} r2 -> p2; Flatten p2 -> f;"
        "Gemm f W c -> h3; PRelu h3 s -> r3; Gemm r3 V -> z; Softmax z -> y",
        {"A": normal(3, 1, 3, 3), "a": normal(3), "B": normal(4, 3, 2, 2), "b": normal(4),
         "lo": np.array(0.0), "hi": np.array(6.0), "W": normal(16, 5), "c": normal(5), "s": normal(5),
         "V": normal(5, 3)},
        {"shape": ("N", 1, 10, 10)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("nodes, constants, options", MODELS.values(), ids=MODELS)
def test_against_the_reference(model, check, nodes, constants, options):
    check(model(nodes, constants, **options), count=5)


def test_exact_compilation_of_an_image_network(model):
    """Dyadic weights, rational points: the compiled network is the rational one, to the last digit."""
    dyadic = np.random.default_rng(3)
    W, V = dyadic.integers(-4, 5, (2, 1, 2, 2)) / 4, dyadic.integers(-4, 5, (8, 2)) / 2
    nodes = "Conv x W -> h; PRelu h s -> r; MaxPool{kernel_shape=[2,2]} r -> p; Flatten p -> f; Gemm f V -> y"
    constants = {"W": W, "V": V, "s": np.array([[[0.25]], [[-0.5]]])}
    live = model(nodes, constants, shape=("N", 1, 4, 4))
    f = hjsym.compile(live, exact=True)
    for k in range(5):
        x = [Fraction(int(v), 7) for v in np.random.default_rng(k).integers(-9, 10, 16)]
        value = f(x)
        assert value.tolist() == f.network(x).tolist() and {type(v) for v in value} == {Fraction}
        slope, intercept = f.affine_at(x)
        assert (slope @ np.array(x, object) + intercept).tolist() == value.tolist()


def test_open_axes_take_the_shape_that_is_given(model):
    live = model("GlobalMaxPool x -> p; Flatten p -> y", shape=("N", 2, "H", "W"))
    assert hjsym.load(live, input_shape=(2, 3, 4)).input_size == 24
    with pytest.raises(UnsupportedLayerError, match=r"input_shape is \(3, 3, 4\)"):
        hjsym.load(live, input_shape=(3, 3, 4))
    with pytest.raises(UnsupportedLayerError, match="or input_shape="):
        hjsym.load(live)


# ---- what is refused -----------------------------------------------------------------------------------

W = np.ones((1, 2, 2, 2))
REFUSED = {
    "hard swish": ("HardSwish x -> y", {}, VECTOR, "HardSwish 'y' is not piecewise linear: x·hardsigmoid.*quadratic"),
    "layer norm": ("LayerNormalization x g -> y", {"g": np.ones(5)}, VECTOR, "divides by the standard deviation"),
    "thresholded": ("ThresholdedRelu x -> y", {}, VECTOR, "it jumps"),
    "hard shrink": ("Shrink{lambd=0.5} x -> y", {}, VECTOR, "lambd 0.5 and bias 0.0 jumps"),
    "product": ("Relu x -> r; Mul x r -> y", {}, VECTOR, "Mul of two values"),
    "quotient": ("Div c x -> y", {"c": np.ones(5)}, VECTOR, "Div of a constant"),
    "by zero": ("Div x c -> y", {"c": np.zeros(5)}, VECTOR, "division by zero"),
    "infinite factor": ("Mul x c -> y", {"c": np.full(5, np.inf)}, VECTOR, "NaN or infinity"),
    "nan bound": ("Clip x c -> y", {"c": np.array(np.nan)}, VECTOR, "clip to"),
    "crossed bounds": ("Clip x c d -> y", {"c": np.array(2.0), "d": np.array(1.0)}, VECTOR, "clip to"),
    "training norm": ("BatchNormalization{training_mode=1} x g b m v -> y", BATCH_NORM, IMAGE, "in training"),
    "short norm": ("BatchNormalization x g b m w -> y", {**BATCH_NORM, "w": np.ones(3)}, IMAGE, "2 channels"),
    "negative variance": ("BatchNormalization x g b m w -> y", {**BATCH_NORM, "w": -np.ones(2)}, IMAGE, "not positive"),
    "concat of samples": ("Concat{axis=0} x x -> y", {}, VECTOR, "Concat over axis 0"),
    "transpose of samples": ("Transpose x -> y", {}, VECTOR, "mixes samples"),
    "gather of samples": ("Gather x i -> y", {"i": np.array([0])}, VECTOR, "Gather over axis 0"),
    "gather beyond": ("Gather{axis=1} x i -> y", {"i": np.array([5])}, VECTOR, "Gather 'y' cannot be read"),
    "gather at fractions": ("Gather{axis=1} x i -> y", {"i": np.array([0.5])}, VECTOR, "integers are needed"),
    "slice of samples": ("Slice x s e -> y", {"s": np.array([0]), "e": np.array([1])}, VECTOR, "Slice over axis 0"),
    "empty slice": ("Slice x s s a -> y", {"s": np.array([2]), "a": np.array([1])}, VECTOR, "leaves nothing"),
    "pad of samples": ("Pad x p -> y", {"p": np.array([1, 0, 0, 0])}, VECTOR, "Pad of the batch"),
    "reflection": ("Pad{mode='reflect'} x p -> y", {"p": np.array([0, 1, 0, 1])}, VECTOR, "mode b'reflect'"),
    "negative pad": ("Pad x p -> y", {"p": np.array([0, -1, 0, 0])}, VECTOR, "padding by"),
    "sizes of split": ("Split{axis=1} x s -> y z", {"s": np.array([9, -4])}, VECTOR, "Split of 5 entries"),
    "cast": ("Cast{to=7} x -> y", {}, VECTOR, "rounds"),
    "squeeze": ("Squeeze x a -> y", {"a": np.array([1])}, VECTOR, "mixes samples"),
    "stride 0": ("Conv{strides=[0,1]} x W -> y", {"W": W}, IMAGE, "stride 0"),
    "negative pads": ("Conv{pads=[-1,0,0,0]} x W -> y", {"W": W}, IMAGE, "padding -1"),
    "dilation 0": ("Conv{dilations=[0,1]} x W -> y", {"W": W}, IMAGE, "dilation 0"),
    "few pads": ("Conv{pads=[1]} x W -> y", {"W": W}, IMAGE, r"pads \[1\] of 2 axes"),
    "few strides": ("Conv{strides=[1]} x W -> y", {"W": W}, IMAGE, "of 2 axes"),
    "other kernel": ("Conv{kernel_shape=[3,3]} x W -> y", {"W": W}, IMAGE, r"kernel \(3, 3\)"),
    "groups": ("Conv{group=2} x W -> y", {"W": W}, IMAGE, "in 2 groups"),
    "no groups": ("Conv{group=0} x W -> y", {"W": W}, IMAGE, "in 0 groups"),
    "negative groups": ("Conv{group=-1} x W -> y", {"W": W}, IMAGE, "in -1 groups"),
    "flat weights": ("Conv x W -> y", {"W": np.ones(4)}, IMAGE, "Conv 'y'"),
    "no weights": ("Conv x W -> y", {"W": np.ones((0, 2, 2, 2))}, IMAGE, "Conv 'y'"),
    "conv of a vector": ("Conv x W -> y", {"W": W}, VECTOR, "Conv 'y'"),
    "large kernel": ("Conv x W -> y", {"W": np.ones((1, 2, 9, 9))}, IMAGE, "a window of kernel 9"),
    "auto pad": ("Conv{auto_pad='MAYBE'} x W -> y", {"W": W}, IMAGE, "auto_pad b'MAYBE'"),
    "bias": ("Conv x W b -> y", {"W": W, "b": np.ones(3)}, IMAGE, "Conv 'y'"),
    "nan weights": ("Conv x W -> y", {"W": W * np.nan}, IMAGE, "NaN"),
    "pool without kernel": ("MaxPool x -> y", {}, IMAGE, "without kernel_shape"),
    "kernel 0": ("MaxPool{kernel_shape=[0,1]} x -> y", {}, IMAGE, "kernel 0"),
    "pool of padding": ("MaxPool{kernel_shape=[1,1],pads=[1,0,0,0]} x -> y", {}, IMAGE, "wholly in the padding"),
    "mean of padding": ("AveragePool{kernel_shape=[1,1],pads=[1,0,0,0]} x -> y", {}, IMAGE, "wholly in the padding"),
    "indices": ("MaxPool{kernel_shape=[1,1]} x -> z i; Relu i -> y", {}, IMAGE, "Relu 'y' reads 'i'"),
    # types of attributes
    "float strides": ("Conv{strides=[1.5,1.0]} x W -> y", {"W": W}, IMAGE, "attribute 'strides'"),
    "one stride": ("Conv{strides=2} x W -> y", {"W": W}, IMAGE, "attribute 'strides' = 2 has the wrong type"),
    "text pads": ("Conv{pads='ab'} x W -> y", {"W": W}, IMAGE, "attribute 'pads'"),
    "float group": ("Conv{group=1.0} x W -> y", {"W": W}, IMAGE, "attribute 'group'"),
    "text axis": ("Concat{axis='a'} x x -> y", {}, VECTOR, "attribute 'axis'"),
    "integer epsilon": ("BatchNormalization{epsilon=1} x g b m v -> y", BATCH_NORM, IMAGE, "attribute 'epsilon'"),
}  # fmt: skip


@pytest.mark.parametrize("nodes, constants, options, message", REFUSED.values(), ids=REFUSED)
def test_refused(model, nodes, constants, options, message):
    with pytest.raises((ModelFileError, UnsupportedLayerError), match=message):
        hjsym.load(model(nodes, constants, **options))


HUGE = 2**62
TOO_LARGE = {
    "pads": ("Conv{pads=[0,0,100000,100000]} x W -> y", {"W": W}, IMAGE),
    "pool pads": ("MaxPool{kernel_shape=[2,2],pads=[0,0,1000000000,0]} x -> y", {}, IMAGE),
    "average of a giant window": (
        "AveragePool{kernel_shape=[1000000,1000000],pads=[999999,999999,999999,999999],count_include_pad=1} x -> y",
        {}, IMAGE,
    ),
    "many channels": ("Conv{pads=[99,99,99,99]} x W -> y", {"W": np.ones((500, 2, 1, 4))}, IMAGE),
    "gather": (
        "Gather{axis=2} x i -> y", {"i": np.zeros(200_000, int)}, {"shape": ("N", 100, 1, 4), "rank": 4}
    ),
    "pad": ("Pad x p -> y", {"p": np.array([0, 0, 0, 0, 0, 0, 10**6, 10**6])}, IMAGE),
}  # fmt: skip


@pytest.mark.parametrize("nodes, constants, options", TOO_LARGE.values(), ids=TOO_LARGE)
def test_sizes_are_known_before_anything_is_built(model, nodes, constants, options):
    with pytest.raises(BudgetExceeded, match="the limit is 67,108,864") as caught:
        hjsym.load(model(nodes, constants, **options))
    assert caught.value.reached > caught.value.limit


@pytest.mark.parametrize("field", ["strides", "pads", "dilations", "kernel_shape"])
@pytest.mark.parametrize("number", [HUGE, -HUGE, 2**63 - 1, -(2**63)])
def test_numbers_at_the_end_of_the_range(model, field, number):
    attributes = {"kernel_shape": [2, 2], field: [number] * (4 if field == "pads" else 2)}
    text = ",".join(f"{k}={v}" for k, v in attributes.items())
    for kind in ("MaxPool", "AveragePool"):
        with pytest.raises(UnsupportedLayerError, match=f"{kind} 'y': a window of kernel"):
            hjsym.load(model(f"{kind}{{{text}}} x -> y", {}, **IMAGE))
