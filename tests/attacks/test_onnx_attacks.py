"""ONNX files made to exhaust, to reach out or to deceive. Damage by chance is in tests/hjsym/test_onnx_hostile.py."""

import os
from itertools import pairwise

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import hjsym
from hjsym.errors import ModelFileError, UnsupportedLayerError
from hjsym.frontends import Limits
from hjsym.frontends.child import in_child
from hjsym.report import compile_report
from tropical.errors import BudgetExceeded, TropicalError

HUGE = 2**62
ESCAPES = "\x1b]0;owned\x07\x1b[2J\u202egpj.exe\r\n\u2066all is well"


def value(name, shape, kind=TensorProto.DOUBLE):
    return helper.make_tensor_value_info(name, kind, shape)


def model(nodes, constants=(), shape=("N", 3), functions=(), **more):
    graph = helper.make_graph(
        nodes, "g", [value("x", shape)], [value("y", ("A", "B"))], list(constants), **more
    )
    opsets = [
        helper.make_opsetid("", 18),
        *(helper.make_opsetid(d, 1) for d in {f.domain for f in functions} - {""}),
    ]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8, functions=list(functions))


def array(name, values):
    return numpy_helper.from_array(np.asarray(values), name)


def node(kind, inputs="x", outputs="y", **attributes):
    return helper.make_node(kind, inputs.split(), outputs.split(), **attributes)


def field(number: int, data: bytes) -> bytes:
    """A field of bytes on protobuf's wire."""
    length, size = b"", len(data)
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + data


@pytest.fixture
def write(tmp_path):
    def to_file(what) -> str:
        data = what if isinstance(what, bytes) else what.SerializeToString()
        (tmp_path / "net.onnx").write_bytes(data)
        return tmp_path / "net.onnx"

    return to_file


# ---- exhaustion ----------------------------------------------------------------------------------------


def test_messages_that_swell_in_the_parser(write, refused):
    """Five megabytes of empty attributes take half a gigabyte once they are parsed."""
    path = write(field(7, field(1, field(5, b"") * 2_700_000)))
    refused(
        path, ModelFileError, r"parse needs more than 400,000,000 bytes", limits=Limits(memory=400_000_000)
    )


def test_many_nodes(write, refused):
    refused(write(field(7, field(1, b"") * 150_000)), ModelFileError, r"150,000 nodes.*at most 100,000")


def test_nested_graphs(write, refused):
    data = field(1, field(4, b"If"))
    for depth in range(1, 200):
        data = field(
            1, field(1, b"x") + field(2, b"y") + field(4, b"If") + field(5, field(1, b"a") + field(6, data))
        )
        if depth in (20, 199):
            ends = field(11, field(1, b"x")) + field(12, field(1, b"y"))
            refused(write(field(7, data + ends)), TropicalError, "input 'x' has shape|MaxDepth")


CONSTANTS = {
    "ConstantOfShape": ("ConstantOfShape", {"n": [HUGE, HUGE]}, "n"),
    "Expand": ("Expand", {"a": [1.0], "n": [2**40, 2**20]}, "a n"),
    "Tile": ("Tile", {"a": [1.0], "n": [2**62]}, "a n"),
    "Range": ("Range", {"a": 0, "b": HUGE, "c": 1}, "a b c"),
    "MatMul": ("MatMul", {"a": np.ones((9000, 1)), "b": np.ones((1, 9000))}, "a b"),
    "Gather": ("Gather", {"a": np.ones((1, 9000)), "n": np.zeros(9000, int)}, "a n"),
}


@pytest.mark.parametrize("kind, constants, inputs", CONSTANTS.values(), ids=CONSTANTS)
def test_constants_that_grow(write, refused, kind, constants, inputs):
    nodes = [node(kind, inputs, "out"), node("Add", "x out")]
    path = write(model(nodes, [array(k, v) for k, v in constants.items()]))
    refused(path, BudgetExceeded, f"{kind} 'out'.*entries.*limit")


def test_constants_that_double(write, refused):
    nodes = [node("Concat", f"c{k} c{k}", f"c{k + 1}", axis=0) for k in range(60)]
    path = write(model([*nodes, node("Add", "x c60")], [array("c0", [1.0])]))
    refused(path, BudgetExceeded, "Concat 'c20'.*entries", limits=Limits(entries=2**20))


