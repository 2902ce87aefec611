"""`hjsym diagram`: the commutative square of a log-sum-exp layer, every arrow checked."""

from hjsym.commands.arguments import add_command, add_figures, add_latex, add_model, add_temperature

__all__ = ["add", "run"]


def add(commands) -> None:
    parser = add_command(
        commands,
        "diagram",
        run,
        "draw the square network, tropical polynomial, Hamilton–Jacobi solutions and conjugates, and check its arrows",
        "hjsym diagram examples/models/digits-lse.npz --figures examples/output",
    )
    add_model(parser, "log-sum-exp layer")
    add_temperature(parser)
    parser.add_argument(
        "--time", type=float, default=1.0, metavar="T", help="time of the kernel gauge (default 1)"
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="S",
        help="of the points that arrows are checked at (default 0)",
    )
    add_latex(parser)
    add_figures(parser)


def run(options):
    from hjsym.reports.diagram import diagram_report

    return diagram_report(
        options.model, options.eps, options.time, options.seed, options.latex, options.figures
    )
