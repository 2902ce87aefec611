"""Runs the kernels at every size under valgrind, and reports what it finds wrong in the compiled core.

    make valgrind                      # all of test_sizes.py
    make valgrind SUBSET="hessian"     # what pytest -k selects of it

Errors within CPython and its loader are no concern of ours. A number that the core has left unset is noticed where
NumPy first looks at it, so that unset values count there too. Valgrind knows AVX2 and nothing later, and hides it
from the program. The tests are dealt out to one process for each processor.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from itertools import takewhile
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[1]
TESTS = "tests/tropical/test_sizes.py"
CORE, NUMPY = "tropical/_core", "_multiarray_umath"


def is_ours(error: ElementTree.Element) -> bool:
    # What an import that the core asks for does, of NumPy say, is that of the interpreter.
    frames = takewhile(lambda f: not f.findtext("fn", "").startswith("PyImport_Import"), error.iter("frame"))
    objects = [frame.findtext("obj", "") for frame in frames]
    looked_at = NUMPY if error.findtext("kind", "").startswith("Uninit") else CORE
    return any(CORE in name or looked_at in name for name in objects)


def described(error: ElementTree.Element) -> str:
    what = error.findtext("what") or error.findtext("xwhat/text")
    frames = error.find("stack").iter("frame")
    lines = [f"    {frame.findtext('fn', '?')} ({frame.findtext('obj')})" for frame in frames]
    return "\n".join([f"{error.findtext('kind')}: {what}", *lines])


def errors_in(log: Path) -> list[str]:
    errors = []
    for _, element in ElementTree.iterparse(log):  # not all at once: there are many of CPython
        if element.tag == "error":
            errors += [described(element)] if is_ours(element) else []
            element.clear()
    return errors


class Share:
    """Every n-th of the selected tests, for one of n processes."""

    def __init__(self, first: int, processes: int):
        self.own = slice(first, None, processes)

    @pytest.hookimpl(trylast=True)  # after -k
    def pytest_collection_modifyitems(self, items):
        items[:] = items[self.own]


def run_share(subset: str, first: int, processes: int) -> int:
    done = pytest.main(["-p", "no:cacheprovider", TESTS, "-k", subset], plugins=[Share(first, processes)])
    return 0 if first and done == pytest.ExitCode.NO_TESTS_COLLECTED else done


def main(subset: str) -> int:
    if not (valgrind := shutil.which("valgrind")):
        raise SystemExit("valgrind is not installed; install the package of that name")
    # so that every block of Python's is one that valgrind watches
    environment = os.environ | {"PYTHONMALLOC": "malloc", "OPENBLAS_NUM_THREADS": "1"}
    watched = [valgrind, "--quiet", "--num-callers=40", "--leak-check=full"]
    watched += ["--show-leak-kinds=definite", "--xml=yes"]
    processes = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        logs = [Path(folder, f"errors{k}.xml") for k in range(processes)]
        shares = [
            [sys.executable, "-P", __file__, "--share", str(k), str(processes), subset]
            for k in range(processes)
        ]
        runs = [
            subprocess.Popen([*watched, f"--xml-file={log}", *share], cwd=ROOT, env=environment)
            for log, share in zip(logs, shares, strict=True)
        ]
        if any([run.wait() for run in runs]):
            raise SystemExit("the tests failed under valgrind")
        errors = [error for log in logs for error in errors_in(log)]
    print(*errors, f"valgrind: {len(errors)} errors in the compiled core", sep="\n")
    return 1 if errors else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--share"]:
        sys.exit(run_share(sys.argv[4], int(sys.argv[2]), int(sys.argv[3])))
    sys.exit(main(" ".join(sys.argv[1:])))
