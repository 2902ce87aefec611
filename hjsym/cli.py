"""The command `hjsym`: its parser, its exit codes, and where reports are printed.

Exit codes: 0 all is well, 1 a check failed, 2 bad input (one line on stderr), 130 interrupted.
"""

import argparse
import os
import re
import sys
from collections.abc import Sequence

from hjsym.commands import (
    compile,
    completion,
    conjugate,
    diagram,
    explain,
    inspect,
    page,
    paper,
    regions,
    selftest,
)

__all__ = ["main", "make_parser"]

_COMMANDS = (compile, inspect, regions, conjugate, diagram, explain, page, paper, selftest)


_OPTION = re.compile(r"-[ho]|--([a-z][a-z-]*(=.*)?)?", re.DOTALL)


def make_parser() -> argparse.ArgumentParser:
    """The parser of all commands; ``run`` of what it gives is the command's function."""
    parser = argparse.ArgumentParser(
        prog="hjsym",
        description="Neural networks as tropical and Hamilton–Jacobi algebra.",
        epilog="`hjsym COMMAND --help` says what a command takes, with an example.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add(commands)
    completion.add(commands, parser)
    return parser


def _with_values(arguments: Sequence[str]) -> list[str]:
    """Arguments in which -1,2 and -log(x) are values: a blank in front keeps argparse from taking them for options."""
    return [f" {a}" if a.startswith("-") and not _OPTION.fullmatch(a) else a for a in arguments]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = make_parser().parse_args(_with_values(sys.argv[1:] if arguments is None else arguments))
    try:
        return _finish(options.run(options), options)
    except KeyboardInterrupt:
        return _stop("interrupted", 130)
    except BrokenPipeError:  # whoever reads our output has seen enough
        with open(os.devnull, "w") as nothing:
            os.dup2(nothing.fileno(), sys.stdout.fileno())
        return 141
    except Exception as error:
        from tropical.errors import TropicalError

        if not isinstance(error, TropicalError | OSError):
            raise
        return _stop(str(error), 2)


def _stop(why: str, code: int) -> int:
    from hjsym._printable import printable

    print(f"hjsym: {printable(why)}", file=sys.stderr)
    return code


def _finish(report, options: argparse.Namespace) -> int:
    """Print a report; a command that has done so itself gives its exit code instead."""
    if isinstance(report, int):
        return report
    if hasattr(
        sys.stdout, "reconfigure"
    ):  # a Greek letter must not end in a traceback where there is no UTF-8
        sys.stdout.reconfigure(errors="replace")
    if options.json:
        from hjsym.reports.machine import as_json

        print(as_json(report, options.command))
    else:
        _print_for_people(report)
    sys.stdout.flush()
    return 0 if report.holds else 1


def _print_for_people(report) -> None:
    """By rich on a terminal that wants colours, else as plain text."""
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb":
        try:
            from rich.console import Console

            from hjsym.reports.pretty import show
        except ImportError:
            pass
        else:
            show(report, Console(highlight=False))
            return
    print(report)


if __name__ == "__main__":
    sys.exit(main())
