"""Builds tropical._core and tropical._regions from Cython and C; everything else is declared in pyproject.toml.

Environment switches, for developers; with any of them warnings are errors and memory can be made
to fail (csrc/memory.h):
    TROPICAL_SANITIZE=address,undefined   compile and link with these sanitizers
    TROPICAL_COVERAGE=1                   instrument the C for gcov, in build-coverage/
    TROPICAL_DEBUG=1                      no optimisation, debug symbols
"""

import os
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from glob import glob

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

PYTHON_ABI = "0x030B0000"  # CPython 3.11, the first whose limited API has the buffer protocol

sanitizers, coverage, debug = (os.environ.get(f"TROPICAL_{s}") for s in ("SANITIZE", "COVERAGE", "DEBUG"))

# -ffp-contract=off: the compiler adds no fused multiply-add of its own, so that max-plus results are
# the same on every instruction set.
compile_args = ["-std=c11", "-ffp-contract=off", "-fno-math-errno"]
# -Wno-sign-compare: Cython compares a size_t and a literal in max(1, n) as it finds them.
compile_args += ["-Wall", "-Wextra", "-Wno-sign-compare"]
compile_args += ["-Werror=implicit-function-declaration"]  # outside the limited API
link_args = ["-lm"]
if sanitizers or coverage or debug:
    # -DTP_APART: what else is inlined hundreds of times stays one function, which compiles five times as fast.
    compile_args += ["-Werror", "-g1" if sanitizers else "-g", "-DTP_FAULTS", "-DTP_APART"]
else:
    compile_args += ["-O3", "-g0"]
    link_args += ["-s"]
if sanitizers:
    # Among their checks the compiler no longer sees what is always set.
    compile_args += [f"-fsanitize={sanitizers}", "-fno-omit-frame-pointer", "-O1", "-Wno-maybe-uninitialized"]
    link_args += [f"-fsanitize={sanitizers}"]
if coverage:
    compile_args += ["--coverage", "-O0"]
    link_args += ["--coverage"]
if debug:
    compile_args += ["-O0"]


class BuildInParallel(build_ext):
    """Compiles the files of an extension side by side, which setuptools does for whole extensions only."""

    def finalize_options(self):
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()  # extensions

    def build_extensions(self):
        compile_files = self.compiler.compile

        def compile_side_by_side(sources, *args, **kwargs):
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                objects = pool.map(lambda source: compile_files([source], *args, **kwargs), sources)
                return [name for some in objects for name in some]

        self.compiler.compile = compile_side_by_side
        super().build_extensions()


# The limited API is the GIL's: a free-threaded Python before 3.15 has none, and gets a build of its own.
LIMITED = not sysconfig.get_config_var("Py_GIL_DISABLED")

# Apart from each other; gcov needs what the compiler leaves there.
build_base = "build-sanitize" if sanitizers else "build-coverage" if coverage else "build"

options = {
    "depends": glob("csrc/*.h") + glob("csrc/*.template.*") + glob("tropical/*.pxi"),
    "include_dirs": ["csrc"],
    "define_macros": [("Py_LIMITED_API", PYTHON_ABI), ("CYTHON_LIMITED_API", "1")] if LIMITED else [],
    "py_limited_api": LIMITED,
    "extra_compile_args": compile_args,
    "extra_link_args": link_args,
}
core = Extension(
    "tropical._core",
    # the slow ones first
    sources=["tropical/_core.pyx", *sorted(glob("csrc/kernels_*.c"), reverse=True), "csrc/dispatch.c"],
    **options,
)
regions = Extension("tropical._regions", sources=["tropical/_regions.pyx"], **options)

setup(
    cmdclass={"build_ext": BuildInParallel},
    ext_modules=cythonize([core, regions], build_dir="build/cython", language_level=3),
    options={
        "bdist_wheel": {"py_limited_api": "cp311"} if LIMITED else {},
        "build": {"build_base": build_base},
    },
)
