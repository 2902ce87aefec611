"""The time below which no implementation can stay on this processor.

limit = max(FMA / rate of FMA, maxima / rate of maxima, both / rate of both in turn, bytes / rate of reading)

The rates are measured by limits.c with the widest vectors of one core, in float64; float32 has twice as many
numbers in a vector at the same rate. The operations are `Workload.counts`: per point and monomial d FMA and
one maximum, for log-sum-exp 7.4 operations more for an accurate exp (3.5 in float32), for its gradient d FMA
more. The memory bound counts the inputs once; transforms along axes also count what they write, at the rate of
reading. Two threads are taken to be twice as fast.
"""

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from workloads import Workload

__all__ = ["Rates", "limit", "measure"]


@dataclass(frozen=True)
class Rates:
    """Vector operations, and bytes read, per second of one core."""

    fma: float
    max: float
    mixed: float
    vector_bytes: float
    read: float

    def __str__(self) -> str:
        return (
            f"{self.fma / 1e9:.2f} G FMA/s, {self.max / 1e9:.2f} G maxima/s, {self.mixed / 1e9:.2f} G/s in turn "
            f"({8 * self.vector_bytes:.0f}-bit vectors), {self.read / 1e9:.0f} GB/s read"
        )


def measure() -> Rates | None:
    """Compiles and runs limits.c; None where there is no compiler or no FMA."""
    source = Path(__file__).with_name("limits.c")
    with tempfile.TemporaryDirectory() as folder:
        program = str(Path(folder) / "limits")
        command = [os.environ.get("CC", "cc"), "-O2", "-march=native", "-o", program, str(source)]
        try:
            subprocess.run(command, check=True, capture_output=True)
            printed = subprocess.run([program], check=True, capture_output=True, text=True).stdout
        except (OSError, subprocess.CalledProcessError):
            return None
    return Rates(*map(float, printed.split()))


def limit(workload: Workload, rates: Rates, threads: int) -> float:
    """Seconds."""
    counts = workload.counts()
    lanes = rates.vector_bytes / workload.dtype.itemsize
    arithmetic = (
        counts.fma / rates.fma,
        counts.max / rates.max,
        (counts.fma + counts.max) / max(rates.mixed, rates.fma, rates.max),
    )
    return max(max(arithmetic) / lanes, counts.bytes / rates.read) / threads
