"""Measures the worst errors of the kernels against long double, and prints the table of docs/accuracy.md.

    python benchmarks/accuracy.py

Units are u, half the spacing of numbers at 1: 1.1e-16 in double, 6.0e-8 in single precision.
"""

from collections.abc import Callable, Iterator

import numpy as np

import tropical
from tropical import Polynomial, Semiring, _core

POINTS, PART = 10**7, 10**6
LOWEST = {np.float64: -707.0, np.float32: -85.9}  # below it the exponential is negligible by contract
SMALLEST = {np.float64: -1020, np.float32: -124}  # the smallest sum of exponentials is 2 to this power


def parts(draw: Callable[[np.random.Generator], np.ndarray]) -> Iterator[np.ndarray]:
    for seed in range(POINTS // PART):
        yield draw(np.random.default_rng(seed))


def exp_errors(dtype: type) -> tuple[float, float]:
    """Worst relative error over 2 + |a|, and worst error as a share of the largest term, in u."""
    unit, relative, share = np.finfo(dtype).eps / 2, 0.0, 0.0
    for a in parts(lambda rng: rng.uniform(LOWEST[dtype], 0, PART).astype(dtype)):
        for b in (a, a / 100):
            got = np.empty_like(b)
            _core.exp_nonpositive(b, got)
            want = np.exp(b.astype(np.longdouble))
            error = np.abs(got - want)
            relative = max(relative, float((error / want / (2 + np.abs(b))).max() / unit))
            share = max(share, float(error.max() / unit))
    return relative, share


def log_errors(dtype: type, lowest: float, highest: float) -> tuple[float, float]:
    """Worst error over 1 + 2 |log s| in u, and in spacings of the result, for s from 2^lowest to 2^highest."""
    unit, relative, spacings = np.finfo(dtype).eps / 2, 0.0, 0.0
    for s in parts(lambda rng: (2.0 ** rng.uniform(lowest, highest, PART)).astype(dtype)):
        got = np.empty_like(s)
        _core.log_positive(s, got)
        want = np.log(s.astype(np.longdouble))
        error = np.abs(got - want)
        want = np.abs(want)
        relative = max(relative, float((error / (1 + 2 * want)).max() / unit))
        spacings = max(spacings, float((error / np.spacing(np.maximum(want, unit).astype(dtype))).max()))
    return relative, spacings


def polynomial_errors(dtype: type, terms: int, variables: int) -> list[float]:
    """Worst errors of values over |max| + ε log N + 1, and of weights and gradient over 1 and max|W|, in u."""
    rng = np.random.default_rng(terms)
    slopes, b = rng.normal(size=(terms, variables)).astype(dtype), rng.normal(size=terms).astype(dtype)
    x, eps = rng.normal(size=(2000, variables)).astype(dtype), 0.5
    p = Polynomial(slopes, b, Semiring(eps=eps))
    z = x.astype(np.longdouble) @ slopes.T.astype(np.longdouble) + b
    top = z.max(axis=1)
    powers = np.exp((z - top[:, None]) / eps)
    total = powers.sum(axis=1)
    weights = powers / total[:, None]
    unit = np.finfo(dtype).eps / 2
    scale = np.abs(top) + eps * np.log(terms) + 1
    values = np.abs(p(x) - (top + eps * np.log(total))) / scale
    gradient = np.abs(p.gradient(x) - weights @ slopes) / np.abs(slopes).max()
    return [float(e.max() / unit) for e in (values, np.abs(p.weights(x) - weights), gradient)]


def main() -> None:
    sets = []
    for name in ("baseline", "avx2", "avx512"):
        _core.set_ceiling(name)
        if tropical.core_info()["instruction_set"] == name:
            sets.append(name)
    print(f"| kernel | type | error in units of | {' | '.join(sets)} | promised |")
    print(f"|---|---|---|{'---|' * len(sets)}---|")
    rows: dict[tuple[str, str, str], list[float]] = {}
    for name in sets:
        _core.set_ceiling(name)
        for dtype in (np.float64, np.float32):
            kind = np.dtype(dtype).name
            results = {
                ("e^a, a ≤ 0", kind, "(2 + \\|a\\|) u, relative"): exp_errors(dtype)[0],
                ("e^a beside a largest term of 1", kind, "u"): exp_errors(dtype)[1],
            }
            for name_of, lowest, highest in (
                ("log s, s ≥ 1", 0, 30),
                ("log s, ½ ≤ s < 1", -1, 0),
                (
                    "log s, 2⁻¹⁰²⁰ ≤ s < 1" if dtype is np.float64 else "log s, 2⁻¹²⁴ ≤ s < 1",
                    SMALLEST[dtype],
                    0,
                ),
            ):
                relative, spacings = log_errors(dtype, lowest, highest)
                results[name_of, kind, "(1 + 2 \\|log s\\|) u"] = relative
                results[name_of, kind, "ulp of the result"] = spacings
            for terms, variables in ((64, 2), (1024, 16)):
                size = f"N = {terms}, d = {variables}"
                errors = polynomial_errors(dtype, terms, variables)
                units = ("(\\|max\\| + ε log N + 1) u", "u", "max\\|W\\| u")
                for what, unit, error in zip(("values", "weights", "gradient"), units, errors, strict=True):
                    results[f"{what}, {size}", kind, unit] = error
            for key, error in results.items():
                rows.setdefault(key, []).append(error)
    _core.set_ceiling(None)
    promised = {"e^a, a ≤ 0": "1 (2)", "e^a beside a largest term of 1": "1.4 (2.8)"}
    for (kernel, kind, unit), errors in rows.items():
        by_kind = {"log": "2" if "ulp" in unit else "1", "values": "8"}
        limit = promised.get(kernel) or by_kind.get(kernel.split()[0].strip(","), "–")
        print(f"| {kernel} | {kind} | {unit} | {' | '.join(f'{e:.2f}' for e in errors)} | {limit} |")


if __name__ == "__main__":
    main()
