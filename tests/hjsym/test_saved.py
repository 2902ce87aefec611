"""Our own files: saved networks come back bit for bit, and damaged or deceitful files are one clear error."""

import json
import struct
import sys
from contextlib import suppress
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hjsym
from hjsym import layers
from hjsym.errors import ModelFileError, UnsupportedLayerError
from hjsym.frontends import Limits, safetensors
from hjsym.network import Network, Node
from tropical.errors import BudgetExceeded, InputError, TropicalError
from tropical.sparse import SparseMatrix

SPARSE = SparseMatrix((3, 4), [0, 2, 2], [1, 0, 3], [0.1, -2.0, 1 / 3])
EVERYTHING = Network(
    4,
    (
        Node(layers.Affine(SPARSE, [0.1, 0.2, 1e-300]), (0,), "first"),
        Node(layers.Relu(), (1,)),
        Node(layers.LeakyRelu(0.1), (2,)),
        Node(layers.prelu([0.3, -1.7, 2.0]), (3,)),
        Node(layers.clip(-0.7, 6.1), (4,)),
        Node(layers.Scale([0.1, -1.0, 3.0], [0.0, 0.7, 0.0]), (5,)),
        Node(layers.Add((1.0, -0.3)), (6, 2)),
        Node(layers.Concat(2), (7, 5)),
        Node(layers.Gather([5, 0, 3, 3]), (8,)),
        Node(layers.Maximum([[0, 1], [2, 3], [0, 0]]), (9,)),
        Node(layers.Identity(), (10,)),
        Node(layers.Affine([[0.1, 0.2, 0.3], [1.0, 0.0, -1.0]], [0.0, 0.7]), (11,)),
    ),
    {"author": "nobody", "ε": "0"},
)
SOFT = Network.sequential(3, [layers.Softplus(0.3), layers.LogSumExp(0.1), layers.Sigmoid()])


@pytest.mark.parametrize("suffix", [".json", ".npz"])
@pytest.mark.parametrize(
    "network", [EVERYTHING, EVERYTHING.to_exact(), SOFT], ids=["floats", "exact", "soft"]
)
def test_round_trip(network, suffix, tmp_path):
    path = tmp_path / f"net{suffix}"
    network.save(path)
    again = hjsym.load(path)
    assert (again.exact, again.sizes, again.metadata) == (network.exact, network.sizes, network.metadata)
    for a, b in zip(network.nodes, again.nodes, strict=True):
        assert (type(a.layer), a.inputs, a.name, str(a.layer)) == (
            type(b.layer),
            b.inputs,
            b.name,
            str(b.layer),
        )
        for one, other in zip(a.layer.arguments().values(), b.layer.arguments().values(), strict=True):
            assert type(one) is type(other)
            assert np.asarray(one).tolist() == np.asarray(other).tolist()
    x = np.random.default_rng(0).normal(size=(5, network.input_size))
    assert again(x).tolist() == network(x).tolist()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), suffix=st.sampled_from([".json", ".npz"]))
def test_round_trip_of_rational_networks(networks_with_points, tmp_path, data, suffix):
    network, points = data.draw(networks_with_points())
    third = layers.Affine([[Fraction(1, 3)] * network.output_size], [Fraction(-2, 7) * 10**30])
    nodes = (*network.nodes, Node(third, (len(network.nodes),)))
    exact = Network(network.input_size, nodes)
    exact.save(tmp_path / f"net{suffix}")
    assert hjsym.load(tmp_path / f"net{suffix}")(points).tolist() == exact(points).tolist()


def test_other_names_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"neither \.json nor \.npz"):
        SOFT.save(tmp_path / "net.pkl")
    assert not list(tmp_path.iterdir())


def document(tmp_path, network=SOFT):
    network.save(tmp_path / "net.json")
    return json.loads((tmp_path / "net.json").read_text())


EMPTY = {"shape": [0], "numbers": []}


def slope(text):
    return {"layer": "LeakyRelu", "inputs": [0], "name": "", "slope": {"fraction": text}}


DAMAGE = {
    "format": (lambda d: d.update(format="hjsym network 9"), "format 'hjsym network 9'"),
    "layer": (lambda d: d["nodes"][0].update(layer="object"), "layer 'object' is not known; known are Add, Affine"),
    "base class": (lambda d: d["nodes"][0].update(layer="Layer"), "layer 'Layer' is not known"),
    "argument": (lambda d: d["nodes"][0].update(label="x"), "damaged: TypeError"),
    "inputs": (lambda d: d["nodes"][1].update(inputs=[0.5]), "inputs"),
    "forward reference": (lambda d: d["nodes"][0].update(inputs=[2]), "only values 0 to 0"),
    "size": (lambda d: d.update(input_size=-3), "input_size -3"),
    "no nodes": (lambda d: d.pop("nodes"), "KeyError"),
    "nan": (lambda d: d["nodes"][0].update(eps=float("nan")), "eps of Softplus is nan"),
    "no list": (lambda d: d.update(nodes=7), "TypeError"),
    "digits": (lambda d: d["nodes"].insert(0, slope("9" * 5000)), "a fraction of 5,000 characters"),
    "zero denominator": (lambda d: d["nodes"].insert(0, slope("1/0")), "damaged: ZeroDivisionError"),
    "tall sparse matrix": (
        lambda d: d["nodes"].insert(0, {
            "layer": "Affine", "inputs": [0], "name": "", "bias": EMPTY,
            "weight": {"sparse": [10**12, 3], "rows": EMPTY, "columns": EMPTY, "data": EMPTY},
        }),
        "sparse matrix of shape",
    ),
}  # fmt: skip


