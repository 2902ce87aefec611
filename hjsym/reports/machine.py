"""Reports as JSON: one object, whose numbers are finite or null."""

import json
import math
from collections.abc import Mapping
from fractions import Fraction
from numbers import Integral, Real
from pathlib import Path

import numpy as np

import hjsym
from hjsym.reports.report import Report

__all__ = ["as_json"]


def as_json(report: Report, command: str) -> str:
    """The report as an object with the command, the version, whether it holds, the checks and its data."""
    checks = [{"what": c.what, "value": c.value, "limit": c.limit, "holds": c.holds} for c in report.checks]
    whole = {"command": command, "version": hjsym.__version__, "holds": report.holds}
    return json.dumps(_plain(whole | report.data | {"checks": checks}), allow_nan=False)


def _plain(value):
    """Dictionaries, lists, texts, finite numbers, booleans and None."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real | Fraction):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in a report")
