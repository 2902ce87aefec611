"""Breaks the compiled core on purpose, one kernel after another, and checks that the tests notice.

    make mutants                            # all; tens of minutes
    make mutants SOME="softmin entropy"     # with such a word in their file or description
    make mutants SOME="--sample 3"          # some, at random

Each mutant is a copy of the sources with one piece of text replaced, built into a folder of its own and put in
front of the installed package. It counts as caught if the tests named beside it fail. A mutant must compile without
a warning, such as that of a variable without use.
"""

import argparse
import os
import random
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
        "a third ray on an edge is overlooked",
        "cells.h",
        "if (k == words && r != i && r != j)",
        "if (0)",
        "regions_kernel",
    ),
    Mutant(
        "values of rays are left as they were before their doubles changed",
        "search.h",
        "tp_measure_on(s, form, cell->rays[r], r);\n        t->signs[r] = sign;",
        "t->signs[r] = sign;",
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
        "log_total - NAME(lane_sum)(s->moment)",
        "log_total - 0 * NAME(lane_sum)(s->moment)",
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
        "points at infinity stay as they were",
        "layer.template.c",
        "if (checks[i] != 0)",
        "if (checks[i] > 0)",
        "polynomial_map",
    ),
    Mutant(
        "monomials of the polynomial before",
        "layer.template.c",
        "z + ((size_t)l->first[q] - begin) * TILE",
        "z + ((size_t)l->first[q] - begin) / 2 * TILE",
        "polynomial_map",
    ),
    Mutant(
        "a panel ends where its first polynomial does",
        "layer.template.c",
        "l->first[s] < begin + PANEL)\n        ++s;",
        "l->first[s] < begin + PANEL / 2)\n        ++s;",
        "polynomial_map",
    ),
    Mutant(
        "few points have the terms of their neighbours",
        "layer.template.c",
        "j < (size_t)l->terms[q] ?",
        "j <= (size_t)l->terms[q] && j < 48 ?",
        "polynomial_map",
    ),
    Mutant(
        "small terms vanish beside 1",
        "gate.template.c",
        "logs[r] + (sum[r] - (total[r] - SPLAT(1))) / total[r]",
        "logs[r] + 0 * (sum[r] - (total[r] - SPLAT(1))) / total[r]",
        "semiring",
    ),
    Mutant(
        "NaN only where all branches have it",
        "gate.template.c",
        "spoiled[r] |= (IVEC)(v[r] != v[r])",
        "spoiled[r] &= (IVEC)(v[r] != v[r])",
        "semiring",
    ),
    Mutant(
        "equal branches count once",
        "gate.template.c",
        "ties[r] += NAME(select)((IVEC)(gap[r] == SPLAT(0)), SPLAT(1), SPLAT(0));",
        "ties[r] = NAME(select)((IVEC)(gap[r] == SPLAT(0)), SPLAT(1), ties[r]);",
        "semiring",
    ),
    Mutant(
        "rows of a gate share the first row of a branch",
        "gate.template.c",
        "(ptrdiff_t)i * g->strides[k] + j",
        "0 * (ptrdiff_t)i * g->strides[k] + j",
        "semiring",
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
        "if (start < d)",
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
        "for (size_t e = 0; e < columns; ++e) {",
        "for (size_t e = 0; e + 1 < columns; ++e) {",
        "matrix",
    ),
    Mutant(
        "argmax of a later block",
        "product.template.h",
        "here = (IVEC){0} + (o->first + (INT)k)",
        "here = (IVEC){0} + (INT)k",
        "matrix",
    ),
    Mutant(
        "a row begins anew with each four rows of B",
        "matmul.template.c",
        "VEC t = k ? NAME(load)(c + j) :",
        "VEC t = 0 ? NAME(load)(c + j) :",
        "matrix",
    ),
    Mutant(
        "the end of a column is left",
        "matmul.template.c",
        "for (; k < m->inner; ++k) {\n            const TYPE sum = a[k] + b[k];",
        "for (; k + 1 < m->inner; ++k) {\n            const TYPE sum = a[k] + b[k];",
        "matrix",
    ),
    Mutant(
        "entries in doubt stay",
        "log_matmul.template.c",
        "doubtful |= (IVEC)(s < safe)",
        "doubtful |= (IVEC)(s < 0 * safe)",
        "matrix",
    ),
    Mutant(
        "scaled sums begin anew with each block",
        "log_matmul.template.c",
        ".c = p->sums, .c_stride = width, .fresh = first == 0,",
        ".c = p->sums, .c_stride = width, .fresh = 1,",
        "matrix",
    ),
    Mutant(
        "bare messages have their emissions",
        "chain.template.c",
        "NAME(store)(message + i, c->bare ? v : y)",
        "NAME(store)(message + i, y)",
        "chain",
    ),
    Mutant("ties go to the last state", "chain.template.c", "if (sum > best)", "if (sum >= best)", "chain"),
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
        "neighbours at the same height are dropped",
        "envelope.template.c",
        "(before - after >= SPLAT(2 * w))",
        "(before - after >= SPLAT(0 * w))",
        "transform",
    ),
    Mutant(
        "more is sifted out than is beyond doubt",
        "envelope.template.c",
        "(before - after) - cost > rounding",
        "(before - after) - 0.9 * cost > rounding",
        "transform",
    ),
    Mutant(
        "the last point is sifted out",
        "envelope.template.c",
        " | (place == end)",
        " | (place == end - 1)",
        "transform",
    ),
    Mutant(
        "the walk stops early",
        "walk.template.c",
        "while (v[1].slope < (legendre ? at :",
        "while (v[1].slope < (legendre ? at - 0.1 :",
        "transform",
    ),
    Mutant("a vertex reaches too far", "walk.template.c", "(reach >= (double)whole)", "1", "transform"),
    Mutant(
        "leaps pass over a result",
        "walk.template.c",
        "v += won < LANES",
        "v += won <= LANES",
        "transform",
    ),
    Mutant(
        "twice as much is cut", "softmin.template.c", "s->eps * s->cut", "s->eps * s->cut * 0.5", "transform"
    ),
    Mutant(
        "the table of the kernel is shifted",
        "softmin.template.c",
        "((double)d * (double)d)) / eps)",
        "((double)d * (double)(d + 1))) / eps)",
        "sizes",
    ),
    Mutant(
        "products that underflow are kept",
        "log_matmul.template.c",
        "p.safe = (TYPE)m->inner * SAFE",
        "p.safe = 0 * (TYPE)m->inner * SAFE",
        "matrix",
    ),
    Mutant(
        "a path prefers the last of equals",
        "chain.template.c",
        "if (sum > best)",
        "if (sum >= best)",
        "chain",
    ),
    Mutant(
        "lines far away are forgotten",
        "softmin.template.c",
        "sqrt((bound - s->least) / s->w) + 1",
        "0.3 * sqrt((bound - s->least) / s->w) + 1",
        "transform",
    ),
    Mutant(
        "the last lines of a block are left",
        "lines.template.c",
        "MOVE(T, b.lines) ",
        "MOVE(T, b.lines - 1) ",
        "sizes",
    ),
    Mutant(
        "winners lie as their lines do",
        "lines.template.c",
        "t->winners[b.base_to + j * t->inner + l]",
        "t->winners[b.base_to + l * t->results + j]",
        "sizes",
    ),
    Mutant(
        "weights do not add up to 1",
        "rows.template.c",
        "z[j] * inverse_total",
        "z[j] * (inverse_total > 0)",
        "sizes",
    ),
    Mutant(
        "a gradient of the first panel alone",
        "rows.template.c",
        "gradient[k] = factor * gradient[k] +",
        "gradient[k] = (panel ? gradient[k] : 0) + (panel ? 0 : factor) *",
        "sizes",
    ),
    Mutant(
        "a sum with a NaN is a number",
        "rows.template.c",
        "nan |= from[j] != from[j]",
        "nan |= from[j] > INFINITY",
        "special_values",
    ),
    Mutant(
        "ties count once",
        "entropy.template.c",
        "ties[r] += NAME(select)((IVEC)(gap[r] == SPLAT(0)), SPLAT(1), SPLAT(0));",
        "ties[r] = NAME(select)((IVEC)(gap[r] == SPLAT(0)), SPLAT(1), ties[r]);",
        "sizes",
    ),
    Mutant(
        "second derivatives change sign",
        "hessian.template.c",
        "const TYPE scale = (TYPE)p->sign / total;",
        "const TYPE scale = 1 / total;",
        "sizes",
    ),
    Mutant(
        "the last variable of a block is left",
        "deep.template.c",
        "d - start < deepest ? d - start : deepest",
        "d - start < deepest ? d - start - 1 : deepest",
        "sizes",
    ),
    Mutant(
        "a product starts from what was there",
        "matmul.template.c",
        "fresh = !m->accumulate && first == 0",
        "fresh = m->accumulate && first == 0",
        "sizes",
    ),
    Mutant(
        "scratch of products is not given back",
        "tropical/_matrices.pxi",
        "PyMem_Free(scratch)\n    return may_have_nan",
        "pass\n    return may_have_nan",
        "memory",
    ),
    Mutant(
        "no memory is no error",
        "tropical/_core.pyx",
        'raise MemoryError(f"no memory for {count * size} bytes',
        'raise ValueError(f"no memory for {count * size} bytes',
        "memory",
    ),
    Mutant(
        "the last of the slopes start a vector too early",
        "sparse.template.c",
        "width - c - LANES);",
        "width - c - LANES - (2 * LANES > width - c && width - c > LANES));",
        "sizes",
    ),
    Mutant(
        "the rows of all points are added up",
        "sparse.template.c",
        "+ point * s->columns * width",
        "+ 0 * point * s->columns * width",
        "sparse",
    ),
    Mutant(
        "the last slice is nobody's",
        "tropical/_threads.py",
        "iter(range(0, total, step))",
        "iter(range(0, total - step, step))",
        "threads",
    ),
    Mutant(
        "half a block is out of reach",
        "softmin.template.c",
        "if (to >= (double)i + half)",
        "if (to >= (double)i + 2 * half)",
        "transform",
    ),
    Mutant(
        "factors beyond the range of doubles",
        "softmin.template.c",
        "height <= RANGE * s->eps",
        "height <= 10 * RANGE * s->eps",
        "transform",
    ),
]


