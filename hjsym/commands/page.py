"""`hjsym page`: one HTML file that shows a slice of a model at every temperature."""

from pathlib import Path

from hjsym.commands.arguments import FILE, add_command, add_model, numbers

__all__ = ["add", "run"]


def add(commands) -> None:
    parser = add_command(
        commands,
        "page",
        run,
        "write an HTML page of a slice of a model, with a slider for the temperature",
        "hjsym page examples/models/digits-lse.npz -o examples/output/lse.html",
        "hjsym page examples/models/digits-relu.onnx --slice 3,6,0 -o examples/output/relu.html",
    )
    add_model(parser, "log-sum-exp layer or network")
    out = parser.add_argument(
        "-o", "--out", type=Path, required=True, metavar="FILE", help="the page to write"
    )
    out.complete = FILE
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--slice", type=numbers(int), metavar="A,B,C",
        help="look at the line or plane through these points, by number, of the data the model names",
    )  # fmt: skip
    where.add_argument(
        "--box", type=numbers(float, 2), metavar="LOW,HIGH",
        help="what is looked at of each input of a model with one or two (default: around its bends)",
    )  # fmt: skip
    parser.add_argument(
        "--variables",
        type=int,
        choices=(1, 2),
        help="look at a line or a plane (default: a plane if possible)",
    )
    parser.add_argument(
        "--time", type=float, default=1.0, metavar="T", help="time of the kernel gauge (default 1)"
    )
    parser.add_argument("--title", metavar="TEXT", help="of the page (default: the name of the model's file)")


def run(options):
    from hjsym.page import write_page
    from hjsym.reports.page import page_report

    page = write_page(
        options.model,
        options.out,
        domain=options.box,
        points=options.slice,
        variables=options.variables,
        t=options.time,
        title=options.title,
    )
    return page_report(page)
