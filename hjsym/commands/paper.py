"""`hjsym paper`: the experiments of arXiv:2605.28983, with a report in HTML."""

from pathlib import Path

from hjsym.commands.arguments import DIRECTORY, add_command

__all__ = ["add", "run"]


def add(commands) -> None:
    parser = add_command(
        commands,
        "paper",
        run,
        "reproduce the experiments of arXiv:2605.28983 and write an HTML report",
        "hjsym paper --out examples/output/paper --only softplus-relu --fast",
    )
    folder = parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder of the report; finished rows are kept in it",
    )
    folder.complete = DIRECTORY
    parser.add_argument(
        "--only", action="append", metavar="ROW", help="run this row; may be repeated (default: all)"
    )
    parser.add_argument(
        "--fast", action="store_true", help="smaller sweeps: about a minute instead of ten or more"
    )
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (default 1)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of all that is random (default 0)")


def run(options):
    from hjsym.paper.command import run

    return run(options.out, options.only, options.fast, options.jobs, options.seed)