@pytest.mark.parametrize("change, message", DAMAGE.values(), ids=DAMAGE)
def test_damaged_documents(tmp_path, change, message):
    damaged = document(tmp_path)
    change(damaged)
    (tmp_path / "net.json").write_text(json.dumps(damaged))
    with pytest.raises(ModelFileError, match=message):
        hjsym.load(tmp_path / "net.json")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": 1}', "[" * 100_000])
def test_other_json(tmp_path, text):
    (tmp_path / "net.json").write_text(text)
    with pytest.raises(ModelFileError):
        hjsym.load(tmp_path / "net.json")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.integers(0, 10**6), character=st.sampled_from('0123456789-."{}[],aeE'))
def test_a_changed_character_is_an_error_or_a_network(tmp_path, where, character):
    EVERYTHING.save(tmp_path / "net.json")
    text = (tmp_path / "net.json").read_text()
    where %= len(text)
    (tmp_path / "net.json").write_text(text[:where] + character + text[where + 1 :])
    with suppress(TropicalError):
        assert isinstance(hjsym.load(tmp_path / "net.json"), Network)


# ---- descriptions beside weights -----------------------------------------------------------------------

R = np.random.default_rng(2)
WEIGHTS = {
    "c.w": R.normal(size=(2, 1, 2, 2)).astype(np.float32), "c.b": R.normal(size=2).astype(np.float16),
    "f.w": R.normal(size=(3, 8)), "f.b": R.normal(size=3), "n": R.uniform(0.5, 1, 2),
}  # fmt: skip
LAYERS = [
    {"type": "conv", "weight": "c.w", "bias": "c.b", "padding": 1, "name": "conv"},
    {"type": "batch_norm", "weight": "n", "bias": "n", "mean": "n", "variance": "n", "epsilon": 0.5},
    {"type": "relu", "name": "bent"},
    {"type": "add", "inputs": ["bent", "conv"], "factors": [1.0, -0.5]},
    {"type": "max_pool", "kernel": 2},
    {"type": "flatten"},
    {"type": "linear", "weight": "f.w", "bias": "f.b"},
    {"type": "softmax"},
]


def write_safetensors(path, arrays, kinds=None):
    header, body = {"__metadata__": {"format": "pt"}}, b""
    for name, array in arrays.items():
        kind = {"f": "F", "i": "I", "u": "U"}[array.dtype.kind] + str(8 * array.dtype.itemsize)
        data = array.tobytes()
        header[name] = {
            "dtype": (kinds or {}).get(name, kind), "shape": list(array.shape),
            "data_offsets": [len(body), len(body) + len(data)],
        }  # fmt: skip
        body += data
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


@pytest.fixture
def described(tmp_path):
    """A function that writes a description and its weights."""

    def write(layers=LAYERS, weights="net.safetensors", shape=(1, 3, 3), **more):
        fields = {"format": "hjsym description 1", "weights": weights, "input_shape": shape, "layers": layers}
        (tmp_path / "net.json").write_text(json.dumps({**fields, **more}))
        return tmp_path / "net.json"

    write_safetensors(tmp_path / "net.safetensors", WEIGHTS)
    np.savez(tmp_path / "net.npz", **WEIGHTS)
    return write


@pytest.mark.parametrize("weights", ["net.safetensors", "net.npz"])
def test_description(described, weights):
    """Against the same network in plain loops."""
    network = hjsym.load(described(weights=weights))
    for image in R.normal(size=(4, 3, 3)):
        wide = np.pad(image, 1)
        conv = np.array([
            [[(wide[i : i + 2, j : j + 2] * w[0]).sum() + b for j in range(4)] for i in range(4)]
            for w, b in zip(WEIGHTS["c.w"].astype(float), WEIGHTS["c.b"].astype(float), strict=True)
        ])  # fmt: skip
        n = WEIGHTS["n"][:, None, None]
        joined = np.maximum(n * (conv - n) / np.sqrt(n + 0.5) + n, 0) - conv / 2
        pooled = joined.reshape(2, 2, 2, 2, 2).max(axis=(2, 4)).ravel()
        scores = WEIGHTS["f.w"] @ pooled + WEIGHTS["f.b"]
        expected = np.exp(scores) / np.exp(scores).sum()
        np.testing.assert_allclose(network(image.ravel()), expected, rtol=1e-12)


def test_safetensors(tmp_path):
    numpy_writer = pytest.importorskip("safetensors.numpy")
    numpy_writer.save_file(WEIGHTS, tmp_path / "w.safetensors")
    for name, array in safetensors.read_safetensors(tmp_path / "w.safetensors").items():
        assert array.dtype == WEIGHTS[name].dtype
        np.testing.assert_array_equal(array, WEIGHTS[name])


