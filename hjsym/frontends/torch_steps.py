"""What torch's modules, functions and methods do, on `Tensor`s.

The batch axis is axis 0 of what torch sees and absent here; its length is the mark `BATCH`, which may come back
as the first length of a view.
"""

from typing import NamedTuple

import numpy as np

from hjsym import layers
from hjsym.errors import UnsupportedLayerError
from hjsym.frontends.activations import hard_sigmoid
from hjsym.frontends.tensors import Builder, Tensor

__all__ = ["BATCH", "FUNCTIONS", "MODULES", "Shape", "all_axes", "module_step", "to_array"]


class _Batch:
    def __repr__(self) -> str:
        return "batch"


BATCH = _Batch()


class Extremum(NamedTuple):
    """What torch's max over an axis returns; the indices are not computed."""

    values: Tensor
    indices: None


class Shape(tuple):
    """The lengths of a tensor, with the batch in front."""


def to_array(value) -> np.ndarray | None:
    """A torch tensor as float64, without rounding for any float type of torch."""
    return None if value is None else value.detach().cpu().double().numpy()


def all_axes(value, rank: int) -> tuple[int, ...]:
    """One number for each axis, from a sequence or one for all."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    return values * rank if len(values) == 1 else values


def _number(value) -> float:
    return float(value)


def _constant(value) -> np.ndarray:
    return to_array(value) if hasattr(value, "detach") else np.asarray(value, dtype=float)


def _axis(axis: int, t: Tensor, what: str, rank: int | None = None) -> int:
    """An axis as torch counts it, as one of a sample."""
    rank = len(t.shape) if rank is None else rank
    if not -rank <= axis <= rank or axis == 0:
        raise UnsupportedLayerError(
            f"{what} over axis {axis}; only the axes of a sample, 1 to {rank}, are read"
        )
    return axis - 1 if axis > 0 else axis + rank


def _axes(axes, t: Tensor, what: str) -> list[int]:
    axes = [axes] if isinstance(axes, int) else axes
    if axes is None:
        raise UnsupportedLayerError(f"{what} over all axes mixes samples; name the axes of a sample")
    return [_axis(a, t, what) for a in axes]


def _evaluating(module) -> None:
    if module.training:
        raise UnsupportedLayerError(f"{type(module).__name__} in training mode; call model.eval() first")


# ---- steps: builder and torch's own arguments ----------------------------------------------------------


def linear(b: Builder, t, weight, bias=None, name=""):
    return b.linear(t, to_array(weight), to_array(bias), name)


def batch_norm(
    b: Builder, t, mean, variance, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5, name=""
):
    if training or mean is None:
        raise UnsupportedLayerError(
            "batch norm over the batch itself; call model.eval(), with running statistics"
        )
    mean, variance = to_array(mean), to_array(variance)
    gamma = np.ones(len(mean)) if weight is None else to_array(weight)
    beta = np.zeros(len(mean)) if bias is None else to_array(bias)
    return b.batch_norm(t, gamma, beta, mean, variance, eps, 0, name)


def _exported_batch_norm(b, t, weight, bias, mean, variance, training, momentum, eps, *rest):
    """aten's order of arguments."""
    return batch_norm(b, t, mean, variance, weight, bias, training, momentum, eps)


def _any_batch_norm(b, t, *arguments, **keywords):
    exported = len(arguments) >= 7 and isinstance(arguments[4], bool)
    return (_exported_batch_norm if exported else batch_norm)(b, t, *arguments, **keywords)


def activation(make):
    """A step that applies a layer made from torch's arguments."""

    def step(b: Builder, t, *arguments, name="", inplace=False, **keywords):
        return b.emit(make(*arguments, **keywords), [t], name)

    return step


def leaky_relu(negative_slope=0.01, inplace=False):
    return layers.LeakyRelu(negative_slope)


def softplus(beta=1.0, threshold=20.0):
    """torch turns to the identity above the threshold, where the two differ by less than e^{−threshold}/beta."""
    return layers.Softplus(1.0 / beta)


def _hardtanh(min_val=-1.0, max_val=1.0, inplace=False):
    return layers.clip(min_val, max_val)


def _hard_sigmoid(b: Builder, t, inplace=False, name=""):
    return hard_sigmoid(b, t, name)


def threshold(b: Builder, t, threshold, value, inplace=False, name=""):
    if threshold != value:
        raise UnsupportedLayerError(
            f"a threshold at {threshold:g} with the value {value:g} below it jumps; only equal ones are read"
        )
    return b.emit(layers.clip(threshold), [t], name)


