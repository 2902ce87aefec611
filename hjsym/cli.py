"""The command `hjsym`.

Exit codes: 0 all is well, 1 a check failed, 2 bad input (one line on stderr).
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tropical.errors import TropicalError

__all__ = ["main"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hjsym", description="Neural networks as tropical and Hamilton–Jacobi algebra."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    compile_ = commands.add_parser(
        "compile",
        help="turn a piecewise-linear network into P ⊘ Q and check it",
        epilog="example: hjsym compile examples/models/digits-relu.onnx --point 3",
    )
    compile_.add_argument(
        "--exact-points",
        type=int,
        default=10,
        metavar="N",
        help="points checked in rational arithmetic (default 10)",
    )
    inspect = commands.add_parser(
        "inspect",
        help="read a log-sum-exp layer as a Hamilton–Jacobi equation",
        epilog="example: hjsym inspect examples/models/digits-lse.npz --time 0.5",
    )
    inspect.add_argument(
        "--time", type=float, default=1.0, metavar="T", help="time of the kernel gauge (default 1)"
    )
    _add_paper(commands)
    for command in (compile_, inspect):
        command.add_argument("model", type=Path, help=".onnx file, or .npz file of a log-sum-exp layer")
        command.add_argument(
            "--point", type=int, default=0, metavar="K", help="the point looked at closely (default 0)"
        )
        command.add_argument(
            "--figures", type=Path, metavar="DIR", help="write pictures (PNG) to this folder"
        )
    return parser


def _add_paper(commands) -> None:
    paper = commands.add_parser(
        "paper",
        help="reproduce the experiments of arXiv:2605.28983 and write an HTML report",
        epilog="example: hjsym paper --out reproduction --fast",
    )
    paper.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder of the report; finished rows are kept in it",
    )
    paper.add_argument(
        "--only", action="append", metavar="ROW", help="run this row; may be repeated (default: all)"
    )
    paper.add_argument(
        "--fast", action="store_true", help="smaller sweeps: about a minute instead of ten or more"
    )
    paper.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (default 1)")
    paper.add_argument("--seed", type=int, default=0, metavar="S", help="of all that is random (default 0)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        # Imported here so that --help and usage errors answer at once.
        if options.command == "paper":
            from hjsym.paper import command

            return command.run(options.out, options.only, options.fast, options.jobs, options.seed)
        from hjsym.report import compile_report, inspect_report

        if options.command == "compile":
            report = compile_report(options.model, options.point, options.exact_points, options.figures)
        else:
            report = inspect_report(options.model, options.point, options.time, options.figures)
    except (TropicalError, OSError) as error:
        print(f"hjsym: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("hjsym: interrupted", file=sys.stderr)
        return 130
    print(report)
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
