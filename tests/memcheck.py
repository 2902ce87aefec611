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


def main(subset: str) -> int:
    if not (valgrind := shutil.which("valgrind")):
        raise SystemExit("valgrind is not installed; install the package of that name")
    pytest = [sys.executable, str(Path(sys.executable).with_name("pytest")), "-p", "no:cacheprovider"]
    # so that every block of Python's is one that valgrind watches
    environment = os.environ | {"PYTHONMALLOC": "malloc", "OPENBLAS_NUM_THREADS": "1"}
    listing = [*pytest, "--collect-only", TESTS, "-k", subset]
    listed = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True)
    tests = [line for line in listed.stdout.splitlines() if line.startswith(TESTS)]
    if not tests:
        raise SystemExit(f"no test of {TESTS} is called {subset!r}\n{listed.stdout}")
    processes = min(os.cpu_count(), len(tests))
    shares = [tests[k::processes] for k in range(processes)]
    with tempfile.TemporaryDirectory() as folder:
        logs = [Path(folder, f"errors{k}.xml") for k in range(len(shares))]
        watched = [valgrind, "--quiet", "--num-callers=40", "--leak-check=full", "--show-leak-kinds=definite"]
        runs = [
            subprocess.Popen(
                [*watched, "--xml=yes", f"--xml-file={log}", *pytest, *share], cwd=ROOT, env=environment
            )
            for log, share in zip(logs, shares, strict=True)
        ]
        if any([run.wait() for run in runs]):
            raise SystemExit("the tests failed under valgrind")
        errors = [error for log in logs for error in errors_in(log)]
    print(*errors, f"valgrind: {len(errors)} errors in the compiled core", sep="\n")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main(" ".join(sys.argv[1:])))
