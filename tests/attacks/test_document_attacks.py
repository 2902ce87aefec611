"""JSON made to exhaust, to reach out or to deceive: saved networks, and descriptions beside weights."""

import json
import os

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import hjsym
from hjsym.cli import main
from hjsym.conjugate import conjugate
from hjsym.conjugate.symbolic.read import symbolic_function
from hjsym.errors import ModelFileError, one_line
from hjsym.frontends import Limits
from hjsym.solutions.characteristics import Characteristics
from hjsym.systems import supremum
from tropical.errors import InputError, TropicalError

HUGE = 2**62
ESCAPES = "\x1b]0;owned\x07\x1b[2J\u202egpj.exe\r\n\u2066\ud800 all is well"
RELU = {"layer": "Relu", "inputs": [0], "name": ""}


def numbers(values, shape=None) -> dict:
    return {"shape": [len(values)] if shape is None else shape, "numbers": values}


def saved(*nodes, **changes) -> dict:
    fields = {
        "format": "hjsym network 1",
        "input_size": 1,
        "exact": False,
        "metadata": {},
        "nodes": list(nodes),
    }
    return {**fields, **changes}


def node(kind, *inputs, **arguments) -> dict:
    return {"layer": kind, "inputs": list(inputs or [0]), "name": "", **arguments}


def bent(label) -> dict:
    return node("PiecewiseLinear", breaks=numbers([0.0]), slopes=numbers([0.0, 1.0]), label=label)


def affine(weight, bias=None) -> dict:
    return node("Affine", weight=weight, bias=bias or numbers([0.0]))


@pytest.fixture
def write(tmp_path):
    def to_file(document):
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        (tmp_path / "net.json").write_bytes(data)
        return tmp_path / "net.json"

    return to_file


# ---- saved networks ------------------------------------------------------------------------------------

