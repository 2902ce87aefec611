"""`hjsym inspect`: the Hamilton–Jacobi equation that a model solves."""

from hjsym.commands.arguments import add_command, add_figures, add_latex, add_model, add_point, points_asked

__all__ = ["add", "run"]


def add(commands) -> None:
    parser = add_command(
        commands,
        "inspect",
        run,
        "read a model as a Hamilton–Jacobi equation",
        "hjsym inspect examples/models/digits-lse.npz --time 0.5",
        "hjsym inspect examples/models/digits-relu.onnx --latex",
    )
    add_model(parser, "log-sum-exp layer or network")
    add_point(parser)
    parser.add_argument(
        "--time", type=float, default=1.0, metavar="T", help="time of the kernel gauge (default 1)"
    )
    parser.add_argument(
        "--max-regions", type=int, default=2000, metavar="N",
        help="linear regions up to which the solutions of a network are written out (default 2000)",
    )  # fmt: skip
    add_latex(parser)
    add_figures(parser)


def run(options):
    from hjsym.reports.model import Model

    model, asked = Model.read(options.model), points_asked(options)
    if model.layer is None:
        from hjsym.reports.equation import equation_report
        from tropical.errors import InputError

        if options.figures is not None:
            raise InputError(
                "--figures draws log-sum-exp layers; leave it out, or try `hjsym explain` or `regions`"
            )
        return equation_report(model, asked, options.max_regions, options.latex)
    from hjsym.reports.layer import layer_report

    return layer_report(model, asked, options.time, options.latex, options.figures)
