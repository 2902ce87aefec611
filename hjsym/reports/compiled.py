"""The tropical form of a piecewise-linear network, held against the network."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hjsym.compile import TropicalNetwork, compile
from hjsym.network import Network
from hjsym.plotting import attribution_figure
from hjsym.reports.examples import Asked, Examples
from hjsym.reports.model import Model
from hjsym.reports.onnx_reference import reference
from hjsym.reports.pictures import list_pictures
from hjsym.reports.piece import describe_piece
from hjsym.reports.report import Report
from hjsym.reports.sweep import Sweep
from tropical.errors import BudgetExceeded, InputError, describe_size

__all__ = ["compile_report"]


def compile_report(
    path: Path, asked: Asked | None = None, exact_points: int = 10, figures: Path | None = None
) -> Report:
    """f = P ⊘ Q: its size, checks against the network, the piece at a point, and its distance from f_ε."""
    if exact_points < 0:
        raise InputError(f"--exact-points is {exact_points}; pass a whole number >= 0")
    model = Model.read(path)
    model.refuse_soft(
        "and has no form over Fractions to be checked against; see `hjsym inspect` and `hjsym explain`"
    )
    examples = Examples.of(asked or Asked(), model.dataset, model.network.input_size)
    f = compile(model.floats)
    report = Report({"model": path, "network": model.description, "point": examples.description})
    report.heading(f"{path.name}: the network")
    report.line(str(model.network))
    if f.head:
        report.line(f"f below is the scores in front of the final {f.head}")
    _describe_circuit(report, f)
    _check_values(report, path, model.floats, f, examples, exact_points)
    describe_piece(report, f, examples.point, examples.title)
    sweep = Sweep.of_network(f, examples.points)
    sweep.describe(report, f"|f_ε − f_0| over {examples.name}")
    if figures is not None:
        list_pictures(report, _pictures(f, examples.point, sweep, figures, path))
    return report


def _pictures(f: TropicalNetwork, x: np.ndarray, sweep: Sweep, folder: Path, path: Path) -> Iterator[Path]:
    yield sweep.draw(folder / f"{path.stem}-eps-sweep.png", path.name)
    winner = int(f(x).argmax())
    slope = f.affine_at(x, [winner])[0][0]
    names = [f"x{k}" for k in range(1, len(x) + 1)]
    title = f"slope × input, output {winner}"
    yield attribution_figure(folder / f"{path.stem}-attribution.png", title, x, slope * x, names, slope)


def _describe_circuit(report: Report, f: TropicalNetwork) -> None:
    report.heading("Tropical form f = P ⊘ Q, that is P(x) − Q(x)")
    shared = set(f.P.nodes) | set(f.Q.nodes)
    weights = sum(w.size for n in shared if hasattr(n, "terms") for w, _ in n.terms)
    report.data["circuit"] = {"nodes": len(shared), "gates": f.P.gates, "weights": weights}
    report.data["monomials"] = None
    report.line(
        f"circuit of P and Q together: {len(shared)} vector nodes, {f.P.gates} max gates, {weights:,} weights"
    )
    try:
        counts = list(zip(f.P.monomial_count(), f.Q.monomial_count(), strict=True))
    except BudgetExceeded as error:
        report.line(f"{error.stage}: at least {describe_size(error.reached)}; nobody will expand it")
        return
    report.data["monomials"] = [{"P": _digits(p), "Q": _digits(q)} for p, q in counts]
    report.line("monomials that full expansion would need:")
    report.table(
        ["output", "P", "Q"],
        [[str(i), describe_size(p), describe_size(q)] for i, (p, q) in enumerate(counts)],
    )
    report.line("P of output 0, exactly:")
    for chunk in _chunks(_digits(counts[0][0]), 90):
        report.line(f"  {chunk}")


def _digits(n: int) -> str:
    """Decimal digits of an integer of any length, past the interpreter's guard on conversions."""
    if n < 10**4000:
        return str(n)
    half = 10 ** (int(n.bit_length() * 0.30103) // 2)
    return _digits(n // half) + _digits(n % half).rjust(len(str(half)) - 1, "0")


def _chunks(text: str, width: int) -> Iterator[str]:
    return (text[k : k + width] for k in range(0, len(text), width))


def _check_values(
    report: Report, path: Path, network: Network, f: TropicalNetwork, examples: Examples, exact_points: int
) -> None:
    report.heading(f"Is it the network? Over {examples.name}")
    points, scores = examples.points, f(examples.points)
    theirs = reference(path)
    if theirs is not None:
        ours, want = f.head(scores) if f.head else scores, theirs.evaluate(points)
        error = np.abs(ours - want) / np.maximum(np.abs(want), 1)
        report.check(f"max |{theirs.name} − f|, relative", error.max(), theirs.limit)
    p, q = f.parts(points)
    error = np.abs(p - q - scores) / np.maximum(np.maximum(np.abs(p), np.abs(q)), 1)
    report.check("max |P − Q − f|, relative to P and Q", error.max(), 1e-12)
    g = compile(network, exact=True)
    sample = points[:: max(1, len(points) // max(exact_points, 1))][:exact_points]
    if len(sample):
        difference = np.abs(g.network(sample) - g(sample)).max()
        report.check(f"the same in rational arithmetic, {len(sample)} points", float(difference), 0.0)
