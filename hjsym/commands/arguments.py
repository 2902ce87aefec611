"""Arguments that commands share."""

import argparse
from collections.abc import Callable
from pathlib import Path

try:
    from shtab import DIRECTORY, FILE  # for `hjsym completion`
except ImportError:
    DIRECTORY = FILE = None

__all__ = [
    "DIRECTORY",
    "FILE",
    "add_command",
    "add_figures",
    "add_latex",
    "add_model",
    "add_point",
    "add_temperature",
    "numbers",
    "points_asked",
]


def add_command(commands, name: str, run: Callable, summary: str, *examples: str) -> argparse.ArgumentParser:
    """A command with its help, examples that run from the root of the project, and ``--json``."""
    parser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog="\n".join(["examples:", *(f"  {example}" for example in examples)]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    parser.set_defaults(run=run)
    return parser


def add_model(parser: argparse.ArgumentParser, what: str = "network") -> None:
    """The file of a model, read by `hjsym.load`."""
    model = parser.add_argument(
        "model",
        type=Path,
        help=f"file of a {what}: .onnx, .json or .npz (saved networks, log-sum-exp layers), .json beside .safetensors",
    )
    model.complete = FILE


def add_point(parser: argparse.ArgumentParser) -> None:
    """Which points are looked at; see `points_asked`."""
    parser.add_argument(
        "--point", type=int, default=0, metavar="K", help="number of the point looked at closely (default 0)"
    )
    others = parser.add_mutually_exclusive_group()
    file = others.add_argument(
        "--input",
        type=Path,
        metavar="FILE",
        help=".npy or .csv file with a point in each row, instead of the data the model names",
    )
    file.complete = FILE
    others.add_argument(
        "--at", metavar="X", help="coordinates of one point, as --at=0.1,-2, instead of stored ones"
    )


def points_asked(options: argparse.Namespace):
    """What `add_point` was given."""
    from hjsym.reports.examples import Asked

    return Asked(options.point, options.input, options.at)


def add_figures(parser: argparse.ArgumentParser) -> None:
    """Where pictures go."""
    folder = parser.add_argument(
        "--figures", type=Path, metavar="DIR", help="write pictures (PNG) to this folder"
    )
    folder.complete = DIRECTORY


def add_latex(parser: argparse.ArgumentParser) -> None:
    """Whether formulas are printed in LaTeX too."""
    parser.add_argument("--latex", action="store_true", help="print equations in LaTeX too")


def numbers(kind: type, count: int | None = None) -> Callable[[str], tuple]:
    """A type of arguments: numbers with commas between them, as many as `count` says."""

    def read(text: str) -> tuple:
        try:
            values = tuple(kind(v) for v in text.split(","))
        except ValueError:
            values = ()
        if not values or any(v != v for v in values) or (count is not None and len(values) != count):
            wanted = "" if count is None else f"{count} "
            raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}numbers with commas between them")
        return values

    return read


def add_temperature(parser: argparse.ArgumentParser) -> None:
    """Another ε than that of the model."""
    parser.add_argument(
        "--eps",
        type=float,
        metavar="E",
        help="temperature ε (default: that of the model, 0 of ReLU networks)",
    )
