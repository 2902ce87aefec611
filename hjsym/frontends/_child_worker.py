"""The child process of `hjsym.frontends.child`, run as a script: limits first, then onnx, then the data.

Arguments: the task, bytes of address space, seconds of the processor. Data come on stdin, the result goes to stdout.
Exit codes: 0 done, 3 out of memory, 4 refused with the reason on stderr.
"""

import io
import math
import sys


def limit(memory: int, seconds: float) -> None:
    """Set the limits of this process; where the system has none, the parent's clock is the only one."""
    try:
        import resource
    except ImportError:
        return
    wanted = {"AS": memory, "CPU": math.ceil(seconds), "CORE": 0, "FSIZE": 0}
    for name, value in wanted.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, hard))


def parse(data: bytes) -> bytes:
    """Nothing, if the parser gets through."""
    _model(data)
    return b""


def check(data: bytes) -> bytes:
    """Nothing, if the full check of onnx, with shape inference, finds no fault."""
    import onnx

    onnx.checker.check_model(_model(data), full_check=True)
    return b""


def evaluate(data: bytes) -> bytes:
    """The first output of ONNX's reference evaluator: an .npy of points, then the model; an .npy comes back."""
    import numpy as np
    from onnx.reference import ReferenceEvaluator

    stream = io.BytesIO(data)
    points = np.load(stream, allow_pickle=False)
    model = _model(stream.read())
    result = ReferenceEvaluator(model).run(None, {model.graph.input[0].name: points})[0]
    out = io.BytesIO()
    np.save(out, np.asarray(result), allow_pickle=False)
    return out.getvalue()


def _model(data: bytes):
    import onnx

    return onnx.load_model_from_string(data)


def main() -> int:
    task, memory, seconds = sys.argv[1:]
    limit(int(memory), float(seconds))
    try:
        result = {"parse": parse, "check": check, "evaluate": evaluate}[task](sys.stdin.buffer.read())
    except MemoryError:
        return 3
    except RecursionError:
        print("it is nested too deeply", file=sys.stderr)
        return 4
    except Exception as error:  # whatever onnx says of the data is the answer
        if "bad_alloc" in str(error) or "alloc failed" in str(error):
            return 3
        print(f"{type(error).__name__}: {' '.join(str(error).split())}", file=sys.stderr)
        return 4
    sys.stdout.buffer.write(result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