TEXTS = {
    "nested lists": b"[" * 100_000,
    "nested objects": b'{"a":' * 100_000,
    "nested and closed": b"[" * 900 + b"]" * 900,
    "a long number": b'{"format": ' + b"9" * 10_000 + b"}",
    "a key twice": b'{"format": "hjsym network 1", "format": "hjsym network 1"}',
    "half a character": b'{"format": "\xc3"}',
    "a mark in front": "﻿{}".encode("utf-16-le"),
    "zeros": bytes(1000),
    "other code": "{}".encode("utf-7") + b"+AAA-",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_texts(write, refused, text):
    refused(write(text), ModelFileError, "JSON|holds a list|format")


def test_a_text_that_swells(write, refused):
    """Of small objects JSON takes 32 times as much in memory."""
    path = write(b"[" + b'{"":{}},' * 300_000 + b"1]")
    refused(
        path,
        ModelFileError,
        "2,400,003 bytes of JSON; at most 1,000,000",
        limits=Limits(document_bytes=10**6),
    )


def sparse(shape, **parts) -> dict:
    empty = numbers([])
    return {"sparse": shape, "rows": empty, "columns": empty, "data": empty, **parts}


def nested(depth: int) -> dict:
    value = numbers([])
    for _ in range(depth):
        value = sparse([1, 1], rows=value)
    return value


DOCUMENTS = {
    "giant zeros": (saved(affine(numbers([], [HUGE, 1]))), "cannot reshape"),
    "large zeros": (saved(affine(numbers([], [10**9, 1]))), "cannot reshape"),
    "giant and zero": (saved(affine(numbers([], [HUGE, 0, HUGE]))), "damaged"),
    "negative shape": (saved(affine(numbers([1.0], [-1, 1]))), "an array of shape"),
    "giant sparse": (saved(affine(sparse([HUGE, HUGE]))), "a sparse matrix of shape"),
    "negative sparse": (saved(affine(sparse([-1, -1]))), "a sparse matrix of shape"),
    "nested sparse": (saved(affine(nested(150))), "damaged"),
    "entries beyond": (saved(affine(sparse([1, 1], rows=numbers([7])))), "shapes|7"),
    "nan": (saved(affine(numbers([float("nan")], [1, 1]))), "finite"),
    "infinite": (saved(affine(numbers([float("inf")], [1, 1]))), "finite"),
    "words": (saved(affine(numbers(["1.0"], [1, 1]))), "damaged"),
    "object": (saved(affine({"__reduce__": ["os.system", "true"]})), "damaged: KeyError"),
    "input without end": (saved(RELU, input_size=10**30), "numbers a sample; at most"),
    "input of words": (saved(RELU, input_size="1"), "input_size"),
    "input true": (saved(RELU, input_size=True), "input_size"),
    "doubling": (saved(*[node("Concat", k, k, operands=2) for k in range(200)]), "no array is that long"),
    "doubling often": (saved(*[node("Concat", k, k, operands=2) for k in range(40)]), "read .* numbers; the limit"),
    "many operands": (saved(node("Concat", operands=10**12)), "has 1 inputs"),
    "one value often": (saved(node("Add", *[0] * 9, factors=numbers([1.0] * 9)), input_size=2**24), None),
    "circle": (saved(node("Relu", 1)), "only values 0 to 0"),
    "negative input": (saved(node("Relu", -1)), "only values"),
    "unknown": (saved(node("Network")), "layer 'Network' is not known"),
    "dunder": (saved(node("__class__")), "is not known"),
    "list": (saved(node(["Relu"])), "damaged: TypeError"),
    "private": (saved(node("Relu", __class__="x")), "damaged: TypeError"),
    "label": (saved(bent(ESCAPES)), "label"),
    "long label": (saved(bent("a" * 99)), "label"),
    "label of another type": (saved(bent([1])), "label"),
    "metadata": (saved(RELU, metadata=[1]), "metadata"),
    "format": (saved(RELU, format=ESCAPES), "format"),
    "name": (saved({**RELU, "layer": ESCAPES}), "is not known"),
    "wrong size, odd name": (saved({**affine(numbers([1.0, 1.0], [1, 2])), "name": ESCAPES}), "layer 0"),
    "groups": (saved(node("Maximum", groups=numbers([HUGE], [1, 1]))), "entry 4611686018427387904"),
    "fraction": (saved(node("LeakyRelu", slope={"fraction": "1" * 4001})), "4,001 characters"),
    "fraction of words": (saved(node("LeakyRelu", slope={"fraction": "1/x"})), "damaged"),
}  # fmt: skip


@pytest.mark.parametrize("document, message", DOCUMENTS.values(), ids=DOCUMENTS)
def test_documents(write, refused, survives, document, message):
    if message is None:
        survives(write(document))
    else:
        refused(write(document), ModelFileError, message)


def test_many_nodes(write, refused):
    document = saved(*[node("Relu", k) for k in range(200)])
    refused(write(document), ModelFileError, "200 nodes; at most 100", limits=Limits(nodes=100))


@pytest.mark.parametrize("exact", [False, True])
def test_one_array_in_a_thousand_nodes(archive, refused, exact):
    """Each layer makes its own of it, as Fractions of twenty times the size where the document says so."""
    entry = affine({"shape": [100, 100], "numbers": "a"}, {"shape": [100], "numbers": "b"})
    document = json.dumps(saved(*[entry] * 1000, exact=exact, input_size=100)).encode()
    arrays = {"network": np.frombuffer(document, np.uint8), "a": np.ones(10_000), "b": np.ones(100)}
    refused(archive(arrays), ModelFileError, "take more than 10,000,000 bytes", limits=Limits(memory=10**7))


def test_an_array_that_is_not_there(archive, refused):
    document = json.dumps(saved(affine({"shape": [1, 1], "numbers": "../../etc/passwd"}))).encode()
    refused(archive({"network": np.frombuffer(document, np.uint8)}), ModelFileError, "damaged: KeyError")


# ---- descriptions --------------------------------------------------------------------------------------


def described(*layers, shape=(4,), weights=None) -> dict:
    return {"format": "hjsym description 1", "input_shape": shape, "layers": list(layers), "weights": weights}


PLACES = ["../w.npz", "/etc/passwd.npz", "link.npz", "a/w.npz", "..", ".npz/..", "w.npz\0", 3, [1], ESCAPES]


@pytest.mark.parametrize("name", PLACES)
def test_weights_elsewhere(write, refused, tmp_path, name):
    os.symlink("/etc/passwd", tmp_path / "link.npz")
    refused(write(described({"type": "relu"}, weights=name)), ModelFileError, "beside it|is not a file")


DESCRIPTIONS = {
    "giant input": described({"type": "relu"}, shape=[HUGE, HUGE]),
    "negative input": described({"type": "relu"}, shape=[-(2**63)]),
    "nested input": described({"type": "relu"}, shape=[[4]]),
    "input of words": described({"type": "relu"}, shape="4x"),
    "giant reshape": described({"type": "reshape", "shape": [HUGE, HUGE]}),
    "reshape to 0 modulo 2^64": described({"type": "reshape", "shape": [2**32, 2**32]}),
    "giant pool": described({"type": "max_pool", "kernel": HUGE}, shape=[1, 4]),
    "giant padding": described({"type": "max_pool", "kernel": 1, "padding": 2**30}, shape=[1, 4]),
    "giant axis": described({"type": "concat", "axis": HUGE}),
    "axes nested": described({"type": "permute", "axes": [[0]]}),
    "type of another type": described({"type": ["relu"]}),
    "field twice removed": described({"type": "relu", "__class__": 1}),
    "escapes": described({"type": ESCAPES}),
    "escapes in a field": described({"type": "relu", ESCAPES: 1}),
    "escapes in an input": described({"type": "relu", "inputs": [ESCAPES]}),
    "escapes in a name": described({"type": "relu", "name": ESCAPES}, {"type": "relu", "name": ESCAPES}),
    "later": described({"type": "relu", "inputs": ["1"]}, {"type": "relu"}),
    "itself": described({"type": "relu", "name": "a", "inputs": ["a"]}),
    "not a list": described() | {"layers": 7},
    "infinite clip": described({"type": "clip", "min": float("inf")}),
    "slope nan": described({"type": "leaky_relu", "slope": float("nan")}),
    "one value often": described({"type": "concat", "inputs": ["input"] * 1000}, shape=[2**24]),
}


@pytest.mark.parametrize("document", DESCRIPTIONS.values(), ids=DESCRIPTIONS)
def test_descriptions(write, refused, document):
    refused(write(document), TropicalError, "")


def test_doubling(write, refused):
    layers = [{"type": "concat", "inputs": [str(k), str(k)], "name": str(k + 1)} for k in range(60)]
    path = write(described({"type": "relu", "name": "0"}, *layers))
    refused(path, TropicalError, "Concat: entries", limits=Limits(entries=2**20))


# ---- formulas ------------------------------------------------------------------------------------------


class Code:
    """What SymPy would turn into text and run."""

    def __str__(self) -> str:
        return "__import__('os').system('touch owned')"


READERS = {
    "symbolic_function": lambda f: symbolic_function(f),
    "conjugate": lambda f: conjugate(f),
    "supremum": lambda f: supremum(f, [sympy.Symbol("x")]),
    "characteristics": lambda f: Characteristics(f, f, [sympy.Symbol("p")], [sympy.Symbol("y")]),
    "parameters": lambda f: (
        symbolic_function(sympy.Symbol("x") ** 2 * sympy.Symbol("a"), sympy.Symbol("x"))
        .conjugate()
        .subs({sympy.Symbol("a"): f})
    ),
}


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@pytest.mark.parametrize("text", [str(Code()), Code(), [str(Code())]], ids=["text", "object", "list"])
def test_formulas_that_are_code(reader, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((InputError, TypeError, AttributeError)):
        reader(text)
    assert not (tmp_path / "owned").exists()


# ---- the watch, the command line ------------------------------------------------------------------------


@given(text=st.text() | st.text(st.sampled_from("\x1b\n\u202e\ud800a\\")), longest=st.integers(40, 90))
def test_one_line(text, longest):
    """Printable, short, unchanged where it is both, and unchanged by a second time."""
    line = one_line(text, longest)
    assert line.isprintable() and len(line) <= longest and one_line(line, longest) == line
    assert line == text or not text.isprintable() or len(text) > longest


LIMITED = {
    "saved": saved(RELU, input_size=5),
    "described": {"format": "hjsym description 1", "input_shape": [5], "layers": [{"type": "relu"}]},
}


@pytest.mark.parametrize("document", LIMITED.values(), ids=LIMITED)
def test_limits_on_the_input(write, refused, document):
    refused(write(document), TropicalError, "numbers a sample", limits=Limits(input_size=4))
    assert hjsym.load(write(document), limits=Limits(input_size=5)).sizes == (5, 5)


def test_the_watch_sees(watched, tmp_path):
    """What the other tests rely on."""
    with pytest.raises(AssertionError, match="/etc/passwd"), watched(tmp_path):
        open("/etc/passwd").close()
    with pytest.raises(AssertionError, match=r"os\.symlink"), watched(tmp_path):
        os.symlink("a", tmp_path / "b")
    with pytest.raises(AssertionError), watched(tmp_path):
        (tmp_path / "c").write_text("")


def test_the_command_line_says_one_printable_line(write, capsys):
    path = write(saved({**affine(numbers([1.0, 1.0], [1, 2])), "name": ESCAPES}))
    assert main(["compile", str(path)]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1 and printed.err.strip().isprintable()


def test_paths_of_other_types():
    for source in (b"net.onnx", 7, None, object()):
        with pytest.raises(TropicalError):
            hjsym.load(source)


def test_places_that_are_no_whole_numbers(write, refused):
    """They were rounded down, so that another network was read."""
    parts = {"rows": numbers([0]), "columns": numbers([0.7]), "data": numbers([1.0])}
    refused(write(saved(affine(sparse([1, 1], **parts)))), ModelFileError, "columns have dtype float64")


def test_a_soft_layer_over_fractions(write, survives):
    bend = {**bent("soft"), "eps": 0.5}
    with pytest.raises(InputError, match="transcendental"):
        survives(write(saved(bend, exact=True)))([1])
