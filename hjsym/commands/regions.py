"""`hjsym regions`: the linear regions of a network."""

from hjsym.commands.arguments import add_command, add_figures, add_model, add_point, numbers, points_asked

__all__ = ["add", "run"]


def add(commands) -> None:
    parser = add_command(
        commands,
        "regions",
        run,
        "count and list the linear regions of a piecewise-linear network, exactly",
        "hjsym regions examples/models/digits-relu.onnx --slice 0,1,2 --decision --figures examples/output",
        "hjsym regions examples/models/digits-relu.onnx --slice 3,7 --top 3",
    )
    add_model(parser)
    add_point(parser)
    parser.add_argument(
        "--slice",
        type=numbers(int),
        metavar="A,B,C",
        help="look at the line or plane through these points, by number, of stored examples or of --input",
    )
    parser.add_argument(
        "--box",
        type=numbers(float, 2),
        metavar="LOW,HIGH",
        help="look where every coordinate is between these (default: everywhere; with --slice -0.25,1.25, "
        "where its first point is at 0 and each other one at a unit vector)",
    )
    parser.add_argument(
        "--top", type=int, default=5, metavar="N", help="list the N largest regions (default 5)"
    )
    parser.add_argument(
        "--decision", action="store_true", help="also where which output is the largest, and the boundary"
    )
    parser.add_argument(
        "--max-regions",
        type=int,
        default=100_000,
        metavar="N",
        help="stop where there are more (default 100000)",
    )
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="threads (default 1)")
    add_figures(parser)


def run(options):
    from hjsym.reports.regions import Where, regions_report

    where = Where(options.slice, options.box, options.max_regions, options.jobs)
    return regions_report(
        options.model, points_asked(options), where, options.top, options.decision, options.figures
    )