def test_values_that_double(write, refused):
    nodes = [node("Concat", f"v{k} v{k}", f"v{k + 1}", axis=1) for k in range(60)]
    nodes = [node("Relu", "x", "v0"), *nodes, node("Relu", "v60", "y")]
    refused(write(model(nodes)), BudgetExceeded, "Concat 'v1[0-9]'.*entries", limits=Limits(entries=2**20))


def test_one_value_joined_a_thousand_times(write, refused):
    path = write(model([node("Concat", "x " * 1000, "y", axis=1)], shape=("N", 2**24)))
    refused(path, BudgetExceeded, "numbers that the layers read")


def test_work_that_builds_nothing(write, refused):
    names = ["x", *(f"v{k}" for k in range(1000)), "y"]
    nodes = [node("Slice", f"{a} from to axes", b) for a, b in pairwise(names)]
    constants = [array("from", [0]), array("to", [2**40]), array("axes", [1])]
    path = write(model(nodes, constants, shape=("N", 2**21)))
    refused(path, BudgetExceeded, "numbers that the layers read", limits=Limits(values=2**25))


def test_one_weight_in_a_thousand_layers(write, refused):
    W = array("W", np.zeros((512, 512), np.float32))
    names = ["x", *(f"v{k}" for k in range(1000)), "y"]
    nodes = [node("MatMul", f"{a} W", b) for a, b in pairwise(names)]
    path = write(model(nodes, [W], shape=("N", 512)))
    refused(path, BudgetExceeded, "bytes of layers.*raise the limit of memory", limits=Limits(memory=2**27))


def test_one_constant_copied_a_thousand_times(write, refused):
    names = ["c", *(f"v{k}" for k in range(1000))]
    nodes = [node("Neg", a, b) for a, b in pairwise(names)]
    nodes.append(node("Add", "x v999"))
    path = write(model(nodes, [array("c", np.ones((1, 2**16)))], shape=("N", 2**16)))
    refused(path, BudgetExceeded, "bytes of layers and constants", limits=Limits(memory=2**27))


DIMS = {
    "giant": ([HUGE, HUGE], "at most 1,073,741,824"),
    "giant and zero": ([HUGE, 0, HUGE], "cannot be read|MatMul"),
    "negative": ([-(2**63), 3], "negative shape"),
    "product of 0 modulo 2^64": ([2**32, 2**32], "at most"),
    "many axes": ([1] * 100_000, "cannot be read|MatMul"),
}


@pytest.mark.parametrize("dims, message", DIMS.values(), ids=DIMS)
def test_dims(write, refused, dims, message):
    W = TensorProto(name="W", dims=dims, data_type=TensorProto.DOUBLE)
    refused(write(model([node("MatMul", "x W")], [W])), TropicalError, message)


@pytest.mark.parametrize("shape", [("N", HUGE, HUGE), ("N", HUGE), ("N", 2**24, 2**40)])
def test_input_shapes(write, refused, shape):
    refused(write(model([node("Relu")], shape=shape)), ModelFileError, "numbers a sample; at most 16,777,216")


# ---- reaching out --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "location",
    ["../../../../../../etc/passwd", "/etc/passwd", "link", "up/secret", "/proc/self/environ", b"\xff/\xfe"],
)
def test_external_data(write, refused, tmp_path, location):
    os.symlink("/etc/passwd", tmp_path / "link")
    os.symlink("..", tmp_path / "up")
    W = TensorProto(name="W", dims=[3], data_type=TensorProto.UINT8, data_location=TensorProto.EXTERNAL)
    W.external_data.add(key="location", value="?" * len(location))
    W.external_data.add(key="length", value="3")
    place = location if isinstance(location, bytes) else location.encode()
    data = model([node("Add", "x W")], [W]).SerializeToString()
    assert data.count(b"?" * len(place)) == 1
    refused(write(data.replace(b"?" * len(place), place)), ModelFileError, "'W' keeps its data in|truncated")