def chosen(words: list[str], sample: int | None) -> list[Mutant]:
    """Those that have one of the words in their file or description; all without words."""
    mutants = [m for m in MUTANTS if not words or any(word in f"{m.file}: {m.what}" for word in words)]
    return mutants if sample is None else random.sample(mutants, min(sample, len(mutants)))


def mutated(mutant: Mutant, source: Path) -> tuple[Path, str]:
    """A file of the source and what it becomes."""
    path = source / ("" if "/" in mutant.file else "csrc") / mutant.file
    text = path.read_text()
    if text.count(mutant.old) != 1:
        raise SystemExit(
            f"{mutant.what}: {mutant.old!r} stands {text.count(mutant.old)} times in {mutant.file}"
        )
    return path, text.replace(mutant.old, mutant.new)


def is_caught(mutant: Mutant, folder: Path) -> bool:
    source, target = folder / "source", folder / "installed"
    source.mkdir()
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    path, text = mutated(mutant, source)
    path.write_text(text)
    pip = [
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
    subprocess.run(pip, check=True, env=os.environ | {"TROPICAL_DEBUG": "1"})  # compiles four times as fast
    pytest = [str(Path(sys.executable).with_name("pytest")), "-x", "-m", "not slow"]
    environment = os.environ | {"PYTHONPATH": str(target)}
    tests = ROOT / "tests" / "tropical" / f"test_{mutant.tests}.py"
    run = subprocess.run([*pytest, str(tests)], capture_output=True, text=True, env=environment)
    if run.returncode > 1:  # pytest could not run them
        raise SystemExit(run.stdout)
    return run.returncode != 0  # a failed test, or a crash


def main() -> int:
    parser = argparse.ArgumentParser(description="Breaks the kernels on purpose; the tests have to notice.")
    parser.add_argument("words", nargs="*", help="only mutants with such a word in their file or description")
    parser.add_argument("--sample", type=int, help="only so many of them, at random")
    arguments = parser.parse_args()
    mutants, missed = chosen(arguments.words, arguments.sample), 0
    for mutant in mutants:
        mutated(mutant, ROOT)  # before any work starts
    for mutant in mutants:
        with tempfile.TemporaryDirectory() as folder:
            try:
                fate = "caught" if is_caught(mutant, Path(folder)) else "MISSED"
            except subprocess.CalledProcessError:
                fate = "does not compile:"  # and shows nothing
        missed += fate != "caught"
        print(f"{fate}  {mutant.file}: {mutant.what}", flush=True)
    print(f"{len(mutants) - missed} passed, {missed} failed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