def clamp(b: Builder, t, min=None, max=None, name=""):
    for bound, sign in ((min, 1), (max, -1)):
        if bound is not None:
            t = b.bound(t, _constant(bound), name, sign)
    return t


def prelu(b: Builder, t, weight, name=""):
    slopes = to_array(weight)
    return b.prelu(t, slopes.reshape(-1, *(1,) * (len(t.shape) - 1)) if slopes.size > 1 else slopes, name)


def head(layer):
    def step(b: Builder, t, dim=None, *_, dtype=None, name=""):
        if len(t.shape) != 1 or (dim is not None and _axis(dim, t, str(layer())) != 0):
            raise UnsupportedLayerError(f"{layer()} over axis {dim} of values of shape {t.shape} a sample")
        return b.head(layer(), t, name)

    return step


def dropout(b: Builder, t, p=0.5, training=True, inplace=False, name=""):
    if training:
        raise UnsupportedLayerError("dropout in training mode; call model.eval() first")
    return t


def summed(first: float, second: float):
    """first · a + second · b, where one may be a constant; alpha scales b."""

    def step(b: Builder, x, y, *, alpha=1, name=""):
        factor = second * _number(alpha)
        if isinstance(x, Tensor) and isinstance(y, Tensor):
            return b.add([x, y], [first, factor], name)
        if isinstance(x, Tensor):
            value, constant, sign = x, _constant(y) * factor, first
        else:
            value, constant, sign = y, _constant(x) * first, factor
        return b.scale(value, sign, constant, name)

    return step


def product(b: Builder, x, y, name=""):
    if isinstance(x, Tensor) and isinstance(y, Tensor):
        raise UnsupportedLayerError(
            "a product of two values that depend on the input is not piecewise linear"
        )
    value, constant = (x, y) if isinstance(x, Tensor) else (y, x)
    return b.scale(value, _constant(constant), 0.0, name)


def quotient(b: Builder, x, y, name=""):
    if isinstance(y, Tensor):
        raise UnsupportedLayerError("division by a value that depends on the input is not piecewise linear")
    return b.scale(x, 1 / _constant(y), 0.0, name)


def matmul(b: Builder, x, y, name=""):
    if not isinstance(x, Tensor) or isinstance(y, Tensor):
        raise UnsupportedLayerError("a matrix product is read as values @ constant only")
    return b.linear(x, to_array(y).T, None, name)


def addmm(b: Builder, bias, x, weight, name=""):
    return b.linear(x, to_array(weight).T, to_array(bias), name)


def extremum(sign: int, kind: str):
    """max(a, b) of two, or max over an axis."""

    def step(b: Builder, x, y=None, keepdim=False, dim=None, name=""):
        y = dim if y is None else y
        if isinstance(y, int) or (isinstance(y, (tuple, list)) and y):
            return b.reduce(x, _axes(y, x, kind), kind, keepdim, name)
        if isinstance(x, Tensor) and isinstance(y, Tensor):
            return b.maximum([x, y], name, sign)
        if y is None:
            raise UnsupportedLayerError(f"{kind} over all axes mixes samples; name an axis")
        value, constant = (x, y) if isinstance(x, Tensor) else (y, x)
        return b.bound(value, _constant(constant), name, sign)

    return step


def reduced_with_indices(step):
    """torch.max(x, dim) is a pair of values and indices; only the values are there."""

    def pair(*arguments, **keywords):
        result = step(*arguments, **keywords)
        return Extremum(result, None) if isinstance(_dimension(arguments, keywords), int) else result

    return pair


def _dimension(arguments, keywords):
    return keywords.get("dim", arguments[2] if len(arguments) > 2 else None)


def reduction(kind: str):
    def step(b: Builder, t, dim=None, keepdim=False, dtype=None, name=""):
        return b.reduce(t, _axes(dim, t, kind), kind, keepdim, name)

    return step


# ---- shapes --------------------------------------------------------------------------------------------


def flatten(b: Builder, t, start_dim=0, end_dim=-1, name=""):
    return b.flatten(t, _axis(start_dim, t, "flatten"), _axis(end_dim, t, "flatten"))


def view(b: Builder, t, *shape, name=""):
    shape = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    batch, *sample = shape
    if batch is not BATCH and (batch != -1 or -1 in sample) and batch != 1:
        raise UnsupportedLayerError(f"a view as {shape} mixes samples; keep the batch as the first axis")
    return b.reshape(t, sample)


