"""`hjsym inspect`: the Hamilton–Jacobi equation that a model solves."""

from hjsym.commands.arguments import add_command, add_figures, add_model, add_point, points_asked

__all__ = ["add", "run"]


def add(commands) -> None:
    parser = add_command(
        commands,
        "inspect",
        run,
        "read a model as a Hamilton–Jacobi equation",
        "hjsym inspect examples/models/digits-lse.npz --time 0.5",
    )
    add_model(parser, "log-sum-exp layer or network")
    add_point(parser)
    parser.add_argument(
        "--time", type=float, default=1.0, metavar="T", help="time of the kernel gauge (default 1)"
    )
    add_figures(parser)


def run(options):
    from hjsym.reports.layer import layer_report
    from hjsym.reports.model import Model

    return layer_report(Model.read(options.model), points_asked(options), options.time, options.figures)
