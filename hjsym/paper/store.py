"""Finished rows on disk: JSON beside their pictures, each file whole or not there, the JSON last."""

import hashlib
import json
import platform
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np
import scipy

from hjsym._files import replaced
from hjsym.paper.drawing import can_draw
from hjsym.paper.row import Measurement

__all__ = ["FinishedRow", "fingerprint", "read_row", "write_row"]


@dataclass(frozen=True)
class FinishedRow:
    """What the report says about a row.

    Attributes
    ----------
    name, title, source, claim, truth : str
        Of the `Row`.
    seconds : float
        How long it took.
    measurements : tuple of Measurement
    remarks : tuple of str
    pictures : tuple of (title, caption, SVG)
    skipped : str
        Why nothing was measured; empty if something was.
    error : str
        What went wrong; empty if nothing did.
    """

    name: str
    title: str
    source: str
    claim: str
    truth: str
    seconds: float
    measurements: tuple[Measurement, ...] = ()
    remarks: tuple[str, ...] = ()
    pictures: tuple[tuple[str, str, str], ...] = ()
    skipped: str = ""
    error: str = ""

    @property
    def passes(self) -> bool:
        """Whether every figure is met; a row that was skipped has none that is not."""
        return not self.error and all(m.passes for m in self.measurements)


def fingerprint(name: str, fast: bool, seed: int) -> str:
    """What a finished row depends on: options, versions, the code itself, and whether pictures can be drawn."""
    parts = [
        name,
        fast,
        seed,
        platform.python_version(),
        np.__version__,
        scipy.__version__,
        can_draw(),
        _code(),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@cache
def _code() -> str:
    """A digest of the two packages as installed."""
    digest = hashlib.sha256()
    here = Path(__file__).resolve().parents[1]
    for package in (here, here.parent / "tropical"):
        for path in sorted(package.rglob("*")):
            if path.suffix in (".py", ".so", ".pyd"):
                digest.update(f"{path.relative_to(package)}".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def write_row(folder: Path, row: FinishedRow, mark: str) -> None:
    """Pictures first; a row counts as finished once its JSON is there."""
    record = asdict(row)
    record["mark"] = mark
    record["pictures"] = []
    for k, (title, caption, svg) in enumerate(row.pictures, 1):
        name = f"{row.name}-{k}.svg"
        _write(folder / name, svg)
        record["pictures"].append([title, caption, name])
    _write(folder / f"{row.name}.json", json.dumps(record, ensure_ascii=False, indent=1))


def _write(path: Path, text: str) -> None:
    with replaced(path) as part:
        part.write_text(text, encoding="utf-8")


def read_row(folder: Path, name: str, mark: str) -> FinishedRow | None:
    """The row if it was finished with the same mark, else None: a file that does not read counts as none."""
    try:
        record = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        if record.pop("mark") != mark:
            return None
        record["measurements"] = tuple(Measurement(**m) for m in record["measurements"])
        record["remarks"] = tuple(record["remarks"])
        record["pictures"] = tuple(
            (title, caption, (folder / Path(file).name).read_text(encoding="utf-8"))
            for title, caption, file in record["pictures"]
        )
        return FinishedRow(**record)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
