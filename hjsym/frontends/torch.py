"""Networks from torch modules, traced by `torch.fx` or exported by `torch.export`; torch is never imported here.

Each step of the traced graph is looked up by the name of its module, function or method, and runs on `Tensor`s
instead of torch's. What does not depend on the input is computed by torch itself.
"""

import sys
from collections.abc import Mapping, Sequence

from hjsym.errors import UnsupportedLayerError
from hjsym.frontends import torch_steps, torch_windows
from hjsym.frontends.limits import DEFAULT, Limits
from hjsym.frontends.refusals import refusal
from hjsym.frontends.tensors import Builder, Tensor
from hjsym.frontends.torch_steps import BATCH, Shape
from hjsym.layers import Layer
from hjsym.network import Network
from tropical.errors import BudgetExceeded, InputError

__all__ = ["load_torch"]

FUNCTIONS = torch_steps.FUNCTIONS | torch_windows.FUNCTIONS
MODULES = torch_steps.MODULES | torch_windows.MODULES


def load_torch(
    model,
    input_shape: Sequence[int] | None = None,
    gates: Mapping[str, Layer] | None = None,
    limits: Limits = DEFAULT,
) -> Network:
    """The network of an `nn.Module` in evaluation mode, or of an `ExportedProgram`.

    `input_shape` is that of one sample, without the batch; it may be left out where the first layer is Linear.
    `gates` are layers for what is not read otherwise, by the names of torch's modules and functions.
    """
    torch = sys.modules["torch"]
    if isinstance(model, torch.nn.Module):
        traced = _traced(torch, model)
        graph, modules, constants = traced.graph, dict(traced.named_modules()), {}
        root = traced
    elif hasattr(model, "graph_signature"):
        graph, modules, constants = model.graph, {}, _lifted(model)
        root = model.graph_module
    else:
        raise UnsupportedLayerError(
            f"got a torch {type(model).__name__}; pass an nn.Module or an ExportedProgram"
        )
    inputs = [n for n in graph.nodes if n.op == "placeholder" and n.name not in constants]
    if len(inputs) != 1:
        raise UnsupportedLayerError(f"the module takes {len(inputs)} inputs; one is read")
    shape = input_shape or _exported_shape(inputs[0]) or _linear_shape(graph, modules)
    return _Walk(Builder(shape, limits), modules, root, constants, gates or {}).run(graph, inputs[0])


def _traced(torch, model):
    if type(model).__module__.startswith("torch.nn.") and not isinstance(model, torch.nn.Sequential):
        model = torch.nn.Sequential(model)  # a layer of torch's own is not to be looked into
    try:
        return torch.fx.symbolic_trace(model)
    except Exception as error:  # whatever the module's own code raises when it meets a proxy
        raise UnsupportedLayerError(
            f"torch.fx cannot trace {type(model).__name__} ({type(error).__name__}: {error}); pass "
            "torch.export.export(model, (example,)), or export to ONNX"
        ) from None


def _lifted(program) -> dict:
    """Parameters and buffers, which an exported program takes as inputs, by the name of their placeholder."""
    signature, state = program.graph_signature, {**program.state_dict, **program.constants}
    lifted = (
        signature.inputs_to_parameters, signature.inputs_to_buffers,
        getattr(signature, "inputs_to_lifted_tensor_constants", {}),
    )  # fmt: skip
    return {name: state[target] for table in lifted for name, target in table.items()}


def _attribute(module, path: str):
    for name in path.split("."):
        module = getattr(module, name)
    return module


def _exported_shape(placeholder) -> tuple[int, ...] | None:
    example = placeholder.meta.get("val")
    return None if example is None else tuple(int(n) for n in example.shape[1:])


def _linear_shape(graph, modules) -> tuple[int, ...]:
    """The input of the first layer, if it says by itself what it takes."""
    for node in graph.nodes:
        if node.op == "call_module":
            features = getattr(modules[node.target], "in_features", None)
            if features is not None:
                return (int(features),)
            break
    raise InputError(
        "the module does not say the shape of its input; pass input_shape=, of one sample, without the batch"
    )


