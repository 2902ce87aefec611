"""Fuzzing of the readers with atheris, which is guided by the lines and branches of Python that an input reaches.

    python tests/attacks/fuzz.py onnx npz member saved described safetensors --seconds 60

Each reader starts from small good files, which this script makes; "member" changes an array in an archive whose
checksums are right. Whatever is raised but a `TropicalError`, and
whatever takes more than two gigabytes or ten seconds, ends the run, with the input in a file crash-…; it then belongs
into the tests beside this script. Without atheris (`pip install atheris`) the same readers are tried on bytes that are
flipped, cut, joined and repeated at random.
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
    """Small good files."""
    from hjsym import layers
    from hjsym.hopf import LSELayer
    from hjsym.network import Network

    net = Network.sequential(2, [layers.Affine([[1.0, -2.0], [0.5, 0.0]], [0.25, 0.0]), layers.Relu()])
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
            np.save(path / "V.npy", np.zeros((0, 2), np.float32, order="F"))
            return [(path / name).read_bytes() for name in ("W.npy", "V.npy")]
        if reader == "saved":
            net.save(path / "a.json")
            net.to_exact().save(path / "b.json")
            return [(path / name).read_bytes() for name in ("a.json", "b.json")]
    if reader == "described":
        kinds = [
            {"type": "conv", "weight": "c", "bias": "b", "padding": 1}, {"type": "relu"},
            {"type": "max_pool", "kernel": 2}, {"type": "flatten"}, {"type": "linear", "weight": "w"},
        ]  # fmt: skip
        fields = {"format": "hjsym description 1", "weights": "w.npz", "input_shape": [1, 3, 3]}
        return [json.dumps({**fields, "layers": kinds}).encode()]
    header = json.dumps({"w": {"dtype": "F64", "shape": [1, 2], "data_offsets": [0, 16]}}).encode()
    return [len(header).to_bytes(8, "little") + header + bytes(16)]


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
    np.savez(folder / "w.npz", c=np.ones((2, 1, 2, 2)), b=np.ones(2), w=np.ones((3, 8)))
    document = {"format": "hjsym description 1", "weights": "fuzzed.safetensors", "input_shape": [2]}
    beside = json.dumps({**document, "layers": [{"type": "linear", "weight": "w"}]})

    def read(data: bytes) -> None:
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
            if max(network.sizes) < 10_000 and not network.exact:
                network(np.zeros(network.input_size))

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
        atheris.Setup([sys.argv[0], *limits, *told, str(folder / "corpus")], target(reader, folder))
        atheris.Fuzz()


def _random(reader: str, folder: Path, seconds: float) -> None:
    rng, good, read = random.Random(0), seeds(reader), target(reader, folder)
    end, tried = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        data = changed(rng.choice(good), rng)
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
