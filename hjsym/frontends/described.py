"""Networks from a description in JSON beside a .safetensors or .npz file of weights.

    {"format": "hjsym description 1", "weights": "net.safetensors", "input_shape": [1, 28, 28],
     "layers": [{"type": "conv", "weight": "c.weight", "bias": "c.bias", "padding": 1}, {"type": "relu"},
                {"type": "max_pool", "kernel": 2}, {"type": "flatten"},
                {"type": "linear", "weight": "f.weight", "bias": "f.bias"}]}

Each layer reads the one before it, or those in "inputs", by their "name"; "input" is the input. Weights have
torch's shapes: (outputs, inputs) and (outputs, channels / groups, *kernel).
"""

from pathlib import Path
from typing import Any

import numpy as np

from hjsym import layers
from hjsym.errors import ModelFileError, UnsupportedLayerError, one_line
from hjsym.frontends.activations import ACTIVATIONS, activate
from hjsym.frontends.limits import DEFAULT, Limits
from hjsym.frontends.npz import read_npz
from hjsym.frontends.refusals import DAMAGE, refusal
from hjsym.frontends.safetensors import read_safetensors
from hjsym.frontends.tensors import Builder, Tensor
from hjsym.frontends.windows import Window, average_pool, convolution, max_pool
from hjsym.network import Network
from tropical.errors import BudgetExceeded

__all__ = ["FORMAT", "load_described"]

FORMAT = "hjsym description 1"
_READERS = {".safetensors": read_safetensors, ".npz": read_npz}


def load_described(path: Path, document: dict[str, Any], limits: Limits = DEFAULT) -> Network:
    """The network that the JSON file `path` describes; its weights lie in the same folder."""
    arrays = _weights(path, document.get("weights"), limits)
    try:
        builder = Builder(document["input_shape"], limits)
        entries = list(document["layers"])
        if len(entries) > limits.nodes:
            raise ModelFileError(f"{path} has {len(entries):,} layers; at most {limits.nodes:,} are read")
        values = {"input": builder.input}
        last = builder.input
        with np.errstate(all="ignore"):  # what is not finite is refused where it is used
            for position, entry in enumerate(entries):
                last = _layer(builder, entry, position, values, last, arrays)
                values[entry.get("name", str(position))] = last
        return builder.finish(last)
    except (UnsupportedLayerError, BudgetExceeded, ModelFileError):
        raise
    except DAMAGE as error:
        raise ModelFileError(f"{path} is damaged: {type(error).__name__}: {error}") from None


def _weights(path: Path, name, limits: Limits) -> dict[str, np.ndarray]:
    if name is None:
        return {}
    reader = _READERS.get(Path(name).suffix) if isinstance(name, str) else None
    if reader is None or Path(name).name != name or (path.parent / name).is_symlink():
        raise ModelFileError(
            f"{path} keeps its weights in {name!r}; name a .safetensors or .npz file beside it"
        )
    return reader(path.parent / name, limits)


class _Entry:
    """The fields of one layer; what nobody asked for is an error."""

    def __init__(self, fields: dict[str, Any], arrays: dict[str, np.ndarray]):
        self.fields, self.arrays = dict(fields), arrays
        for key in ("type", "name", "inputs"):
            self.fields.pop(key, None)

    def get(self, key: str, default=None):
        return self.fields.pop(key, default)

    def array(self, key: str, required: bool = True) -> np.ndarray | None:
        name = self.fields.pop(key, None)
        if name is None and not required:
            return None
        if name not in self.arrays:
            raise ModelFileError(f"{key} is {name!r}, which the file of weights does not have")
        array = self.arrays[name]
        if array.dtype.kind not in "fiub":
            raise ModelFileError(f"{name!r} has dtype {array.dtype}; real numbers are needed")
        return array.astype(np.float64)

    def window(self, kernel, stride=1) -> Window:
        rank, padding = len(kernel), self.get("padding", 0)
        spread = [
            tuple(v) if isinstance(v, list) else (v,) * rank
            for v in (self.get("stride", stride), self.get("dilation", 1), padding)
        ]
        return Window.of(kernel, *spread, None, self.get("ceil", False))

    def pool_window(self, t: Tensor) -> Window:
        kernel = self.get("kernel")
        kernel = kernel if isinstance(kernel, list) else [kernel] * (len(t.shape) - 1)
        return self.window(kernel, kernel)


