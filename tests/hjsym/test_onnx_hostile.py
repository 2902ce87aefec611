"""Damaged, oversized and deceitful ONNX files: one clear error each, and never another network."""

import os
from contextlib import suppress

import numpy as np
import onnx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

import hjsym
from hjsym.errors import ModelFileError, UnsupportedLayerError
from hjsym.frontends import Limits
from hjsym.network import Network
from tropical.errors import TropicalError

W = np.arange(12.0).reshape(3, 4) - 5
INFINITE = np.where(W == 2, np.inf, W)
REFUSED = (ModelFileError, UnsupportedLayerError)


def tensor(name, dims, kind=TensorProto.DOUBLE, **fields):
    return TensorProto(name=name, dims=dims, data_type=kind, **fields)


@pytest.fixture(scope="module")
def good(model):
    nodes = "Gemm{name='dense'} x W b -> h; LeakyRelu{alpha=0.25} h -> a; Reshape a s -> r; MatMul r V -> y"
    constants = {"W": W, "b": np.arange(4.0), "s": np.array([0, -1]), "V": W.T[:, :2].copy()}
    return model(nodes, constants)


def refuse(source, message, error=REFUSED):
    with pytest.raises(error, match=message):
        hjsym.load(source)


# ---- damaged bytes -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("models") / "net.onnx"


def load_bytes(file, data: bytes) -> Network:
    file.write_bytes(data)
    return hjsym.load(file)


def test_empty_file(file):
    with pytest.raises(ModelFileError, match=r"net\.onnx has 0 bytes"):
        load_bytes(file, b"")


def test_directory(tmp_path):
    (tmp_path / "folder.onnx").mkdir()
    refuse(tmp_path / "folder.onnx", "is not a file", ModelFileError)


