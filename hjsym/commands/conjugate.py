"""`hjsym conjugate`: the convex conjugate of a formula or of a model."""

from hjsym.commands.arguments import FILE, add_command, add_figures, add_latex, numbers

__all__ = ["add", "run"]


def add(commands) -> None:
    parser = add_command(
        commands,
        "conjugate",
        run,
        "transform a formula or a model to its convex conjugate f*(y) = sup x·y − f(x)",
        'hjsym conjugate "x**2/2 + abs(x)" --at 0.5 --at 2',
        'hjsym conjugate "abs(x)**p/p" --variables x --latex',
        'hjsym conjugate "max(x, y, 0)" --at 0.25,0.5',
        "hjsym conjugate examples/models/digits-lse.npz",
    )
    source = parser.add_argument(
        "source",
        help="a formula such as 'log(1 + exp(x))' or 'x**2 if x > 0 else -x', or a file of a log-sum-exp layer or a "
        "convex network (.onnx, .json, .npz)",
    )
    source.complete = FILE
    parser.add_argument(
        "--at",
        action="append",
        type=numbers(float),
        metavar="Y",
        help="evaluate f* at this slope, as --at=0.1,-2; may be repeated (default: some slopes of f)",
    )
    parser.add_argument(
        "--variables",
        type=lambda text: tuple(text.split(",")),
        metavar="X,Y",
        help="variables of a formula, in order; its other names are positive parameters (default: all names)",
    )
    parser.add_argument(
        "--domain", type=numbers(float, 2), metavar="LOW,HIGH", help="a formula is +∞ outside of these"
    )
    parser.add_argument(
        "--output", type=int, default=0, metavar="I", help="output of a network to take (default 0)"
    )
    add_latex(parser)
    add_figures(parser)


def run(options):
    from hjsym.reports.conjugate import Source, conjugate_report

    source = Source(options.source.strip(), options.variables, options.domain, options.output)
    return conjugate_report(source, options.at, options.latex, options.figures)
