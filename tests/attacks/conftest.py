"""How an attack is run: within time and memory, watched for every file it opens; and who may survive it: nobody."""

import contextlib
import io
import os
import re
import resource
import signal
import sys
import sysconfig
import zipfile
from pathlib import Path

import numpy as np
import pytest

import hjsym
from hjsym.errors import one_line
from tropical.errors import TropicalError

SECONDS = 20  # the shared machines of CI are slow: what takes a second alone may take ten
MEMORY = 3 << 29  # bytes of address space beyond what the process has
HARMLESS = (
    sysconfig.get_paths()["stdlib"],
    sys.prefix,
    sys.base_prefix,
    "/sys",
    "/dev/null",
    "/etc/ld",
)
WATCHED = {
    "open",
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "shutil.rmtree",
}
FORBIDDEN = {"pickle.find_class", "os.system", "os.exec", "os.posix_spawn", "socket.connect", "ctypes.dlopen"}

_seen: list[tuple[str, object]] | None = None


def _audit(event: str, arguments: tuple) -> None:
    if _seen is not None and (event in WATCHED or event in FORBIDDEN):
        _seen.append((event, arguments[0] if arguments else None))


sys.addaudithook(_audit)  # for good: a hook cannot be removed


@contextlib.contextmanager
def _watched(folder: Path):
    """Fails on files opened outside the folder, the library and the interpreter, and on what no reader may do."""
    global _seen
    source = str(Path(hjsym.__file__).parents[1])
    before = {p: p.lstat().st_mtime_ns for p in folder.rglob("*")}
    _seen = []
    try:
        yield
    finally:
        seen, _seen = _seen, None
    for event, what in seen:
        assert event not in FORBIDDEN, (event, what)
        if event == "open" and not isinstance(what, int):
            path = os.path.realpath(os.fsdecode(what))
            assert path.startswith((str(folder.resolve()), source, *HARMLESS, *filter(None, sys.path))), path
        else:
            assert event == "open", (event, what)
    assert {p: p.lstat().st_mtime_ns for p in folder.rglob("*")} == before


@contextlib.contextmanager
def _bounded():
    """Time by a signal, memory by the limit on address space."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)

    def late(*_):
        raise AssertionError(f"not refused within {SECONDS} s")

    old = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.alarm(0)
        signal.signal(signal.SIGALRM, old)


@pytest.fixture
def refused(tmp_path):
    """A function that loads what an attacker made, and wants one clear line of the right class."""

    def check(source, error, match: str, **options) -> str:
        hjsym.load([([[1.0]], [0.0])])  # imports are no part of the attack
        with _bounded(), _watched(tmp_path), pytest.raises(error) as caught:
            hjsym.load(source, **options)
        message = str(caught.value)
        assert isinstance(caught.value, TropicalError)
        assert re.search(match, message), message
        assert message == one_line(message), "not one printable line"
        return message

    return check


@pytest.fixture
def watched():
    """The watch itself."""
    return _watched


@pytest.fixture
def survives(tmp_path):
    """A function that loads what looks like an attack and is none, under the same watch."""

    def check(source, **options):
        with _bounded(), _watched(tmp_path):
            return hjsym.load(source, **options)

    return check


@pytest.fixture
def npy():
    """A function that gives the bytes of an .npy file whose header is anything."""

    def write(header: str | None, data: bytes = b"", version: int = 1) -> bytes:
        text = header.encode("latin1")
        length = len(text).to_bytes(2 if version == 1 else 4, "little")
        return b"\x93NUMPY" + bytes([version, 0]) + length + text + data

    return write


@pytest.fixture
def archive(tmp_path):
    """A function that writes an .npz file of members, which may be arrays or bytes."""

    def write(members, name: str = "x.npz", **options) -> Path:
        with zipfile.ZipFile(tmp_path / name, "w", **options) as file:
            for member, data in members.items() if isinstance(members, dict) else members:
                if not isinstance(data, bytes):
                    buffer = io.BytesIO()
                    np.save(buffer, data)
                    data = buffer.getvalue()
                file.writestr(member if "." in member else f"{member}.npy", data)
        return tmp_path / name

    return write
