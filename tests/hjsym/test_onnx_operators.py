"""Operators on images and shapes, with their attributes, against ONNX's own reference evaluator."""

import numpy as np
import pytest

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
