"""Fuzzing of the readers with atheris, which is guided by the lines and branches of Python that an input reaches.

    python tests/attacks/fuzz.py onnx npz member saved described safetensors --seconds 60

Each reader starts from small good files, which this script makes; "member" changes an array in an archive whose
checksums are right. Whatever is raised but a `TropicalError`, and
whatever takes more than two gigabytes or ten seconds, ends the run, with the input in a file crash-…; it then belongs
into the tests beside this script. Without atheris (`pip install atheris`) the same readers are tried on bytes that are
flipped, cut, joined and repeated at random. JSON is changed by its values as well.
"""

import argparse
import contextlib
import json
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np

READERS = ("onnx", "npz", "member", "saved", "described", "safetensors")


def seeds(reader: str) -> list[bytes]:
    """Small good files, with every layer or field that there is."""
    from hjsym.hopf import LSELayer

    net = _network()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        if reader == "onnx":
            return [
                net.to_onnx().SerializeToString(),
                *(p.read_bytes() for p in _models("digits-*.onnx", 60_000)),
            ]
        if reader == "npz":
            net.save(path / "a.npz")
            LSELayer([[1.0, 2.0]], [0.0], 0.5).save(path / "b.npz")
            return [(path / name).read_bytes() for name in ("a.npz", "b.npz")]
        if reader == "member":
            np.save(path / "W.npy", np.array([[1.0, 2.0]]))
            np.save(path / "V.npy", np.zeros((1, 2), np.float32, order="F"))
            return [(path / name).read_bytes() for name in ("W.npy", "V.npy")]
        if reader == "saved":
            net.save(path / "a.json")
            net.to_exact().save(path / "b.json")
            return [(path / name).read_bytes() for name in ("a.json", "b.json")]
    if reader == "described":
        return [json.dumps(_description()).encode()]
    header = json.dumps({"w": {"dtype": "F64", "shape": [1, 2], "data_offsets": [0, 16]}}).encode()
    return [len(header).to_bytes(8, "little") + header + bytes(16)]


def _network():
    from hjsym import layers
    from hjsym.network import Network, Node
    from tropical.sparse import SparseMatrix

    chain = [
        layers.Affine(SparseMatrix((3, 4), [0, 2, 2], [1, 0, 3], [0.1, -2.0, 0.25]), [0.5, 0.25, 1e-300]),
        layers.Relu(), layers.LeakyRelu(0.5), layers.prelu([0.5, -1.5, 2.0]), layers.clip(-0.5, 6.0),
        layers.Scale([0.5, -1.0, 3.0], [0.0, 0.5, 0.0]), layers.Identity(),
    ]  # fmt: skip
    nodes = [Node(layer, (k,), f"n{k}") for k, layer in enumerate(chain)]
    nodes += [Node(layers.Add((1.0, -0.5)), (7, 2)), Node(layers.Concat(2), (8, 5))]
    nodes += [Node(layers.Gather([5, 0, 3, 3]), (9,)), Node(layers.Maximum([[0, 1], [2, 3], [0, 0]]), (10,))]
    return Network(4, (*nodes, Node(layers.Affine([[0.5, 0.25, 0.0]], [1.0]), (11,))), {"a": "b"})


def _description() -> dict:
    made = [
        {"type": "conv", "weight": "c", "bias": "b", "padding": 1, "stride": 1, "dilation": 1, "groups": 1},
        {"type": "batch_norm", "weight": "b", "bias": "b", "mean": "b", "variance": "b", "epsilon": 0.5},
        {"type": "relu", "name": "r"}, {"type": "scale", "factor": "s", "bias": "s"},
        {"type": "avg_pool", "kernel": 1, "count_padding": True, "ceil": False},
        {"type": "add", "inputs": ["r", "4"], "factors": [1.0, 0.5]}, {"type": "max_pool", "kernel": 2},
        {"type": "permute", "axes": [1, 2, 0]}, {"type": "reshape", "shape": [2, -1]},
        {"type": "concat", "inputs": ["8", "8"], "axis": 1}, {"type": "mean", "axes": [1]},
        {"type": "clip", "min": -1, "max": 1}, {"type": "leaky_relu", "slope": 0.5},
        {"type": "prelu", "slopes": "s"}, {"type": "softplus", "eps": 0.5},
        {"type": "max", "inputs": ["14", "13"]}, {"type": "min", "inputs": ["14", "13"]},
        {"type": "flatten"}, {"type": "logsumexp", "eps": 1.0},
    ]  # fmt: skip
    return {"format": "hjsym description 1", "weights": "w.npz", "input_shape": [1, 3, 3], "layers": made}


def _models(pattern: str, most: int) -> list[Path]:
    folder = Path(__file__).resolve().parents[2] / "examples" / "models"
    return [p for p in sorted(folder.glob(pattern)) if p.stat().st_size <= most]


def target(reader: str, folder: Path):
    """A function of bytes that reads them, and lets everything through that no reader may raise."""
    import hjsym
    from hjsym.frontends import Limits
    from tropical.errors import TropicalError

    limits = Limits(entries=1 << 20, values=1 << 24, memory=1 << 28, input_size=1 << 16, nodes=2000)
    suffixes = {"onnx": ".onnx", "npz": ".npz", "member": ".npz", "safetensors": ".safetensors"}
    path = folder / f"fuzzed{suffixes.get(reader, '.json')}"
    np.savez(folder / "w.npz", c=np.ones((2, 1, 2, 2)), b=np.ones(2), s=np.array(0.5))
    document = {"format": "hjsym description 1", "weights": "fuzzed.safetensors", "input_shape": [2]}
    beside = json.dumps({**document, "layers": [{"type": "linear", "weight": "w"}]})

    def read(data: bytes):
        """The network, or None."""
        source = path
        if reader == "member":
            np.savez(path, b=np.zeros(1), eps=0.5)
            with zipfile.ZipFile(path, "a") as archive:
                archive.writestr("W.npy", data)
        else:
            path.write_bytes(data)
        if reader == "safetensors":
            source = folder / "net.json"
            source.write_text(beside)
        with contextlib.suppress(TropicalError), np.errstate(all="ignore"):
            network = hjsym.load(source, limits=limits)
            str(network)
            if max(network.sizes) < (50 if network.exact else 10_000):
                network(np.zeros(network.input_size))
            return network
        return None

    return read


