"""Breaks the C kernels on purpose, one kind after another, and checks that the tests notice.

    make mutants

Each mutant is a copy of the sources with one piece of text replaced, built into a folder of its own and put in
front of the installed package. It counts as caught if the tests named beside it fail.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("csrc", "tropical", "hjsym", "setup.py", "pyproject.toml", "README.md", "LICENSE", "MANIFEST.in")


class Mutant(NamedTuple):
    what: str
    file: str
    old: str
    new: str
    tests: str


MUTANTS = [
    Mutant(
        "signs are not extended",
        "integers.h",
        "uint64_t sign = (uint64_t)((int64_t)from[from_limbs - 1] >> 63);",
        "uint64_t sign = 0;",
        "regions_kernel",
    ),
    Mutant(
        "a borrow is lost",
        "integers.h",
        "(a[i] < b[i]) | (difference < borrow)",
        "(a[i] < b[i])",
        "regions_kernel",
    ),
    Mutant(
        "ties go to the last panel",
        "rows.template.c",
        "if (highest > s->top)",
        "if (highest >= s->top)",
        "kernels",
    ),
    Mutant(
        "a finite overflow is the zero",
        "rows.template.c",
        "if (x[k] - x[k] == 0)",
        "if (0)",
        "special_values",
    ),
    Mutant(
        "entropy without its moment",
        "rows.template.c",
        "log_total - s->moment",
        "log_total - 0 * s->moment",
        "kernels",
    ),
    Mutant(
        "a coefficient of e^a is 4 ulp off",
        "exp.template.h",
        "0x1.5d87fe78a5276p-10",
        "0x1.5d87fe79a527ap-10",
        "exp",
    ),
    Mutant(
        "log 2 in one part",
        "log.template.h",
        "#define LOG2_LO 0x1.a39ef35793c76p-33",
        "#define LOG2_LO 0.0",
        "log",
    ),
    Mutant(
        "earlier panels do not shrink", "tiles.template.c", "sum[r] *= factor[r]", "sum[r] *= 1", "kernels"
    ),
    Mutant(
        "gradients do not shrink",
        "tiles.template.c",
        "gradient + k * TILE + r * LANES) * factor[r]);",
        "gradient + k * TILE + r * LANES));",
        "kernels",
    ),
    Mutant(
        "former maxima are forgotten",
        "entropy.template.c",
        "NAME(select)(moved, f * total, tile->sum[r])",
        "NAME(select)(moved, f * tile->sum[r], tile->sum[r])",
        "kernels",
    ),
    Mutant(
        "covariance about the origin",
        "hessian.template.c",
        "slopes[k * PANEL + j] - mean[k]",
        "slopes[k * PANEL + j] - 0 * mean[k]",
        "polynomial",
    ),
    Mutant(
        "blocks of variables start over",
        "deep.template.c",
        "if (start == 0)",
        "if (start >= 0)",
        "kernels",
    ),
    Mutant(
        "argmax of another block of monomials",
        "tiles.template.c",
        "|| j + ROWS >= n))\n            NAME(raise)(tile, top, first + (INT)(j / BLOCK));",
        "|| j + ROWS >= n))\n            NAME(raise)(tile, top, first);",
        "kernels",
    ),
    Mutant(
        "the last column of an edge is left",
        "matmul.template.c",
        "for (size_t l = 0; l < columns; ++l)\n                to[l] = sign * from[l] + LITERAL(0.0);",
        "for (size_t l = 0; l + 1 < columns; ++l)\n                to[l] = sign * from[l] + LITERAL(0.0);",
        "matrix",
    ),
    Mutant(
        "argmax of a later block",
        "matmul.template.c",
        "here = (IVEC){0} + (first + (INT)k)",
        "here = (IVEC){0} + (INT)k",
        "matrix",
    ),
    Mutant(
        "paths avoid the first node",
        "matmul.template.c",
        "for (size_t k = 0; k < n; ++k)\n        for (size_t i = 0",
        "for (size_t k = 1; k < n; ++k)\n        for (size_t i = 0",
        "closure",
    ),
    Mutant(
        "the envelope keeps too few",
        "envelope.template.c",
        ">= w * (xi - last[-1].x)",
        ">= 0.9 * w * (xi - last[-1].x)",
        "transform",
    ),
    Mutant(
        "the walk stops early",
        "envelope.template.c",
        "while (v[1].slope < p[j])",
        "while (v[1].slope < p[j] - 0.1)",
        "transform",
    ),
    Mutant(
        "twice as much is cut", "softmin.template.c", "s->eps * s->cut", "s->eps * s->cut * 0.5", "transform"
    ),
]


def is_caught(mutant: Mutant, folder: Path) -> bool:
    source, target = folder / "source", folder / "installed"
    source.mkdir()
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    path = source / "csrc" / mutant.file
    text = path.read_text()
    if text.count(mutant.old) != 1:
        raise SystemExit(
            f"{mutant.what}: {mutant.old!r} stands {text.count(mutant.old)} times in {mutant.file}"
        )
    path.write_text(text.replace(mutant.old, mutant.new))
    build = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(target),
        str(source),
    ]
    subprocess.run(build, check=True)
    pytest = [str(Path(sys.executable).with_name("pytest")), "-x", "-m", "not slow"]
    environment = os.environ | {"PYTHONPATH": str(target)}
    tests = ROOT / "tests" / "tropical" / f"test_{mutant.tests}.py"
    run = subprocess.run([*pytest, str(tests)], capture_output=True, text=True, env=environment)
    if run.returncode > 1:  # pytest could not run them
        raise SystemExit(run.stdout)
    return run.returncode != 0  # a failed test, or a crash


def main() -> int:
    missed = 0
    for mutant in MUTANTS:
        with tempfile.TemporaryDirectory() as folder:
            caught = is_caught(mutant, Path(folder))
        missed += not caught
        print(f"{'caught' if caught else 'MISSED'}  {mutant.file}: {mutant.what}", flush=True)
    print(f"{len(MUTANTS) - missed} passed, {missed} failed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