def permute(b: Builder, t, *order, name=""):
    order = order[0] if len(order) == 1 and isinstance(order[0], (tuple, list)) else order
    if not order or order[0] != 0:
        raise UnsupportedLayerError(f"axes {order} move the batch; keep axis 0 first")
    return b.transpose(t, [_axis(a, t, "permute") for a in order[1:]], name)


def transpose(b: Builder, t, first, second, name=""):
    order = list(range(len(t.shape)))
    i, j = _axis(first, t, "transpose"), _axis(second, t, "transpose")
    order[i], order[j] = order[j], order[i]
    return b.transpose(t, order, name)


def concat(b: Builder, tensors, dim=0, name=""):
    rank = next(len(t.shape) for t in tensors if isinstance(t, Tensor))
    tensors = [t if isinstance(t, Tensor) else b.constant(to_array(t)[0]) for t in tensors]
    return b.concat(tensors, _axis(dim, tensors[0], "cat", rank), name)


def chunk(b: Builder, t, chunks, dim=0, name=""):
    axis = _axis(dim, t, "chunk")
    part = -(-t.shape[axis] // chunks)
    return split(b, t, part, dim, name)


def split(b: Builder, t, size, dim=0, name=""):
    axis = _axis(dim, t, "split")
    length = t.shape[axis]
    ends = range(size, length, size) if isinstance(size, int) else np.cumsum(size)[:-1]
    return [b.take(t, places, name) for places in np.split(t.places, list(ends), axis)]


def item(b: Builder, value, index, name=""):
    """value[index], of a shape, a list or a tensor."""
    if not isinstance(value, Tensor):
        return value[index]
    index = index if isinstance(index, tuple) else (index,)
    if index[0] is Ellipsis:
        kept = index
    elif index[0] == slice(None):
        kept = index[1:]
    else:
        raise UnsupportedLayerError(f"index {index} chooses among samples; start with : or ...")
    places = value.places[kept]
    if not places.size:
        raise UnsupportedLayerError(f"index {index} leaves nothing")
    return b.take(value, places, name)


def narrowed(b: Builder, t, dim=0, start=None, end=None, step=1, name=""):
    if dim == 0 and start in (0, None) and (end is None or end > 2**62) and step == 1:
        return t
    chosen = [slice(None)] * len(t.shape)
    chosen[_axis(dim, t, "slice")] = slice(start, end, step)
    return b.take(t, t.places[tuple(chosen)], name)


def select(b: Builder, t, dim, index, name=""):
    return b.take(t, np.take(t.places, index, _axis(dim, t, "select")), name)


def squeeze(b: Builder, t, dim=None, name=""):
    axes = [k for k, n in enumerate(t.shape) if n == 1] if dim is None else _axes(dim, t, "squeeze")
    return b.reshape(t, [n for k, n in enumerate(t.shape) if not (k in axes and n == 1)])


def unsqueeze(b: Builder, t, dim, name=""):
    axis = _axis(dim, t, "unsqueeze", len(t.shape) + 1)
    return b.reshape(t, [*t.shape[:axis], 1, *t.shape[axis:]])


def size(b: Builder, t, dim=None):
    shape = Shape((BATCH, *t.shape))
    return shape if dim is None else shape[dim]


def attribute(b: Builder, t, name):
    if isinstance(t, Extremum):
        return getattr(t, name)
    if name != "shape":
        raise UnsupportedLayerError(f"attribute {name!r} of a tensor; only shape is read")
    return size(b, t)


def same(b: Builder, t, *_, **__):
    return t


_relu6 = activation(lambda inplace=False: layers.clip(0, 6))
_relu = activation(lambda inplace=False: layers.Relu())
_max, _min = (reduced_with_indices(extremum(s, k)) for s, k in ((1, "max"), (-1, "min")))

FUNCTIONS = {
    **dict.fromkeys(("relu", "Relu"), _relu),
    **dict.fromkeys(("abs", "absolute"), activation(layers.absolute)),
    **dict.fromkeys(("hardtanh",), activation(_hardtanh)),
    **dict.fromkeys(
        ("dropout", "dropout1d", "dropout2d", "dropout3d", "feature_dropout", "alpha_dropout"), dropout
    ),
    **dict.fromkeys(("add", "iadd"), summed(1.0, 1.0)),
    **dict.fromkeys(("sub", "isub", "subtract"), summed(1.0, -1.0)),
    **dict.fromkeys(("mul", "imul", "multiply"), product),
    **dict.fromkeys(("truediv", "itruediv", "div", "divide"), quotient),
    **dict.fromkeys(("neg", "negative"), lambda b, t, name="": b.negative(t, name)),
    **dict.fromkeys(("view", "reshape", "_unsafe_view"), view),
    **dict.fromkeys(("transpose", "swapaxes", "swapdims"), transpose),
    **dict.fromkeys(("cat", "concat", "concatenate"), concat),
    **dict.fromkeys(("clamp", "clip"), clamp),
    **dict.fromkeys(("contiguous", "clone", "float", "double", "detach", "identity", "alias", "to"), same),
    "_native_batch_norm_legit_no_training": lambda b, t, w, c, m, v, momentum, eps: [
        batch_norm(b, t, m, v, w, c, False, momentum, eps)
    ],
    "addmm": addmm,
    "amax": reduction("max"),
    "amin": reduction("min"),
    "batch_norm": _any_batch_norm,
    "chunk": chunk,
    "clamp_max": lambda b, t, max, name="": clamp(b, t, None, max, name),
    "clamp_min": lambda b, t, min, name="": clamp(b, t, min, None, name),
    "flatten": flatten,
    "getattr": attribute,
    "getitem": item,
    "hardsigmoid": _hard_sigmoid,
    "leaky_relu": activation(leaky_relu),
    "linear": linear,
    "log_softmax": head(layers.LogSoftmax),
    "logsumexp": reduction("logsumexp"),
    "matmul": matmul,
    "max": _max,
    "maximum": extremum(1, "max"),
    "mean": reduction("mean"),
    "min": _min,
    "minimum": extremum(-1, "min"),
    "mm": matmul,
    "permute": permute,
    "prelu": prelu,
    "relu6": _relu6,
    "select": select,
    "sigmoid": lambda b, t, name="": b.head(layers.Sigmoid(), t, name),
    "size": size,
    "slice": narrowed,
    "softmax": head(layers.Softmax),
    "softplus": activation(softplus),
    "softshrink": activation(lambda lambd=0.5: layers.softshrink(lambd)),
    "split": split,
    "squeeze": squeeze,
    "sum": reduction("sum"),
    **dict.fromkeys(("threshold", "_threshold"), threshold),
    "t": lambda b, t, name="": _refuse_transpose(),
    "unsqueeze": unsqueeze,
}


def _refuse_transpose():
    raise UnsupportedLayerError("it mixes samples")


# ---- modules: builder, module, input -------------------------------------------------------------------


def _batch_norm_module(b, m, t, name):
    _evaluating(m)
    return batch_norm(b, t, m.running_mean, m.running_var, m.weight, m.bias, False, 0.1, m.eps, name)


def _dropout_module(b, m, t, name):
    _evaluating(m)
    return t


def _randomised(b, m, t, name):
    """RReLU, whose slope in evaluation is the mean of its range."""
    _evaluating(m)
    return b.emit(layers.LeakyRelu((m.lower + m.upper) / 2), [t], name)


def module_step(step, *fields: str):
    """A step whose arguments are fields of the module."""

    def run(b, m, t, name):
        return step(b, t, *(getattr(m, f) for f in fields), name=name)

    return run


MODULES = {
    **dict.fromkeys([f"BatchNorm{d}d" for d in "123"], _batch_norm_module),
    **dict.fromkeys([f"Dropout{d}" for d in ("", "1d", "2d", "3d")], _dropout_module),
    "AlphaDropout": _dropout_module,
    "Flatten": module_step(flatten, "start_dim", "end_dim"),
    "Hardsigmoid": module_step(_hard_sigmoid),
    "Hardtanh": module_step(activation(_hardtanh), "min_val", "max_val"),
    "Identity": lambda b, m, t, name: t,
    "LeakyReLU": module_step(activation(leaky_relu), "negative_slope"),
    "Linear": module_step(linear, "weight", "bias"),
    "LogSoftmax": module_step(head(layers.LogSoftmax), "dim"),
    "PReLU": module_step(prelu, "weight"),
    "ReLU": module_step(_relu),
    "ReLU6": module_step(_relu6),
    "Sigmoid": lambda b, m, t, name: b.head(layers.Sigmoid(), t, name),
    "Softmax": module_step(head(layers.Softmax), "dim"),
    "Softplus": module_step(activation(softplus), "beta", "threshold"),
    "RReLU": _randomised,
    "Softshrink": module_step(activation(lambda lambd: layers.softshrink(lambd)), "lambd"),
    "Threshold": lambda b, m, t, name: threshold(b, t, m.threshold, m.value, name=name),
    "Unflatten": lambda b, m, t, name: b.reshape(
        t, [*t.shape[: m.dim - 1], *m.unflattened_size, *t.shape[m.dim :]]
    ),
}