class _Walk:
    """One pass over the traced graph."""

    def __init__(self, builder: Builder, modules: dict, root, values: dict, gates: Mapping[str, Layer]):
        self.gates = gates
        self.builder, self.modules, self.root = builder, modules, root
        self.values = values  # by the name of the node

    def run(self, graph, source) -> Network:
        self.values[source.name] = self.builder.input
        for position, node in enumerate(graph.nodes):
            if node.op == "placeholder":
                continue
            arguments = self._replaced(node.args)
            if node.op == "output":
                return self._finished(arguments[0])
            label = f"node {position} {node.name!r} ({self._called(node)})"
            try:
                self.values[node.name] = self._step(node, arguments, self._replaced(node.kwargs))
            except UnsupportedLayerError as error:
                raise UnsupportedLayerError(f"{label}: {error}") from None
            except BudgetExceeded as error:
                raise BudgetExceeded(
                    f"{label}: {error.stage}", error.reached, error.limit, error.hint
                ) from None
            except (TypeError, ValueError, IndexError, KeyError, AttributeError) as error:
                raise UnsupportedLayerError(f"{label} cannot be read: {error}") from None
        raise UnsupportedLayerError("the traced graph has no output")

    def _finished(self, result) -> Network:
        while isinstance(result, (tuple, list)) and len(result) == 1:
            result = result[0]
        if not isinstance(result, Tensor):
            raise UnsupportedLayerError(f"the module returns a {type(result).__name__}; one tensor is read")
        return self.builder.finish(result)

    def _replaced(self, arguments):
        """The arguments of a node with values for the nodes that they name."""
        if isinstance(arguments, (tuple, list)):  # torch's own subclasses as well
            kind = tuple if isinstance(arguments, tuple) else list
            return kind(map(self._replaced, arguments))
        if isinstance(arguments, dict):
            return {k: self._replaced(v) for k, v in arguments.items()}
        if isinstance(arguments, slice):
            return slice(*map(self._replaced, (arguments.start, arguments.stop, arguments.step)))
        if hasattr(arguments, "op") and hasattr(arguments, "name"):  # a torch.fx Node
            return self.values[arguments.name]
        return arguments

    def _called(self, node) -> str:
        """What a node calls: the class of its module, or the plain name of its function."""
        if node.op == "call_module":
            return type(self.modules[node.target]).__name__.removeprefix("Parametrized")
        if node.op == "call_method":
            return str(node.target)
        name = getattr(node.target, "_opname", None) or getattr(node.target, "__name__", str(node.target))
        return name.split(".")[0]

    def _step(self, node, arguments, keywords):
        name = self._called(node)
        if node.op == "get_attr":
            return _attribute(self.root, node.target)
        if name in self.gates and len(arguments) == 1 and _depends(arguments):
            return self.builder.emit(self.gates[name], arguments, str(node.target))
        if node.op == "call_module":
            module = self.modules[node.target]
            step = MODULES.get(name)
            if step is None:
                raise UnsupportedLayerError(f"{refusal(name)}; modules read are {', '.join(sorted(MODULES))}")
            return step(self.builder, module, *arguments, name=node.target)
        if not _depends(arguments) and not _depends(keywords):
            function = getattr(arguments[0], name) if node.op == "call_method" else node.target
            arguments = arguments[1:] if node.op == "call_method" else arguments
            return function(*arguments, **keywords)
        step = FUNCTIONS.get(name.rstrip("_") if name.rstrip("_") in FUNCTIONS else name)
        if step is None:
            raise UnsupportedLayerError(f"{refusal(name)}; docs/layers.md lists what is read")
        return step(self.builder, *arguments, **keywords)


def _depends(value) -> bool:
    """Whether something in the arguments is computed from the input."""
    if isinstance(value, (tuple, list)):
        return any(map(_depends, value)) or isinstance(value, Shape)
    if isinstance(value, dict):
        return _depends(list(value.values()))
    return isinstance(value, Tensor) or value is BATCH
