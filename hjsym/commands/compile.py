"""`hjsym compile`: a piecewise-linear network as a tropical rational function."""

from hjsym.commands.arguments import add_command, add_figures, add_model, add_point, points_asked

__all__ = ["add", "run"]


def add(commands) -> None:
    parser = add_command(
        commands,
        "compile",
        run,
        "turn a piecewise-linear network into P ⊘ Q and check it",
        "hjsym compile examples/models/digits-relu.onnx --point 3",
    )
    add_model(parser)
    add_point(parser)
    parser.add_argument(
        "--exact-points",
        type=int,
        default=10,
        metavar="N",
        help="points checked in rational arithmetic (default 10)",
    )
    add_figures(parser)


def run(options):
    from hjsym.reports.compiled import compile_report

    return compile_report(options.model, points_asked(options), options.exact_points, options.figures)
