"""Checks the wheel as those get it who have nothing else, and the sdist it comes from.

    make test-wheel     # what both hold, the stable ABI, and the wheel alone in a new environment
    make test-oldest    # the wheel beside the lowest versions of what it needs that pyproject.toml admits

A new environment holds the wheel and its run-time dependencies; in it, and in a folder of its own, every public name
has to be found without an extra, the selftest has to pass, and then so have some of the tests.
"""

import os
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import venv
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).resolve().parents[1]
FEW_TESTS = ["tests/tropical/test_polynomial.py", "tests/hjsym/test_hopf.py"]
TESTS = [f"tests/tropical/test_{name}.py" for name in ("polynomial", "matrix", "regions")]
TESTS += [f"tests/hjsym/test_{name}.py" for name in ("compile", "hopf", "network")]
TOOLS = ["pytest", "hypothesis", "onnx"]  # what those need
COMPILED = {"tropical/_core.abi3.so", "tropical/_regions.abi3.so"}
NOT_PACKED = ("*.pyc", "*.so")
ONLY_COMPILED_FROM = ("*.pyx", "*.pxi")  # in the sdist, not in the wheel

NEEDED = {"hjsym", "numpy", "scipy", "sympy", "networkx", "mpmath"}

PUBLIC_NAMES = f"""
import importlib.metadata
for package in map(importlib.import_module, ["tropical", "hjsym"]):
    for name in package.__all__:
        try:
            getattr(package, name)
        except ImportError as error:
            assert "install hjsym[" in str(error), error
versions = {{d.name: d.version for d in importlib.metadata.distributions()}}
assert versions.keys() == {NEEDED}, versions
print(versions)
"""
# python-flint is no concern of ours here: SymPy takes it where it finds it
EXTRAS = """
import sys, tropical, hjsym
extras = {"onnx", "sklearn", "torch", "jax", "keras", "matplotlib", "safetensors"} & set(sys.modules)
assert not extras, f"importing pulls in {extras}"
"""


def files_below(*folders: str) -> set[str]:
    paths = (path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file())
    return {str(p.relative_to(ROOT)) for p in paths if not any(fnmatch(p.name, n) for n in NOT_PACKED)}


def names_in_wheel(wheel: Path) -> set[str]:
    with ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def names_in_sdist(sdist: Path) -> set[str]:
    with tarfile.open(sdist) as archive:
        return {member.name.partition("/")[2] for member in archive if member.isfile()}


def require_same(what: str, have: set[str], want: set[str]) -> None:
    if have != want:
        raise SystemExit(f"{what}: too many are {sorted(have - want)}, missing are {sorted(want - have)}")


def check_contents(wheel: Path, folder: Path) -> None:
    """The wheel, the sdist and a wheel from the sdist against the files of the checkout."""
    packages = files_below("tropical", "hjsym")
    expected = {name for name in packages if not any(fnmatch(name, n) for n in ONLY_COMPILED_FROM)} | COMPILED
    require_same("files of the wheel", names_in_wheel(wheel), expected)
    build = [sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)]
    # without optimisation, since only names are looked at
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL, env=os.environ | {"TROPICAL_DEBUG": "1"})
    (sdist,), (again,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    absent = packages | files_below("csrc") | {"pyproject.toml", "setup.py", "LICENSE"}
    absent -= names_in_sdist(sdist)
    require_same("files the sdist lacks", absent, set())
    require_same("files of a wheel from the sdist", names_in_wheel(again), expected)


def lowest_versions() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [dependency.replace(">=", "==") for dependency in project["dependencies"]]


def check_alone(wheel: Path, folder: Path, tests: list[str], versions: Sequence[str] = ()) -> None:
    """The wheel in a new environment, used from another folder."""
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-compile"]
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()

    def run(*arguments: str) -> None:
        subprocess.run([str(python), "-P", *arguments], check=True, cwd=elsewhere)

    subprocess.run([*pip, str(wheel), *versions], check=True)
    run("-W", "error", "-c", PUBLIC_NAMES)
    run("-m", "hjsym.selftest")
    subprocess.run([*pip, *TOOLS, *versions], check=True)
    run("-m", "pytest", "--hypothesis-profile=quick", "-m", "not slow", *(str(ROOT / name) for name in tests))


def check_that_extras_stay_out(folder: Path) -> None:
    """In this environment, which has some."""
    subprocess.run([sys.executable, "-P", "-c", EXTRAS], check=True, cwd=folder)


def main(wheel: Path, oldest: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not oldest:
            check_that_extras_stay_out(folder)
            check_contents(wheel, folder)
            subprocess.run(
                [sys.executable, "-m", "abi3audit", "--strict", "--summary", str(wheel)], check=True
            )
            check_alone(wheel, folder, FEW_TESTS)
        else:
            check_alone(wheel, folder, TESTS, lowest_versions())


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), "--oldest" in sys.argv[2:])