@pytest.mark.parametrize("sixteenth", range(1, 16))
def test_truncated_file(good, file, sixteenth):
    data = good.SerializeToString()
    with pytest.raises(ModelFileError, match="truncated"):
        load_bytes(file, data[: len(data) * sixteenth // 16])


def test_no_truncation_gives_another_network(good, file):
    data, points = good.SerializeToString(), np.eye(3)
    expected = hjsym.load(good)(points)
    for length in range(1, len(data)):
        try:
            network = load_bytes(file, data[:length])
        except REFUSED:
            continue
        np.testing.assert_array_equal(network(points), expected)  # only what follows the graph is gone


@settings(max_examples=150)
@given(data=st.binary(min_size=1, max_size=200))
@example(data=b"\x08\x08\x3a\x00")  # a model with an empty graph
def test_random_bytes(file, data):
    with pytest.raises(REFUSED):
        load_bytes(file, data)


def flipped(data: bytes, *bits: int) -> bytes:
    number = int.from_bytes(data, "little")
    for bit in bits:
        number ^= 1 << bit % (8 * len(data))
    return number.to_bytes(len(data), "little")


@settings(max_examples=400)
@given(bits=st.lists(st.integers(0, 2**16 - 1), min_size=2, max_size=4))
def test_flipped_bits(good, file, bits):
    with suppress(TropicalError):
        assert isinstance(load_bytes(file, flipped(good.SerializeToString(), *bits)), Network)


def test_every_single_flip(good, file):
    data, crashes = good.SerializeToString(), set()
    for bit in range(8 * len(data)):
        try:
            with suppress(TropicalError):
                load_bytes(file, flipped(data, bit))
        except Exception as error:  # a crash: collect the kinds, to report them together
            crashes.add((type(error).__name__, str(error)[:80]))
    assert not crashes


def test_oversized_file(good, file):
    data = good.SerializeToString()
    file.write_bytes(data)
    with pytest.raises(ModelFileError, match=f"has {len(data):,} bytes; between 1 and {len(data) - 1:,}"):
        hjsym.load(file, limits=Limits(file_bytes=len(data) - 1))


# ---- tensors -----------------------------------------------------------------------------------------

TENSORS = {
    "huge": (tensor("W", [10**6, 10**6]), r"'W' of shape \(1000000, 1000000\) has 8,000,000,000,000 bytes"),
    "overflowing": (tensor("W", [2**32, 2**32]), "'W'.*at most"),
    "negative": (tensor("W", [-3, -4], raw_data=bytes(96)), r"'W' has the negative shape \(-3, -4\)"),
    "short": (tensor("W", [3, 4], raw_data=bytes(95)), "'W'.*needs 96 bytes and holds 95"),
    "long": (tensor("W", [3, 4], raw_data=bytes(104)), "'W'.*needs 96 bytes and holds 104"),
    "no data": (tensor("W", [3, 4]), "'W' cannot be read"),
    "few numbers": (tensor("W", [3, 4], double_data=[1.0] * 11), "'W' cannot be read"),
    "numbers of another type": (tensor("W", [3, 4], float_data=[1.0] * 12), "'W' cannot be read"),
    "unknown type": (tensor("W", [3, 4], 99, raw_data=bytes(96)), "'W' has element type 99"),
    "no type": (tensor("W", [3, 4], 0, raw_data=bytes(96)), "'W'"),
    "text": (tensor("W", [3, 4], TensorProto.STRING, string_data=[b"1"] * 12), "'W'|dense"),
    "complex": (tensor("W", [3, 4], TensorProto.COMPLEX128, raw_data=bytes(192)), "'W'|dense"),
    "in pieces": (tensor("W", [3, 4], double_data=[1.0] * 12, segment=TensorProto.Segment(end=6)), "'W'"),
    "rank 1": (tensor("W", [12], raw_data=bytes(96)), "dense"),
    "rank 3": (tensor("W", [3, 2, 2], raw_data=bytes(96)), "dense"),
    "no columns, many rows": (tensor("W", [0, 10**12]), "'W'|dense"),
    "nan": (numpy_helper.from_array(np.where(W == 2, np.nan, W), "W"), r"dense.*weight\[\d, \d\] is nan"),
    "infinite": (numpy_helper.from_array(INFINITE, "W"), r"dense.*weight\[\d, \d\] is inf"),
}


@pytest.mark.parametrize("weights, message", TENSORS.values(), ids=TENSORS)
def test_tensors(model, weights, message):
    refuse(model("Gemm{name='dense'} x W -> y", [weights]), message)


@pytest.mark.parametrize("shape", [(5, 4), (4, 3)])
def test_weights_that_do_not_fit(model, shape):
    message = rf"Gemm 'dense'.*\({shape[0]}, {shape[1]}\).*3 values"
    refuse(model("Gemm{name='dense'} x W -> y", {"W": np.ones(shape)}), message, TropicalError)


# ---- external data -----------------------------------------------------------------------------------


@pytest.fixture
def outside(model, tmp_path):
    """A function that writes a model whose weights are elsewhere, in a folder beside "secret.bin"."""
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.bin").write_bytes(W.tobytes())
    (tmp_path / "in" / "w.bin").write_bytes(bytes(16) + W.tobytes())
    os.symlink(tmp_path / "secret.bin", tmp_path / "in" / "link.bin")
    os.symlink(tmp_path, tmp_path / "in" / "up")

    def write(dims=(3, 4), **entries):
        weights = tensor("W", dims, data_location=TensorProto.EXTERNAL)
        for key, value in entries.items():
            weights.external_data.add(key=key, value=str(value))
        path = tmp_path / "in" / "net.onnx"
        path.write_bytes(model("MatMul x W -> y", [weights]).SerializeToString())
        return path

    return write


@pytest.mark.parametrize("length", [{}, {"length": 96}])
def test_external_data_beside_the_model(outside, length):
    network = hjsym.load(outside(location="w.bin", offset=16, **length))
    np.testing.assert_array_equal(network(np.eye(3)), W)


def test_external_data_through_a_link_to_the_model(outside, tmp_path):
    (tmp_path / "other").mkdir()
    os.symlink(outside(location="w.bin", offset=16), tmp_path / "other" / "net.onnx")
    np.testing.assert_array_equal(hjsym.load(tmp_path / "other" / "net.onnx")(np.eye(3)), W)


EXTERNAL = {
    "parent": ({"location": "../secret.bin"}, r"'W'.*'\.\./secret\.bin', outside"),
    "parent within": ({"location": "up/secret.bin"}, "'W'.*outside"),
    "link": ({"location": "link.bin"}, "'W'.*'link.bin', outside"),
    "absolute": ({"location": "/etc/hostname"}, "'W'.*'/etc/hostname', outside"),
    "folder": ({"location": "."}, "'W'.*missing"),
    "missing": ({"location": "none.bin"}, "'W'.*'none.bin', which is missing"),
    "no location": ({}, "'W'"),
    "zero byte": ({"location": "w.bin\0.txt"}, "'W'"),
    "long name": ({"location": "w" * 5000}, "'W'"),
    "long": ({"location": "w.bin", "length": 10**12}, "'W' asks for 1,000,000,000,000 bytes.*has 112"),
    "beyond": ({"location": "w.bin", "offset": 17, "length": 96}, "'W' asks for 96 bytes at 17"),
    "far": ({"location": "w.bin", "offset": 10**15}, "'W'"),
    "negative offset": ({"location": "w.bin", "offset": -16}, "'W'"),
    "negative length": ({"location": "w.bin", "length": -1}, "'W' asks for -1"),
    "short": ({"location": "w.bin", "length": 88}, "'W'.*needs 96 bytes and holds 88"),
    "words": ({"location": "w.bin", "offset": "many"}, "'W' has a malformed offset"),
    "endless number": ({"location": "w.bin", "offset": "9" * 5000}, "'W' has a malformed offset"),
}


@pytest.mark.parametrize("entries, message", EXTERNAL.values(), ids=EXTERNAL)
def test_external_data(outside, entries, message):
    refuse(outside(**entries), message, ModelFileError)


def test_external_data_has_a_limit_in_all(outside):
    path = outside((200,), location="big.bin")
    (path.parent / "big.bin").write_bytes(bytes(1600))
    with pytest.raises(ModelFileError, match=r"'W' asks for 1,600 bytes.*at most 1,000"):
        hjsym.load(path, limits=Limits(file_bytes=1000))


def test_external_data_of_a_live_model(outside):
    live = onnx.load_model(outside(location="w.bin"), load_external_data=False)
    refuse(live, "'W' has external data; load the model from its path", ModelFileError)


# ---- graphs: those with unsuitable operators are in test_onnx.py --------------------------------------


@pytest.mark.parametrize("side, message", [("inputs", "2 inputs and 1"), ("outputs", "1 inputs and 2")])
def test_two_of_each(model, side, message):
    names = ("x", "x2") if side == "inputs" else ("y", "y2")
    infos = [helper.make_tensor_value_info(n, TensorProto.DOUBLE, ("N", 3)) for n in names]
    refuse(model("Relu x -> y; Add x x -> y2", **{side: infos}), message)


@pytest.mark.parametrize("changes", [{"type": onnx.AttributeProto.UNDEFINED}, {"ref_attr_name": "beta"}])
def test_damaged_attribute(model, changes):
    live = model("LeakyRelu{alpha=0.5} x -> y")
    for field, value in changes.items():
        setattr(live.graph.node[0].attribute[0], field, value)
    refuse(live, "LeakyRelu 'y'")