def test_external_data_in_nodes_that_are_not_read(write, survives, tmp_path):
    """A dead branch may say what it likes; nobody looks there."""
    secret = TensorProto(name="s", dims=[3], data_type=TensorProto.UINT8, data_location=TensorProto.EXTERNAL)
    secret.external_data.add(key="location", value="/etc/passwd")
    branch = helper.make_graph([node("Constant", "", "s", value=secret)], "b", [], [value("s", None)])
    dead = helper.make_node("If", ["x"], ["z"], then_branch=branch, else_branch=branch)
    network = survives(write(model([dead, node("Relu")])))
    assert network([[-1.0, 2.0, 0.0]]).tolist() == [[0.0, 2.0, 0.0]]


def test_nothing_outside_the_reader_runs_a_dead_loop(write):
    """The evaluator that values are compared with would go round for ever in a node that is not read."""
    true = numpy_helper.from_array(np.array(True), "t")
    body = helper.make_graph(
        [node("Identity", "c", "d")], "body",
        [value("i", [], TensorProto.INT64), value("c", [], TensorProto.BOOL)], [value("d", [], TensorProto.BOOL)],
    )  # fmt: skip
    dead = helper.make_node("Loop", ["", "t"], [], body=body)
    report = compile_report(write(model([dead, node("Relu")], [true])))
    assert not report.failures and "ONNX reference" in str(report)


# ---- deceit --------------------------------------------------------------------------------------------


def test_a_function_that_shadows_an_operator(write, refused):
    """A run time may follow the function, so that Relu is something else there."""
    shadow = helper.make_function("", "Relu", ["x"], ["y"], [node("Neg")], [helper.make_opsetid("", 18)])
    path = write(model([node("Relu")], functions=[shadow]))
    refused(path, UnsupportedLayerError, "Relu 'y' is a function of the model's own")


def test_a_function_that_calls_itself(write, refused):
    opsets = [helper.make_opsetid("own", 1)]
    endless = helper.make_function("own", "F", ["x"], ["y"], [node("F", domain="own")], opsets)
    path = write(model([node("F", domain="own")], functions=[endless]))
    refused(path, UnsupportedLayerError, "is a function of the model's own")
    refused(path, ModelFileError, "check|ONNX model", check=True)


TWICE = {
    "tensors": (
        model([node("Add", "x a")], [array("a", [1.0]), array("a", [2.0])]),
        "two tensors are called 'a'",
    ),
    "outputs": (model([node("Split", "x", "y y", axis=1)], shape=("N", 4)), "computes 'y' twice"),
    "nodes": (model([node("Relu"), node("Neg")]), "which is there already"),
    "input and node": (model([node("Relu", "x", "x"), node("Neg")]), "which is there already"),
}


@pytest.mark.parametrize("proto, message", TWICE.values(), ids=TWICE)
def test_names_that_are_there_twice(write, refused, proto, message):
    refused(write(proto), ModelFileError, message)


def test_an_attribute_that_is_there_twice(write, refused):
    proto = model([node("LeakyRelu", alpha=0.5)])
    proto.graph.node[0].attribute.append(helper.make_attribute("alpha", 2.0))
    refused(write(proto), ModelFileError, "'alpha' is there twice")


def test_a_circle(write, refused):
    nodes = [node("Add", "x b", "a"), node("Relu", "a", "b"), node("Relu", "b", "y")]
    refused(write(model(nodes)), ModelFileError, "reads 'b', which no earlier node computes")


@pytest.mark.parametrize("place", ["op_type", "domain", "name", "input", "attribute", "tensor", "key"])
def test_names_for_the_terminal(write, refused, place):
    proto = model([node("LeakyRelu", alpha=float("nan"), name="n")], [array("a", [1.0])])
    operator = proto.graph.node[0]
    if place in ("op_type", "domain", "name"):
        setattr(operator, place, ESCAPES)
    elif place == "input":
        operator.input[0] = ESCAPES
    elif place == "attribute":
        operator.attribute.append(helper.make_attribute(ESCAPES, 1.0))
        operator.attribute.append(helper.make_attribute(ESCAPES, 1.0))
    else:
        proto.graph.initializer[0].name = ESCAPES
        proto.graph.initializer[0].data_type = 99
    refused(write(proto), TropicalError, "")


def test_names_without_end(write, refused):
    message = refused(write(model([node("a" * 10**6)])), UnsupportedLayerError, "a{50}")
    assert len(message) < 3000


