"""Our own files: a network as JSON, or as JSON beside arrays in an .npz; lossless, also over Fractions.

Each node names its layer's class and the arguments that make it. Floats are written so that they read back to
the same bits; Fractions as text "p/q". The reader builds nothing but the layers of `hjsym.layers`.
"""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from hjsym import layers
from hjsym._files import replaced
from hjsym.errors import ModelFileError
from hjsym.frontends.limits import DEFAULT, Limits
from hjsym.frontends.npz import read_npz
from hjsym.frontends.refusals import DAMAGE
from hjsym.layers.base import FRACTION_BYTES
from hjsym.network import Network, Node
from tropical.errors import InputError, describe_size
from tropical.sparse import SparseMatrix

__all__ = ["FORMAT", "load_saved", "read_json", "save_network"]

FORMAT = "hjsym network 1"
_LAYERS = {
    cls.__name__: cls
    for cls in vars(layers).values()
    if isinstance(cls, type) and issubclass(cls, layers.Layer) and cls not in (layers.Layer, layers.Head)
}
_MAX_ROWS = 1 << 27  # of a sparse matrix, which keeps a number for each, and columns
_MAX_DIGITS = 4000  # of a numerator or denominator: below Python's own limit on integers as text


def save_network(network: Network, path: Path) -> None:
    """Write `path`, .json or .npz."""
    if path.suffix not in (".json", ".npz"):
        raise InputError(f"{path} is neither .json nor .npz; name one of them")
    arrays: dict[str, np.ndarray] | None = {} if path.suffix == ".npz" else None
    document = {
        "format": FORMAT,
        "input_size": network.input_size,
        "exact": network.exact,
        "metadata": dict(network.metadata),
        "nodes": [
            {
                "layer": type(node.layer).__name__,
                "inputs": list(node.inputs),
                "name": node.name,
                **{key: _packed(value, arrays) for key, value in node.layer.arguments().items()},
            }
            for node in network.nodes
        ],
    }
    text = json.dumps(document, ensure_ascii=False)
    with replaced(path) as part:
        if arrays is None:
            part.write_text(text, encoding="utf-8")
        else:
            with part.open("wb") as file:
                np.savez_compressed(file, network=np.frombuffer(text.encode(), np.uint8), **arrays)


def _packed(value, arrays: dict[str, np.ndarray] | None) -> Any:
    """An argument of a layer as JSON; large arrays go to `arrays` if there is one."""
    if isinstance(value, SparseMatrix):
        parts = {"rows": value.rows, "columns": value.columns, "data": value.data}
        return {"sparse": list(value.shape), **{k: _packed(v, arrays) for k, v in parts.items()}}
    if isinstance(value, Fraction):
        return {"fraction": str(value)}
    if not isinstance(value, np.ndarray):
        return value.item() if isinstance(value, np.generic) else value
    if value.dtype == object:
        text = [str(v) for v in value.flat]
        if arrays is None:
            return {"shape": list(value.shape), "fractions": text}
        name, kind, value = (
            f"a{len(arrays)}",
            "fractions",
            np.array(text, dtype=np.bytes_).reshape(value.shape),
        )
    elif arrays is None:
        return {"shape": list(value.shape), "numbers": value.ravel().tolist()}
    else:
        name, kind = f"a{len(arrays)}", "numbers"
    arrays[name] = value
    return {"shape": list(value.shape), kind: name}


# ---- reading -------------------------------------------------------------------------------------------


def read_json(path: Path, limits: Limits = DEFAULT) -> dict[str, Any]:
    """The object in a JSON file of sane size."""
    if not path.is_file():
        raise ModelFileError(f"{path} is not a file; pass the path of a .json file")
    if path.stat().st_size > limits.document_bytes:  # before it is read
        _refuse_long(path.stat().st_size, path, limits)
    return _parsed(path.read_bytes(), path, limits)


def _refuse_long(size: int, path: Path, limits: Limits) -> None:
    if size > limits.document_bytes:
        raise ModelFileError(
            f"{path} has {size:,} bytes of JSON; at most {limits.document_bytes:,} are read. Large networks are "
            "saved as .npz"
        )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"a key is there twice, among {', '.join(map(repr, found))}")
    return found