def test_bfloat16(tmp_path):
    values = np.array([1.0, -2.5, 0.15625], np.float32)
    upper = (values.view(np.uint32) >> 16).astype(np.uint16)
    write_safetensors(tmp_path / "b.safetensors", {"w": upper}, {"w": "BF16"})
    assert safetensors.read_safetensors(tmp_path / "b.safetensors")["w"].tolist() == values.tolist()


WRONG = {
    "unknown type": (
        [{"type": "gelu"}],
        {},
        UnsupportedLayerError,
        r"layer 0 \(gelu\): gelu is not piecewise linear",
    ),
    "unknown field": (
        [{"type": "conv", "weight": "c.w", "pad": 1}],
        {},
        ModelFileError,
        "fields pad are not known",
    ),
    "missing weight": (
        [{"type": "linear", "weight": "w"}],
        {},
        ModelFileError,
        "weight is 'w', which the file",
    ),
    "wrong weight": ([{"type": "linear", "weight": "c.w"}], {}, UnsupportedLayerError, r"layer 0 \(linear\)"),
    "unknown input": ([{"type": "relu", "inputs": ["x"]}], {}, ModelFileError, "reads"),
    "name twice": ([{"type": "relu", "name": "input"}], {}, ModelFileError, "'input' like an earlier one"),
    "no type": ([{}], {}, ModelFileError, "damaged: KeyError"),
    "elsewhere": (LAYERS, {"weights": "../net.safetensors"}, ModelFileError, "beside it"),
    "absolute": (LAYERS, {"weights": "/etc/passwd"}, ModelFileError, "beside it"),
    "missing file": (LAYERS, {"weights": "none.npz"}, ModelFileError, "is not a file"),
    "huge input": (LAYERS, {"shape": [10**6, 10**6]}, BudgetExceeded, "numbers a sample"),
    "no shape": (LAYERS, {"shape": []}, UnsupportedLayerError, "axes of fixed length"),
    "huge kernel": (
        [{"type": "max_pool", "kernel": 2, "padding": 10**9}],
        {},
        BudgetExceeded,
        "windows of a max pool",
    ),
    "giant kernel": (
        [{"type": "max_pool", "kernel": 10**30}],
        {},
        UnsupportedLayerError,
        "up to 2,147,483,648",
    ),
    "kernel of text": ([{"type": "max_pool", "kernel": "x"}], {}, ModelFileError, "damaged"),
}


@pytest.mark.parametrize("entries, changes, error, message", WRONG.values(), ids=WRONG)
def test_wrong_descriptions(described, entries, changes, error, message):
    with pytest.raises(error, match=message):
        hjsym.load(described(entries, **changes))


HEADERS = {
    "announces more": struct.pack("<Q", 10**15) + b"{}",
    "short": b"\x01\x00",
    "empty": b"",
    "no json": struct.pack("<Q", 2) + b"{[",
    "no object": struct.pack("<Q", 2) + b"[]",
}
ENTRIES = {
    "beyond": {"dtype": "F64", "shape": [2], "data_offsets": [0, 16]},
    "other size": {"dtype": "F64", "shape": [10**12], "data_offsets": [0, 8]},
    "overflow": {"dtype": "F64", "shape": [2**40, 2**40], "data_offsets": [0, 8]},
    "negative": {"dtype": "F64", "shape": [-1], "data_offsets": [0, 8]},
    "kind": {"dtype": "F7", "shape": [1], "data_offsets": [0, 8]},
    "list": [],
}


def with_entry(entry) -> bytes:
    text = json.dumps({"w": entry}).encode()
    return struct.pack("<Q", len(text)) + text + bytes(8)


@pytest.mark.parametrize(
    "data", [*HEADERS.values(), *map(with_entry, ENTRIES.values())], ids=[*HEADERS, *ENTRIES]
)
def test_damaged_safetensors(tmp_path, data):
    (tmp_path / "x.safetensors").write_bytes(data)
    with pytest.raises(ModelFileError, match="damaged or no safetensors file"):
        safetensors.read_safetensors(tmp_path / "x.safetensors")


def test_safetensors_of_other_numbers(tmp_path):
    data = with_entry({"dtype": "F8_E4M3", "shape": [8], "data_offsets": [0, 8]})
    (tmp_path / "x.safetensors").write_bytes(data)
    with pytest.raises(ModelFileError, match="F8_E4M3; F64, F32"):
        safetensors.read_safetensors(tmp_path / "x.safetensors")


def test_safetensors_without_its_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ModelFileError, match=r"pip install hjsym\[safetensors\]"):
        safetensors.read_safetensors(tmp_path / "x.safetensors")


def test_all_layers_together_have_a_limit(described):
    with pytest.raises(
        BudgetExceeded, match=r"layer 1 \(batch_norm\).*192.*150"
    ):  # 128 of the convolution before
        hjsym.load(described(), limits=Limits(entries=150))
