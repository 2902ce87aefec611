"""Archives and .safetensors files made to exhaust, to reach out or to run code."""

import io
import json
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest

import hjsym
from hjsym.errors import ModelFileError
from hjsym.frontends import Limits
from hjsym.frontends.npz import names_in_npz
from hjsym.hopf import LSELayer
from tropical.errors import TropicalError

HUGE = 2**62
W, B, EPS = np.array([[1.0, 2.0]]), np.array([0.25]), np.array(0.5)
LAYER = {"W": W, "b": B, "eps": EPS}


def header(descr="'<f8'", shape="(1, 2)", order="False") -> str:
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n"


# ---- zip -----------------------------------------------------------------------------------------------


def test_a_bomb(archive, refused):
    """A hundred megabytes of zeros in a hundred kilobytes, by what the archive says of itself."""
    path = archive({**LAYER, "W": np.zeros(10**8, np.uint8)}, compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 150_000
    refused(path, ModelFileError, "unpacks to 100,", limits=Limits(file_bytes=10**7))


def test_a_bomb_that_lies(archive, refused):
    """Unpacked is no more than the archive says; then the array is too short."""
    path = archive({"W": np.zeros(10**7), "b": B, "eps": EPS}, compression=zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    size = struct.pack("<L", 8 * 10**7 + 128)
    assert data.count(size) == 2  # in front of the member and in the list
    path.write_bytes(data.replace(size, struct.pack("<L", 1128)))
    refused(path, ModelFileError, "Bad CRC-32")


def test_a_size_that_is_not_there(archive, refused):
    path = archive(LAYER)
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 20 : at + 28] = struct.pack("<LL", 2**32 - 2, 2**32 - 2)
    path.write_bytes(data)
    refused(path, ModelFileError, "unpacks to 4,294,967")


def test_a_list_of_members_without_end(tmp_path, refused):
    """Each of its entries takes seven times as much once it is read, before anything else is known."""
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 0, 20, *[0] * 8, 1, *[0] * 6) + b"W"
    entries = entry * 100_000
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 65535, 65535, len(entries), 0, 0)
    (tmp_path / "x.npz").write_bytes(entries + end)
    refused(tmp_path / "x.npz", ModelFileError, "a list of members of 4,700,000 bytes; at most 4,194,304")
    assert names_in_npz(tmp_path / "x.npz") == set()


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_compressions_that_ask_for_memory(archive, refused, method):
    refused(archive(LAYER, compression=method), ModelFileError, f"compressed by method {method}")


