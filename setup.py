"""Builds tropical._core and tropical._regions from Cython and C; everything else is declared in pyproject.toml.

Environment switches, for developers:
    TROPICAL_SANITIZE=address,undefined   compile and link with these sanitizers
    TROPICAL_COVERAGE=1                   instrument the C for gcov
    TROPICAL_DEBUG=1                      no optimisation, debug symbols, warnings are errors
"""

import os
from glob import glob

from Cython.Build import cythonize
from setuptools import Extension, setup

PYTHON_ABI = "0x030B0000"  # CPython 3.11, the first whose limited API has the buffer protocol

# -ffp-contract=off: the compiler adds no fused multiply-add of its own, so that max-plus results are
# the same on every instruction set.
compile_args = ["-std=c11", "-ffp-contract=off", "-fno-math-errno"]
compile_args += ["-Werror=implicit-function-declaration"]  # outside the limited API
link_args = ["-lm"]
sanitizers = os.environ.get("TROPICAL_SANITIZE")
if os.environ.get("TROPICAL_DEBUG"):
    compile_args += ["-O0", "-g", "-Wall", "-Wextra", "-Werror"]
else:
    compile_args += ["-O3", "-g0"]
    link_args += ["-s"]
if sanitizers:
    compile_args += [f"-fsanitize={sanitizers}", "-fno-omit-frame-pointer", "-g", "-O1"]
    link_args = [f"-fsanitize={sanitizers}", "-lm"]
if os.environ.get("TROPICAL_COVERAGE"):
    compile_args += ["--coverage", "-O0"]
    link_args += ["--coverage"]

options = {
    "depends": glob("csrc/*.h") + glob("csrc/*.template.*") + glob("tropical/*.pxi"),
    "include_dirs": ["csrc"],
    "define_macros": [("Py_LIMITED_API", PYTHON_ABI), ("CYTHON_LIMITED_API", "1")],
    "py_limited_api": True,
    "extra_compile_args": compile_args,
    "extra_link_args": link_args,
}
core = Extension(
    "tropical._core",
    sources=["tropical/_core.pyx", *sorted(glob("csrc/dispatch.c") + glob("csrc/kernels_*.c"))],
    **options,
)
regions = Extension("tropical._regions", sources=["tropical/_regions.pyx"], **options)

setup(
    ext_modules=cythonize([core, regions], build_dir="build/cython", language_level=3),
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
