"""Graphs of every operator that is read, with operands and attributes of any size and type."""

import contextlib
import time

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

import hjsym
from hjsym.frontends import Limits
from hjsym.frontends.onnx_constants import FOLDED
from hjsym.frontends.onnx_graph import _ATTRIBUTE_TYPES
from hjsym.frontends.onnx_ml import ML_DOMAIN, ML_OPERATORS
from hjsym.frontends.onnx_operators import OPERATORS
from tropical.errors import TropicalError

KINDS = sorted({*OPERATORS, *FOLDED, *ML_OPERATORS, "If", "Loop", "LSTM"})
SMALL = st.integers(-1, 4)
HUGE = st.sampled_from([-(2**63), -(2**31), -3, 7, 64, 10**5, 2**24, 2**31, 2**40, 2**62, 2**63 - 1])
INTEGERS = st.one_of(SMALL, SMALL, SMALL, HUGE)
NUMBERS = st.sampled_from([0.0, 0.5, 1.0, -2.0])
ODD = st.sampled_from([-0.0, 1e-45, 3e38, float("nan"), float("inf"), float("-inf")])
FLOATS = st.one_of(NUMBERS, NUMBERS, NUMBERS, NUMBERS, ODD)
WORDS = st.sampled_from(
    [b"NOTSET", b"SAME_UPPER", b"VALID", b"nearest", b"linear", b"constant", b"DCR", b"\xff"]
)
LIMITS = Limits(entries=1 << 20, values=1 << 22, memory=1 << 26, input_size=1 << 12)
SECONDS = 5  # for one graph; the slowest seen takes a twentieth


@st.composite
def constants(draw, name):
    shape = tuple(draw(st.lists(st.integers(0, 4), max_size=4)))
    numbers = draw(st.sampled_from([INTEGERS, FLOATS, INTEGERS]))
    count = int(np.prod(shape))
    values = draw(st.lists(numbers, min_size=count, max_size=count))
    kind = np.int64 if numbers is INTEGERS else draw(st.sampled_from([np.float32, np.float64]))
    with np.errstate(all="ignore"):
        return numpy_helper.from_array(np.array(values, kind).reshape(shape), name)


@st.composite
def attributes(draw):
    names = draw(st.lists(st.sampled_from(sorted(_ATTRIBUTE_TYPES)), max_size=2, unique=True))
    made = []
    for name in names:
        wanted = draw(st.sampled_from([_ATTRIBUTE_TYPES[name]] * 4 + [int, float, list, bytes]))
        numbers = {int: INTEGERS, float: FLOATS, list: st.lists(INTEGERS, min_size=1, max_size=5)}
        made.append(helper.make_attribute(name, draw(numbers.get(wanted, WORDS))))
    return made


@st.composite
def models(draw):
    shape = draw(st.sampled_from([[4], [2, 3], [2, 4, 4], [1, 3, 3, 3], [1]]))
    known, nodes, tensors = ["x"], [], []
    for k in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(KINDS))
        others = st.sampled_from(["", "constant", "constant", *known])
        names = [
            draw(st.sampled_from([known[-1], known[-1], "x", "constant"])),
            *draw(st.lists(others, max_size=2)),
        ]
        for i, name in enumerate(names):
            if name == "constant":
                names[i] = f"c{k}_{i}"
                tensors.append(draw(constants(names[i])))
        outputs = [f"w{k}", f"v{k}"][: draw(st.sampled_from([1, 1, 1, 2]))]
        nodes.append(helper.make_node(kind, names, outputs, domain=ML_DOMAIN if kind in ML_OPERATORS else ""))
        nodes[-1].attribute.extend(draw(attributes()))
        known += outputs
    source = helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["N", *shape])
    output = helper.make_tensor_value_info(known[-1], TensorProto.DOUBLE, None)
    opsets = [helper.make_opsetid("", draw(st.sampled_from([9, 12, 18]))), helper.make_opsetid(ML_DOMAIN, 3)]
    return helper.make_model(
        helper.make_graph(nodes, "g", [source], [output], tensors), opset_imports=opsets, ir_version=8
    )


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(model=models())
def test_any_graph_is_read_or_refused(model):
    begin = time.perf_counter()
    with contextlib.suppress(TropicalError):
        network = hjsym.load(model, limits=LIMITS)
        network(np.ones(network.input_size))
    assert time.perf_counter() - begin < SECONDS


def test_that_some_are_read():
    """The strategy makes graphs that pass, too."""
    read = []

    @settings(max_examples=100, database=None, suppress_health_check=list(HealthCheck))
    @given(model=models())
    def count(model):
        with contextlib.suppress(TropicalError):
            hjsym.load(model, limits=LIMITS)
            read.append(1)

    count()
    assert len(read) > 2