def fuzz(reader: str, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            import atheris
        except ImportError:
            print(f"{reader}: no atheris; random changes instead")
            _random(reader, folder, seconds)
            return
        with atheris.instrument_imports(include=["hjsym.frontends"]):  # before anything else imports them
            import hjsym.frontends.described
            import hjsym.frontends.onnx
            import hjsym.frontends.saved  # noqa: F401
        (folder / "corpus").mkdir()
        for k, data in enumerate(seeds(reader)):
            (folder / "corpus" / f"seed{k}").write_bytes(data)
        limits = [f"-max_total_time={int(seconds)}", "-rss_limit_mb=2048", "-timeout=10", "-max_len=20000"]
        told = ["-verbosity=0", "-print_final_stats=1", f"-artifact_prefix=crash-{reader}-"]

        def mutator(data: bytes, most: int, seed: int) -> bytes:
            rng = random.Random(seed)
            return changed_document(data, rng)[:most] if rng.random() < 0.5 else atheris.Mutate(data, most)

        read = target(reader, folder)
        options = {"custom_mutator": mutator} if reader in ("saved", "described") else {}
        atheris.Setup(
            [sys.argv[0], *limits, *told, str(folder / "corpus")], lambda data: read(data) and None, **options
        )
        atheris.Fuzz()


def _random(reader: str, folder: Path, seconds: float) -> None:
    rng, good, read = random.Random(0), seeds(reader), target(reader, folder)
    end, tried = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        data = changed_file(reader, rng.choice(good), rng)
        try:
            read(data)
        except BaseException:
            Path(f"crash-{reader}").write_bytes(data)
            raise
        tried += 1
    print(f"{reader}: {tried:,} inputs")


def changed(data: bytes, rng: random.Random) -> bytes:
    """Bytes with one to four of: a bit flipped, a byte set, a piece left out, doubled or moved, an end cut."""
    buffer = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        i, j = sorted(rng.randrange(len(buffer) + 1) for _ in range(2))
        kind = rng.randrange(6)
        if kind == 0 and i < len(buffer):
            buffer[i] ^= 1 << rng.randrange(8)
        elif kind == 1 and i < len(buffer):
            buffer[i] = rng.choice([0, 1, 127, 128, 255, rng.randrange(256)])
        elif kind == 2:
            del buffer[i : i + min(j - i, 64)]
        elif kind == 3:
            buffer[j:j] = buffer[i : i + min(j - i, 64)]
        elif kind == 4:
            buffer[i:j] = buffer[i:j][::-1]
        elif len(buffer) > 1:
            del buffer[max(i, 1) :]
        buffer = buffer or bytearray(b"\0")
    return bytes(buffer)


def changed_file(reader: str, data: bytes, rng: random.Random) -> bytes:
    """Changed bytes, or a changed document for the readers of JSON."""
    document = reader in ("saved", "described") and rng.random() < 0.5
    return changed_document(data, rng) if document else changed(data, rng)


ODD_VALUES = [
    None, True, False, 0, -1, 1, 2, 3, 2**31, 2**62, -(2**63), 10**30, 0.5, 1e308, 5e-324, float("nan"), float("inf"),
    "", "x", "1/3", "0/0", "input", "s", "relu", "Affine", "Softplus", [], [0], [[1]], [2**62, 2**62], [0, 2**62], {},
    {"shape": [2], "numbers": [1, 2]}, {"fraction": "1/3"}, {"sparse": [1, 1]}, {"shape": [2**62], "numbers": []},
]  # fmt: skip


def changed_document(data: bytes, rng: random.Random) -> bytes:
    """JSON with one to three values replaced, left out, doubled, or taken from elsewhere in it."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return changed(data, rng)
    for _ in range(rng.randint(1, 3)):
        places = list(_places(document))
        if not places:
            break
        inside, key = rng.choice(places)
        kind = rng.randrange(4)
        if kind == 0:
            del inside[key]
        elif kind == 1 and isinstance(inside, list):
            inside.append(inside[key])
        elif kind == 2:
            other, name = rng.choice(places)
            inside[key] = json.loads(json.dumps(other[name]))
        else:
            inside[key] = rng.choice(ODD_VALUES)
        document = json.loads(json.dumps(document))  # no value in two places
    return json.dumps(document).encode()


def _places(document):
    """Every container in a document with each of its keys."""
    waiting = [document]
    while waiting:
        inside = waiting.pop()
        keys = inside if isinstance(inside, dict) else range(len(inside)) if isinstance(inside, list) else ()
        for key in keys:
            yield inside, key
            waiting.append(inside[key])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("readers", nargs="*", default=READERS, choices=[*READERS, []])
    parser.add_argument("--seconds", type=float, default=60.0, help="for each reader (default 60)")
    options = parser.parse_args()
    readers = list(options.readers or READERS)
    if len(readers) == 1:
        fuzz(readers[0], options.seconds)
        return 0
    failed = [  # a process each: a run of atheris ends its process
        reader
        for reader in readers
        if subprocess.run(
            [sys.executable, __file__, reader, "--seconds", str(options.seconds)], check=False
        ).returncode
    ]
    print("failed: " + ", ".join(failed) if failed else "nothing found")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
