"""The graph of an ONNX model, walked node by node into a `Builder`.

Values are per sample: the first axis of every tensor is the batch, the others are flattened in C order.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import onnx
from onnx import TensorProto

from hjsym import layers
from hjsym.errors import ModelFileError, UnsupportedLayerError, one_line
from hjsym.frontends.limits import DEFAULT, Limits
from hjsym.frontends.onnx_constants import FOLDED
from hjsym.frontends.onnx_ml import ML_DOMAIN, ML_OPERATORS
from hjsym.frontends.onnx_operators import OPERATORS
from hjsym.frontends.onnx_tensors import array_of
from hjsym.frontends.refusals import DAMAGE, refusal
from hjsym.frontends.tensors import Builder, Tensor
from hjsym.network import Network
from tropical.errors import BudgetExceeded

__all__ = ["STANDARD_DOMAINS", "Reader"]

STANDARD_DOMAINS = ("", "ai.onnx")
_FLOATS = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16)
_INTEGERS = (
    "kernel_shape",
    "strides",
    "pads",
    "dilations",
    "axes",
    "perm",
    "starts",
    "ends",
    "split",
    "output_padding",
    "output_shape",
)
_ATTRIBUTE_TYPES = {
    **dict.fromkeys(("alpha", "beta", "epsilon", "min", "max", "lambd", "bias", "momentum"), float),
    **dict.fromkeys(("axis", "transA", "transB", "keepdims", "allowzero", "group", "ceil_mode"), int),
    **dict.fromkeys(
        ("count_include_pad", "storage_order", "training_mode", "spatial", "num_outputs", "to"), int
    ),
    **dict.fromkeys(("start", "end", "blocksize", "antialias", "noop_with_empty_axes", "targets"), int),
    **dict.fromkeys(_INTEGERS, list),
    **dict.fromkeys(("auto_pad", "mode", "nearest_mode", "post_transform"), bytes),
    "coordinate_transformation_mode": bytes,
}


class Reader:
    """Walks the graph once, in file order, which ONNX requires to be topological."""

    def __init__(
        self,
        model: onnx.ModelProto,
        input_shape: Sequence[int] | None = None,
        limits: Limits = DEFAULT,
    ):
        self.model, self.graph = model, model.graph
        self.functions = {(_domain(f), f.name) for f in model.functions}
        self.input_shape = input_shape
        self.limits = limits
        self.known: dict = {}  # name → Tensor or array
        self.uses: dict[str, int] = {}

    def read(self, metadata: dict[str, str]) -> Network:
        count = len(self.graph.node) + len(self.graph.initializer)
        if count > self.limits.nodes:
            raise ModelFileError(
                f"the model has {count:,} nodes and initializers; at most {self.limits.nodes:,} are read"
            )
        for tensor in self.graph.initializer:
            if tensor.name in self.known:
                raise ModelFileError(f"two tensors are called {tensor.name!r}; the file is damaged")
            self.known[tensor.name] = array_of(tensor, self.limits)
        if self.graph.sparse_initializer:
            raise UnsupportedLayerError("the model has sparse initializers; store them dense")
        source, output = self.ends()
        self.builder = Builder(_sample_shape(source, self.input_shape, self.limits), self.limits)
        self.known[source.name] = self.builder.input
        with np.errstate(all="ignore"):  # what is not finite is refused where it is used
            for node in self._needed(output.name):
                self._convert(node)
        result = self.known.get(output.name)
        if not isinstance(result, Tensor):
            raise ModelFileError(f"the output {output.name!r} is not computed from the input")
        return self.builder.finish(result, metadata)

    def part(self) -> onnx.ModelProto:
        """A copy of the model without the inputs, outputs and nodes that are not read."""
        source, output = self.ends()
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        nodes = self._needed(output.name)
        for field, kept in (("input", [source]), ("output", [output]), ("node", nodes)):
            model.graph.ClearField(field)
            getattr(model.graph, field).extend(kept)
        return model

    def ends(self) -> tuple[onnx.ValueInfoProto, onnx.ValueInfoProto]:
        """The one input that is no initializer, and the one output of floats."""
        initializers = {tensor.name for tensor in self.graph.initializer}
        inputs = [i for i in self.graph.input if i.name not in initializers]
        outputs = [o for o in self.graph.output if _is_of_floats(o)]
        if len(inputs) != 1 or len(outputs) != 1:
            raise UnsupportedLayerError(
                f"the model has {len(inputs)} inputs and {len(outputs)} outputs of floats; one of each is read. "
                "Of a classifier export the scores as a tensor (zipmap=False)"
            )
        return inputs[0], outputs[0]

    def _needed(self, output: str) -> list[onnx.NodeProto]:
        """The nodes that the output depends on, in file order."""
        wanted, kept = {output}, []
        for node in reversed(self.graph.node):
            if wanted & set(node.output):
                kept.append(node)
                wanted |= set(node.input)
                for name in node.input:
                    self.uses[name] = self.uses.get(name, 0) + 1
        return kept[::-1]

    def _convert(self, node: onnx.NodeProto) -> None:
        label = one_line(f"{node.op_type} {node.name or next(iter(node.output), '')!r}", 120)
        for name in node.input:
            if name and name not in self.known:
                raise ModelFileError(
                    f"{label} reads {name!r}, which no earlier node computes; the file is damaged"
                )
        for name in node.output:
            if name in self.known:
                raise ModelFileError(
                    f"{label} computes {name!r}, which is there already; the file is damaged"
                )
        operands = [self.known[name] if name else None for name in node.input]
        converter = self._converter(node, operands, label)
        try:
            self.builder.read(sum(v.size for v in operands if v is not None))
            results = converter(self, node, operands, _attributes(node))
        except (UnsupportedLayerError, ModelFileError) as error:
            raise type(error)(f"{label}: {error}") from None
        except BudgetExceeded as error:
            raise BudgetExceeded(f"{label}: {error.stage}", error.reached, error.limit, error.hint) from None
        except DAMAGE as error:
            raise ModelFileError(f"{label} cannot be read: {error}") from None
        results = results if isinstance(results, list) else [results]
        for name, result in zip(node.output, results, strict=False):
            if name and name in self.known:
                raise ModelFileError(f"{label} computes {name!r} twice; the file is damaged")
            if isinstance(result, np.ndarray) and not any(_shares(result, v) for v in operands):
                self.builder.hold(result.nbytes)
            if result is not None:
                self.known[name] = result

    def _converter(self, node: onnx.NodeProto, operands: list, label: str) -> Callable:
        """What reads an operator: of constants alone it is computed."""
        constant = bool(operands) and not any(isinstance(v, Tensor) for v in operands)
        found = None
        if (_domain(node), node.op_type) in self.functions:
            raise UnsupportedLayerError(
                f"{label} is a function of the model's own; inline it first (onnx.inliner)"
            )
        if node.domain in STANDARD_DOMAINS:
            found = (FOLDED.get(node.op_type) if constant else None) or OPERATORS.get(node.op_type)
        elif node.domain == ML_DOMAIN:
            found = ML_OPERATORS.get(node.op_type)
        if found is None:
            domain = "" if node.domain in STANDARD_DOMAINS else f" of domain {node.domain!r}"
            why = refusal(str(node.op_type)).removeprefix(str(node.op_type))  # bytes, if it is no text
            known = ", ".join(sorted([*OPERATORS, *ML_OPERATORS]))
            raise UnsupportedLayerError(f"ONNX operator {label}{domain}{why}; supported are {known}")
        return found

    def emit(self, layer: layers.Layer, operands: list[Tensor], name: str, shape=None) -> Tensor:
        """Append a layer and return its value."""
        return self.builder.emit(layer, operands, name, shape)


def _is_of_floats(info: onnx.ValueInfoProto) -> bool:
    """Whether an output is a tensor of floats; a classifier's label is none."""
    return info.type.WhichOneof("value") in (None, "tensor_type") and (
        info.type.tensor_type.elem_type in (TensorProto.UNDEFINED, *_FLOATS)
    )


