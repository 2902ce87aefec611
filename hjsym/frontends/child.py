"""Work on untrusted bytes in a child process, which may crash, run out of memory or never end.

The parser of ONNX, its checker, its shape inference and its reference evaluator are not ours, and partly C++. A crash
or an endless loop in them ends the child alone, and is one error here. The child has limits on its address space, on
its time and on files, of which it may write none. It is no sandbox: code that takes it over can do what this user can.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

from hjsym.errors import ModelFileError
from hjsym.frontends.limits import Limits

__all__ = ["in_child"]

_WORKER = Path(__file__).with_name("_child_worker.py")


def in_child(task: str, data: bytes, limits: Limits, what: str) -> bytes:
    """What a task of the worker makes of `data`.

    Raises
    ------
    ModelFileError
        The task refused the data, with its reason; or the child crashed, or ran out of memory or time.
    """
    command = [sys.executable, "-P", str(_WORKER), task, str(limits.memory), str(limits.seconds)]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "OPENBLAS_NUM_THREADS": "1",
    }
    try:
        done = subprocess.run(
            command, input=data, capture_output=True, timeout=limits.seconds, env=environment, check=False
        )
    except subprocess.TimeoutExpired:
        raise ModelFileError(
            f"{what} took more than {limits.seconds:g} s in {task}; if you trust the file, raise the limit of seconds"
        ) from None
    if done.returncode == 0:
        return done.stdout
    raise ModelFileError(f"{what}: {_failure(done, limits, task)}")


def _failure(done: subprocess.CompletedProcess, limits: Limits, task: str) -> str:
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode < 0:
        number = -done.returncode
        name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
        if name == "SIGXCPU":
            return f"{task} took more than {limits.seconds:g} s; if you trust the file, raise the limit of seconds"
        return f"{task} crashed ({name}) in a child process; the file is damaged or hostile"
    if done.returncode == 3:
        return f"{task} needs more than {limits.memory:,} bytes; if you trust the file, raise the limit of memory"
    if done.returncode == 4:
        return said
    return f"{task} failed in a child process: {said.splitlines()[-1] if said else 'nothing said'}"
