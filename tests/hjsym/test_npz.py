"""Files of arrays that cannot be trusted."""

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hjsym
from hjsym.errors import ModelFileError
from hjsym.frontends import Limits, npz
from hjsym.hopf import LSELayer
from tropical import TropicalError


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "layer.npz"
    LSELayer([[1.0, 2.0], [0.5, -1.0]], [0.0, 1.0], 0.5).save(path)
    return path


def archive(path, **members: bytes):
    with zipfile.ZipFile(path, "w") as file:
        for name, data in members.items():
            file.writestr(f"{name}.npy", data)
    return path


def npy(array, shape=None) -> bytes:
    """The bytes of an .npy file whose header may claim another shape."""
    buffer = io.BytesIO()
    header = np.lib.format.header_data_from_array_1_0(array)
    if shape is not None:
        header["shape"] = shape
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue() + array.tobytes()


def test_reads_what_numpy_wrote(good, tmp_path):
    arrays = npz.read_npz(good)
    np.testing.assert_array_equal(arrays["W"], [[1.0, 2.0], [0.5, -1.0]])
    fortran = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    np.savez(tmp_path / "f.npz", a=fortran)
    np.testing.assert_array_equal(npz.read_npz(tmp_path / "f.npz")["a"], fortran)
    np.testing.assert_allclose(hjsym.load(good)([1.0, 1.0]), LSELayer.load(good)([[1.0, 1.0]]))


def test_truncated_anywhere_is_one_error(good):
    whole = good.read_bytes()
    for length in range(0, len(whole), 37):
        good.write_bytes(whole[:length])
        with pytest.raises(ModelFileError):
            LSELayer.load(good)


@given(st.integers(0, 10**6), st.integers(1, 255))
def test_a_changed_byte_is_an_error_or_harmless(tmp_path_factory, where, flip):
    path = tmp_path_factory.mktemp("npz") / "layer.npz"
    LSELayer([[1.0, 2.0]], [0.25], 0.5).save(path)
    data = bytearray(path.read_bytes())
    data[where % len(data)] ^= flip
    path.write_bytes(data)
    try:
        layer = LSELayer.load(path)
    except TropicalError:
        return
    # The archive has checksums, so what still loads has the arrays that were saved.
    assert (layer.W.tolist(), layer.b.tolist(), layer.eps) == ([[1.0, 2.0]], [0.25], 0.5)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (npy(np.zeros(3), shape=(10**12,)), "needs 8,000,000,000,000 bytes, but holds 24"),
        (npy(np.zeros(3), shape=(-3,)), "needs"),
        (npy(np.zeros(3), shape=(2,)), "needs 16 bytes, but holds 24"),
        (b"\x93NUMPY\x01\x00\x10\x00{'descr': '<f8',", "broken header"),
        (b"not an array", "broken header"),
    ],
)
def test_headers_are_held_against_the_data(tmp_path, data, message):
    with pytest.raises(ModelFileError, match=message):
        npz.read_npz(archive(tmp_path / "x.npz", W=data))


def test_objects_are_refused(tmp_path):
    np.savez(tmp_path / "x.npz", W=np.array([{}], dtype=object), b=np.zeros(1), eps=1.0)
    with pytest.raises(ModelFileError, match="holds Python objects"):
        LSELayer.load(tmp_path / "x.npz")


def test_bombs_are_refused_before_unpacking(tmp_path):
    np.savez_compressed(tmp_path / "x.npz", W=np.zeros(100_000))
    with pytest.raises(ModelFileError, match="unpacks to 800,"):
        npz.read_npz(tmp_path / "x.npz", Limits(file_bytes=10_000))


def test_missing_and_misshapen_entries(tmp_path):
    np.savez(tmp_path / "x.npz", W=np.zeros((2, 2)), eps=1.0)
    with pytest.raises(ModelFileError, match="has no b"):
        LSELayer.load(tmp_path / "x.npz")
    np.savez(tmp_path / "x.npz", W=np.zeros((2, 2)), b=np.zeros(2), eps=np.ones(2))
    with pytest.raises(ModelFileError, match="one number is needed"):
        LSELayer.load(tmp_path / "x.npz")
    with pytest.raises(ModelFileError, match="is not a file"):
        LSELayer.load(tmp_path / "none.npz")