def test_an_encrypted_member(archive, refused):
    data = bytearray(archive(LAYER).read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    path = archive(LAYER)
    path.write_bytes(data)
    refused(path, ModelFileError, "damaged.*encrypted")


@pytest.mark.parametrize(
    "name", ["../../../etc/passwd", "/etc/passwd", "C:\\W", "..\\W", "W\0.npy", "\x1b[2J"]
)
def test_members_that_would_be_elsewhere(archive, refused, name):
    refused(archive({f"{name}.npy": W}), ModelFileError, "has no (W, )?b, eps")


def test_two_members_of_one_name(archive, refused):
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = archive([*LAYER.items(), ("W", 2 * W)])
    refused(path, ModelFileError, "has 2 arrays called 'W'")


def test_a_link_in_the_place_of_a_file(archive, refused, tmp_path):
    os.symlink("/etc/passwd", tmp_path / "link.npz")
    os.mkfifo(tmp_path / "pipe.npz")
    with pytest.raises(ModelFileError, match=r"not an \.npz file"):  # the path is the caller's, who may link
        hjsym.load(tmp_path / "link.npz")
    refused(tmp_path / "pipe.npz", ModelFileError, "is not a file")


# ---- arrays --------------------------------------------------------------------------------------------


class Spy:
    def __reduce__(self):
        return os.system, ("touch owned",)


def test_pickles(archive, refused, npy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    buffer = io.BytesIO()
    np.save(buffer, np.array([Spy()], dtype=object), allow_pickle=True)
    refused(archive({**LAYER, "W": buffer.getvalue()}), ModelFileError, "holds Python objects")
    disguised = npy(header(), pickle.dumps(Spy()))
    refused(archive({**LAYER, "W": disguised}), ModelFileError, "needs 16 bytes")
    for name in ("net.pkl", "net.pt", "net.pth", "net.joblib", "net.npy"):
        (tmp_path / name).write_bytes(pickle.dumps(Spy()))
        refused(tmp_path / name, ModelFileError, "is neither .onnx nor .npz nor .json")
    assert not (tmp_path / "owned").exists()


HEADERS = {
    "giant": (header(shape=f"({HUGE}, {HUGE})"), "needs"),
    "giant and zero": (header(shape=f"({HUGE}, 0, {HUGE})"), "cannot have shape|holds 16"),
    "negative": (header(shape="(-1, -16)"), "needs"),
    "many axes": (header(shape=str((1,) * 100 + (2,))), "cannot have shape"),
    "not a tuple": (header(shape="2"), "broken header"),
    "not numbers": (header(shape="('a',)"), "broken header"),
    "code": (header(descr="__import__('os').system('true')"), "broken header"),
    "code in the shape": (header(shape="(print(1),)"), "broken header"),
    "nested": ("(" * 5000, "broken header"),
    "deeply nested": (header(shape="(" * 3000 + ")" * 3000), "broken header"),
    "long": (header(shape=f"({'1,' * 20_000})"), "broken header"),
    "objects": (header(descr="'|O'"), "holds Python objects"),
    "structure": (header(descr="[('a', '<f8')]"), "dtype"),
    "structure with objects": (header(descr="[('a', '|O')]"), "holds Python objects"),
    "void": (header(descr="'|V16'"), "dtype"),
    "nothing": (header(descr="'|V0'"), "dtype"),
    "no text": (header(descr="'|S0'"), "dtype"),
    "dates": (header(descr="'<M8[s]'"), "dtype"),
    "complex": (header(descr="'<c16'", shape="(1, 1)"), "dtype"),
    "text": (header(descr="'|S16'", shape="(1, 1)"), "text in the place of W"),
    "infinite": (header().replace("'descr'", "'descr': 1e999, 'x'"), "broken header"),
}


@pytest.mark.parametrize("text, message", HEADERS.values(), ids=HEADERS)
def test_headers(archive, refused, npy, text, message):
    version = 2 if len(text) > 60_000 else 1
    data = npy(text, bytes(16), version)
    refused(archive({**LAYER, "W": data}), ModelFileError, message)


def test_bytes_in_the_other_order(archive, survives):
    path = archive({"W": W.astype(">f8"), "b": B.astype(">f4"), "eps": EPS})
    assert survives(path)([[1.0, 1.0]]).item() == 3.25


def test_numbers_at_the_edge_of_the_format(archive, survives):
    tiny = np.array([[5e-324, -5e-324], [1e-310, 0.0]])
    layer = LSELayer.load(archive({"W": tiny, "b": np.zeros(2), "eps": EPS}))
    assert layer.W.tolist() == tiny.tolist()


VALUES = {
    "nan": {"W": W * np.nan}, "infinite offset": {"b": B * np.inf}, "negative temperature": {"eps": -EPS},
    "temperature nan": {"eps": EPS * np.nan}, "no temperature": {"eps": 0 * EPS},
    "temperature in words": {"eps": np.array("0.5")}, "one axis": {"W": W[0]}, "no neurons": {"W": W[:0], "b": B[:0]},
    "labels": {"labels": np.array([HUGE])}, "labels in words": {"labels": np.array(["a"])},
}  # fmt: skip


@pytest.mark.parametrize("change", VALUES.values(), ids=VALUES)
def test_values(archive, refused, change):
    refused(archive({**LAYER, **change}), ModelFileError, "no LSE layer|labels|text in the place")


# ---- safetensors ---------------------------------------------------------------------------------------


def safetensors(entries: str | dict, data: bytes = bytes(16), length: int | None = None) -> bytes:
    text = (entries if isinstance(entries, str) else json.dumps(entries)).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(shape=(1, 2), at=(0, 16), kind="F64"):
    return {"dtype": kind, "shape": shape, "data_offsets": at}


TENSORS = {
    "announced": safetensors("{}", length=2**63),
    "nested": safetensors('{"W":' * 50_000),
    "nested lists": safetensors("[" * 100_000),
    "giant": safetensors({"W": entry((HUGE, HUGE))}),
    "giant and zero": safetensors({"W": entry((HUGE, 0), (0, 0))}, b""),
    "overlapping": safetensors({"W": entry(), "V": entry()}),
    "reversed": safetensors({"W": entry(at=(16, 0))}),
    "beyond": safetensors({"W": entry(at=(2**63, 2**63 + 16))}),
    "a hole": safetensors({"W": entry(at=(8, 24))}, bytes(24)),
    "many axes": safetensors({"W": entry([1] * 100 + [2])}),
    "other numbers": safetensors({"W": entry((16,), kind="F8_E5M2")}),
    "nan": safetensors({"W": entry()}, struct.pack("<2d", float("nan"), 1.0)),
}


@pytest.mark.parametrize("data", TENSORS.values(), ids=TENSORS)
def test_safetensors(tmp_path, refused, data):
    (tmp_path / "w.safetensors").write_bytes(data)
    layers = [{"type": "linear", "weight": "W"}]
    document = {
        "format": "hjsym description 1",
        "weights": "w.safetensors",
        "input_shape": [2],
        "layers": layers,
    }
    (tmp_path / "net.json").write_text(json.dumps(document))
    refused(tmp_path / "net.json", TropicalError, "")
