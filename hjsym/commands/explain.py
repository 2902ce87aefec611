"""`hjsym explain`: what decides at one input, and how far the decision holds."""

from hjsym.commands.arguments import (
    add_command,
    add_figures,
    add_model,
    add_point,
    add_temperature,
    points_asked,
)

__all__ = ["add", "run"]


def add(commands) -> None:
    parser = add_command(
        commands,
        "explain",
        run,
        "say what decides at one input: weights, what is lost without each part, and a radius that is proved",
        "hjsym explain examples/models/digits-lse.npz --point 2",
        "hjsym explain examples/models/digits-relu.onnx --point 2 --top 4",
    )
    add_model(parser, "log-sum-exp layer or network")
    add_point(parser)
    add_temperature(parser)
    parser.add_argument("--top", type=int, default=10, metavar="N", help="list the N heaviest (default 10)")
    parser.add_argument(
        "--output", type=int, metavar="I", help="explain this output of a network (default: the largest)"
    )
    add_figures(parser)


def run(options):
    from hjsym.reports.explanation import explanation_report

    return explanation_report(
        options.model, points_asked(options), options.eps, options.top, options.output, options.figures
    )