def _parsed(data: bytes, path: Path, limits: Limits) -> dict[str, Any]:
    _refuse_long(len(data), path, limits)
    try:
        document = json.loads(data, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{path} is not JSON or is damaged: {error}") from None
    if not isinstance(document, dict):
        raise ModelFileError(f"{path} holds a {type(document).__name__}; an object is needed")
    return document


def load_saved(path: Path, document: dict[str, Any] | None = None, limits: Limits = DEFAULT) -> Network:
    """Read what `Network.save` wrote."""
    arrays: dict[str, np.ndarray] = {}
    if path.suffix == ".npz":
        arrays = read_npz(path, limits)
        document = _parsed(arrays.pop("network").tobytes(), path, limits)
    elif document is None:
        document = read_json(path, limits)
    if document.get("format") != FORMAT:
        raise ModelFileError(f"{path} has format {document.get('format')!r}; {FORMAT!r} is needed")
    try:
        metadata, size, exact = document["metadata"], document["input_size"], document["exact"]
        if type(size) is not int or type(exact) is not bool or not isinstance(metadata, dict) or size < 1:
            raise ValueError(f"input_size {size!r}, exact {exact!r}, metadata {type(metadata).__name__}")
        if size > limits.input_size:
            raise ModelFileError(f"{size:,} numbers a sample; at most {limits.input_size:,} are read")
        nodes = _nodes(document["nodes"], arrays, exact, limits)
        return _in_bounds(Network(size, nodes, metadata, exact), limits)
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from None
    except DAMAGE as error:
        raise ModelFileError(f"{path} is damaged: {type(error).__name__}: {error}") from None


def _nodes(entries: list, arrays: dict[str, np.ndarray], exact: bool, limits: Limits) -> tuple[Node, ...]:
    """The nodes, as long as their arrays fit; many may name one array, of which each makes its own."""
    if len(entries) > limits.nodes:
        raise ModelFileError(f"{len(entries):,} nodes; at most {limits.nodes:,} are read")
    nodes, held = [], 0
    for entry in entries:
        node = _node(entry, arrays)
        held += max(node.layer.nbytes, exact * FRACTION_BYTES * node.layer.parameters)
        if held > limits.memory:
            raise ModelFileError(f"the layers take more than {limits.memory:,} bytes")
        nodes.append(node)
    return tuple(nodes)


def _in_bounds(network: Network, limits: Limits) -> Network:
    """The network, if no evaluation of it at a point gets out of hand."""
    read = sum(network.sizes[i] for node in network.nodes for i in node.inputs)
    if read > limits.values:
        raise ModelFileError(f"the layers read {describe_size(read)} numbers; the limit is {limits.values:,}")
    return network


def _node(entry: dict[str, Any], arrays: dict[str, np.ndarray]) -> Node:
    entry = dict(entry)
    kind, inputs, name = entry.pop("layer"), entry.pop("inputs"), entry.pop("name")
    if kind not in _LAYERS:
        raise ModelFileError(f"layer {kind!r} is not known; known are {', '.join(sorted(_LAYERS))}")
    if not all(type(i) is int for i in inputs) or not isinstance(name, str):
        raise ModelFileError(f"inputs {inputs!r} and name {name!r} of a {kind}")
    return Node(_LAYERS[kind](**{key: _unpacked(v, arrays) for key, v in entry.items()}), tuple(inputs), name)


def _fraction(text) -> Fraction:
    text = text.decode() if isinstance(text, bytes) else text
    numerator, _, denominator = text.partition("/")
    if max(len(numerator), len(denominator)) > _MAX_DIGITS:
        raise ModelFileError(
            f"a fraction of {len(text):,} characters; at most {_MAX_DIGITS:,} digits are read"
        )
    return Fraction(int(numerator), int(denominator or 1))


def _unpacked(value, arrays: dict[str, np.ndarray]):
    if not isinstance(value, dict):
        return value
    if "fraction" in value:
        return _fraction(value["fraction"])
    if "sparse" in value:
        shape = tuple(int(n) for n in value["sparse"])
        rows, columns, data = (_unpacked(value[k], arrays) for k in ("rows", "columns", "data"))
        if len(shape) != 2 or not all(0 <= n <= _MAX_ROWS for n in shape):  # the offsets of its rows
            raise ModelFileError(f"a sparse matrix of shape {shape}")
        return SparseMatrix(shape, rows, columns, data)
    kind = "fractions" if "fractions" in value else "numbers"
    stored, shape = value[kind], tuple(value["shape"])
    if min(shape, default=0) < 0:
        raise ModelFileError(f"an array of shape {shape}")
    if isinstance(stored, str):
        stored = arrays[stored].ravel()
    if kind == "numbers":
        return np.asarray(stored, dtype=None if len(stored) else float).reshape(shape)
    exact = np.empty(len(stored), dtype=object)
    exact[:] = [_fraction(v) for v in (stored.tolist() if isinstance(stored, np.ndarray) else stored)]
    return exact.reshape(shape)