def _layer(builder, entry, position, values, last, arrays) -> Tensor:
    kind, name = entry["type"], entry.get("name", str(position))
    label = one_line(f"layer {position} ({kind})", 120)
    if "inputs" in entry and any(i not in values for i in entry["inputs"]):
        raise ModelFileError(f"{label} reads {entry['inputs']}; there are {', '.join(values)}")
    if name in values:
        raise ModelFileError(f"{label} is called {name!r} like an earlier one; give each its own name")
    operands = [values[i] for i in entry["inputs"]] if "inputs" in entry else [last]
    fields = _Entry(entry, arrays)
    builder.read(sum(t.size for t in operands))
    try:
        if kind in _RULES:
            result = _RULES[kind](builder, operands, fields, name)
        elif kind in ACTIVATIONS:
            result = activate(builder, operands[0], kind, name)
        else:
            known = ", ".join(sorted([*_RULES, *ACTIVATIONS]))
            raise UnsupportedLayerError(f"{refusal(str(kind))}; types read are {known}")
        if fields.fields:
            raise ModelFileError(f"fields {', '.join(fields.fields)} are not known for this type")
        return result
    except (UnsupportedLayerError, ModelFileError) as error:
        raise type(error)(f"{label}: {error}") from None
    except BudgetExceeded as error:
        raise BudgetExceeded(f"{label}: {error.stage}", error.reached, error.limit, error.hint) from None


# ---- rules: builder, operands, fields, name ------------------------------------------------------------


def _linear(b, operands, fields, name):
    return b.linear(operands[0], fields.array("weight"), fields.array("bias", False), name)


def _conv(b, operands, fields, name):
    weight, bias, groups = fields.array("weight"), fields.array("bias", False), fields.get("groups", 1)
    return convolution(b, operands[0], weight, bias, fields.window(weight.shape[2:]), groups, name)


def _batch_norm(b, operands, fields, name):
    arrays = [fields.array(k) for k in ("weight", "bias", "mean", "variance")]
    return b.batch_norm(operands[0], *arrays, fields.get("epsilon", 1e-5), 0, name)


def _average(b, operands, fields, name):
    window, padding = fields.pool_window(operands[0]), fields.get("count_padding", True)
    return average_pool(b, operands[0], window, name, count_padding=padding)


def _scale(b, operands, fields, name):
    factor, bias = fields.array("factor", False), fields.array("bias", False)
    factor, bias = (np.array(d) if a is None else a for a, d in ((factor, 1.0), (bias, 0.0)))
    return b.scale(operands[0], factor, bias, name)


def _clip(b, operands, fields, name):
    return b.emit(layers.clip(fields.get("min", -np.inf), fields.get("max", np.inf)), operands, name)


_RULES = {
    "add": lambda b, o, f, name: b.add(o, f.get("factors", [1.0] * len(o)), name),
    "avg_pool": _average,
    "batch_norm": _batch_norm,
    "clip": _clip,
    "concat": lambda b, o, f, name: b.concat(o, f.get("axis", 0), name),
    "conv": _conv,
    "flatten": lambda b, o, f, name: b.flatten(o[0]),
    "leaky_relu": lambda b, o, f, name: b.emit(layers.LeakyRelu(f.get("slope", 0.01)), o, name),
    "linear": _linear,
    "logsumexp": lambda b, o, f, name: b.emit(layers.LogSumExp(f.get("eps", 1.0)), o, name, (1,)),
    "max": lambda b, o, f, name: b.maximum(o, name),
    "max_pool": lambda b, o, f, name: max_pool(b, o[0], f.pool_window(o[0]), name),
    "mean": lambda b, o, f, name: b.reduce(o[0], f.get("axes"), "mean", False, name),
    "min": lambda b, o, f, name: b.maximum(o, name, -1),
    "permute": lambda b, o, f, name: b.transpose(o[0], f.get("axes"), name),
    "prelu": lambda b, o, f, name: b.prelu(o[0], f.array("slopes"), name),
    "reshape": lambda b, o, f, name: b.reshape(o[0], f.get("shape")),
    "scale": _scale,
    "softplus": lambda b, o, f, name: b.emit(layers.Softplus(f.get("eps", 1.0)), o, name),
}