def test_names_reach_no_code(write, survives):
    """Nothing that a file names is written into LaTeX, C or SymPy."""
    payload = r'"; system("true"); /* \input{/etc/passwd} <script>alert(1)</script> ${x} */'
    nodes = [node("Gemm", "x W", "h", name=payload), node("Relu", "h", "y", name=payload)]
    proto = model(nodes, [array("W", np.eye(3))])
    helper.set_model_props(proto, {payload: payload})
    network = survives(write(proto))
    f = hjsym.compile(network)
    written = (
        [f.ccode(), str(network), str(f), *map(str, f.expressions())] if hasattr(f, "expressions") else []
    )
    written += [f.ccode(), str(network), repr(f)]
    assert not any(part in text for text in written for part in ("system", "input{", "script", "passwd"))
    with pytest.raises(TropicalError, match="identifier"):
        f.ccode(name='f(void){system("true");} int g')


def test_numbers_at_the_edge_of_the_format(write, survives, refused):
    tiny = np.array([[5e-324, -0.0, 2.2250738585072014e-308]])
    network = survives(write(model([node("Add", "x a")], [array("a", tiny)])))
    assert network([0.0, 0.0, 0.0]).tolist() == tiny[0].tolist()
    for bad in (np.nan, np.inf, -np.inf):
        refused(write(model([node("Add", "x a")], [array("a", [bad])])), ModelFileError, "NaN or infinity")


# ---- the child process ---------------------------------------------------------------------------------


def test_the_full_check(write, survives, refused):
    good = write(model([node("Gemm", "x W")], [array("W", np.eye(3))]))
    assert survives(good, check=True).sizes == (3, 3)
    wrong = write(model([node("Relu"), node("Gemm", "x", "z")]))  # a node that is not read has too few inputs
    assert survives(wrong).sizes == (3, 3)
    refused(wrong, ModelFileError, "the ONNX model: ValidationError.*Gemm", check=True)


def test_a_child_that_takes_too_long(write, refused):
    path = write(model([node("Relu")]))
    refused(
        path,
        ModelFileError,
        r"more than 0.01 s in check.*raise the limit",
        limits=Limits(seconds=0.01),
        check=True,
    )


CRASHES = {
    "segmentation fault": (
        "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
        r"check crashed \(SIGSEGV\)",
    ),
    "abort": ("import os; os.abort()", r"crashed \(SIGABRT\)"),
    "memory": ("limit(1 << 28, 1); bytes(1 << 30)", "needs more than"),
    "processor": ("limit(1 << 40, 1)\nwhile True: pass", "more than 60 s"),
    "a file": ("limit(1 << 40, 1); open('written', 'w').write('x' * 9999)", "SIGXFSZ|OSError|File too large"),
    "no words": ("import os; os._exit(7)", "failed in a child process: nothing said"),
}


@pytest.mark.parametrize("code, message", CRASHES.values(), ids=CRASHES)
def test_what_happens_to_a_child(monkeypatch, tmp_path, code, message):
    """The worker, with a line in front that does what a bug in a parser would."""
    from hjsym.frontends import child

    begin = "    limit(int(memory), float(seconds))\n    try:\n"
    text = child._WORKER.read_text()
    assert begin in text
    worker = text.replace(begin, f"    try:\n        exec({code!r})\n")
    (tmp_path / "worker.py").write_text(worker)
    monkeypatch.setattr(child, "_WORKER", tmp_path / "worker.py")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelFileError, match=message):
        in_child("check", b"", Limits(), "the model")
    assert not (tmp_path / "written").exists() or not (tmp_path / "written").stat().st_size


def test_the_parser_is_the_compiled_one():
    """What was measured of its memory and of its limit on nesting is of that one."""
    from google.protobuf.internal import api_implementation

    assert api_implementation.Type() == "upb"
    assert onnx.__version__


def test_constants_that_are_no_numbers_warn_nobody(write, refused):
    """Warnings are errors here; what comes out is refused where it is used."""
    mean = node("ReduceMean", "a", "m", keepdims=0)
    infinite = array("a", np.array([np.inf, -np.inf, 1.0]))
    refused(write(model([mean, node("Add", "x m")], [infinite])), ModelFileError, "NaN or infinity")
    refused(write(model([node("Div", "x a")], [array("a", [5e-324])])), TropicalError, "finite")