def _domain(part) -> str:
    return "" if part.domain in STANDARD_DOMAINS else part.domain


def _shares(result: np.ndarray, operand) -> bool:
    return isinstance(operand, np.ndarray) and np.may_share_memory(result, operand)


def _attributes(node: onnx.NodeProto) -> dict:
    attributes = {}
    for attribute in node.attribute:
        if attribute.name in attributes:
            raise ModelFileError(f"attribute {attribute.name!r} is there twice; the file is damaged")
        attributes[attribute.name] = value = onnx.helper.get_attribute_value(attribute)
        _check_attribute(attribute.name, value)
    return attributes


def _check_attribute(name: str, value) -> None:
    wanted = _ATTRIBUTE_TYPES.get(name, object)
    if not isinstance(value, wanted) or (name in _INTEGERS and not all(isinstance(n, int) for n in value)):
        raise ModelFileError(f"attribute {name!r} = {value!r} has the wrong type")


def _sample_shape(info: onnx.ValueInfoProto, given: Sequence[int] | None, limits: Limits) -> tuple[int, ...]:
    """What the file says about one sample, with the axes of unknown length from `given`."""
    dims = info.type.tensor_type.shape.dim
    shape = tuple(d.dim_value for d in dims[1:])
    if given is not None:
        given = tuple(int(n) for n in given)
        if len(dims) and (
            len(shape) != len(given) or any(n not in (0, g) for n, g in zip(shape, given, strict=True))
        ):
            raise UnsupportedLayerError(
                f"input {info.name!r} has shape {shape} a sample (0: unknown) but input_shape is {given}"
            )
        shape = given
    if (len(dims) < 2 and given is None) or not shape or any(n <= 0 for n in shape):
        shown = [d.dim_value or d.dim_param or "?" for d in dims]
        raise UnsupportedLayerError(
            f"input {info.name!r} has shape {shown}; a batch axis and then axes of fixed length are needed, "
            "or input_shape="
        )
    if math.prod(shape) > limits.input_size:
        raise ModelFileError(
            f"input {info.name!r} of shape {shape} has {math.prod(shape):,} numbers a sample; "
            f"at most {limits.input_size:,} are read"
        )
    return shape
