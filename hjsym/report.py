"""What the command line prints about a model: every figure is computed here, and checked by another road."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hjsym import hopf
from hjsym.attribution import attribute
from hjsym.compile import TropicalNetwork, compile
from hjsym.datasets import load_dataset
from hjsym.frontends import load
from hjsym.frontends.npz import read_npz
from hjsym.layers import Affine
from hjsym.network import Network
from hjsym.plotting import attribution_figure, eps_sweep_figure
from tropical.errors import BudgetExceeded, InputError, describe_size

__all__ = ["Report", "compile_report", "inspect_report"]

EPS_SWEEP = np.logspace(0, -4, 9)


@dataclass
class Report:
    """Lines to print, and whether every check in them held."""

    lines: list[str] = field(default_factory=list)
    failures: int = 0

    def heading(self, text: str) -> None:
        self.lines += ["", text, "─" * len(text)]

    def line(self, text: str = "") -> None:
        self.lines += [f"  {part}" for part in text.split("\n")]

    def check(self, what: str, value: float, limit: float) -> None:
        held = value <= limit
        self.failures += not held
        shown = "0" if value == 0 else f"{value:.2e}"
        need = "exactly 0" if limit == 0 else f"≤ {limit:.0e}"
        self.line(f"{what:58} {shown:>10}   {'ok' if held else 'FAILED'}, {need} needed")

    def table(self, header: list[str], rows: list[list[str]]) -> None:
        widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
        for row in [header, *rows]:
            self.line("   ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))

    def __str__(self) -> str:
        return "\n".join(self.lines)


def _points(name: str | None, size: int) -> tuple[np.ndarray, np.ndarray | None, str]:
    """The points a model is checked at, their labels if known, and what to call them."""
    if name:
        points, labels = load_dataset(name)
        if points.shape[1] != size:
            raise InputError(
                f"the model names the data set {name!r} of {points.shape[1]} columns but takes {size}"
            )
        return points, labels, f"the {len(points):,} {name}"
    points = np.random.default_rng(0).standard_normal((1000, size))
    return points, None, "1,000 standard normal points, as the model names no data set"


def _example(points: np.ndarray, index: int) -> np.ndarray:
    if not 0 <= index < len(points):
        raise InputError(f"point {index} was asked for; there are points 0 to {len(points) - 1:,}")
    return points[index]


def _sweep_table(report: Report, deviation: np.ndarray, bound: np.ndarray) -> None:
    if not bound.any():
        report.line("the network is affine: no gate to deform")
        return
    ratios = deviation / bound
    rows = [
        [f"{e:.4g}", f"{d:.3e}", f"{b:.3e}", f"{r:.2g}"]
        for e, d, b, r in zip(EPS_SWEEP, deviation, bound, ratios, strict=True)
    ]
    report.table(["ε", "max |f_ε − f_0|", "proved bound", "ratio"], rows)
    report.check("largest ratio to the bound", ratios.max(), 1.0)


# ---- a network as a tropical rational function ----------------------------------------------------------


def compile_report(
    path: Path, example: int = 0, exact_points: int = 10, figures: Path | None = None
) -> Report:
    """The tropical form of a piecewise-linear network, checked against the network."""
    network = load(path)
    points, labels, called = _points(network.metadata.get("dataset"), network.input_size)
    x = _example(points, example)
    f = compile(network)
    report = Report()
    report.heading(f"{path.name}: the network")
    report.line(str(network))
    if f.head:
        report.line(f"f below is the scores in front of the final {f.head}")
    _describe_circuit(report, f)
    _check_values(report, path, network, f, points, called, exact_points)
    _describe_piece(
        report, f, x, f"point {example}" + ("" if labels is None else f", labelled {labels[example]}")
    )
    report.heading(f"Temperature: |f_ε − f_0| over {called}")
    scores = f(points)
    deformed = [f.deform(eps) for eps in EPS_SWEEP]
    deviation = np.array([np.abs(g(points) - scores).max() for g in deformed])
    bound = np.array([g.deformation_bound().max() for g in deformed])
    _sweep_table(report, deviation, bound)
    if figures is not None:
        winner = int(scores[example].argmax())
        slope = f.affine_at(x)[0][winner]
        shares = slope * x
        names = [f"x{k}" for k in range(1, len(x) + 1)]
        report.heading("Pictures")
        stem = path.stem
        for picture in (
            eps_sweep_figure(figures / f"{stem}-eps-sweep.png", path.name, EPS_SWEEP, deviation, bound),
            attribution_figure(
                figures / f"{stem}-attribution.png",
                f"slope × input, output {winner}",
                x,
                shares,
                names,
                slope,
            ),
        ):
            report.line(str(picture))
    return report


def _describe_circuit(report: Report, f: TropicalNetwork) -> None:
    report.heading("Tropical form f = P ⊘ Q, that is P(x) − Q(x)")
    shared = set(f.P.nodes) | set(f.Q.nodes)
    weights = sum(w.size for n in shared if hasattr(n, "terms") for w, _ in n.terms)
    report.line(
        f"circuit of P and Q together: {len(shared)} vector nodes, {f.P.gates} max gates, {weights:,} weights"
    )
    try:
        counts = list(zip(f.P.monomial_count(), f.Q.monomial_count(), strict=True))
    except BudgetExceeded as error:
        report.line(f"{error.stage}: at least {describe_size(error.reached)}; nobody will expand it")
        return
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
    report: Report,
    path: Path,
    network: Network,
    f: TropicalNetwork,
    points: np.ndarray,
    called: str,
    exact_points: int,
) -> None:
    oracle, name, limit = _oracle(path)
    report.heading(f"Is it the network? Over {called}")
    scores = f(points)
    if oracle is not None:
        theirs, ours = oracle(points), f.head(scores) if f.head else scores
        error = np.abs(ours - theirs) / np.maximum(np.abs(theirs), 1)
        report.check(f"max |{name} − f|, relative", error.max(), limit)
    p, q = f.parts(points)
    error = np.abs(p - q - scores) / np.maximum(np.maximum(np.abs(p), np.abs(q)), 1)
    report.check("max |P − Q − f|, relative to P and Q", error.max(), 1e-12)
    g = compile(network, exact=True)
    sample = points[:: max(1, len(points) // exact_points)][:exact_points]
    difference = np.abs(g.network(sample) - g(sample)).max()
    report.check(f"the same in rational arithmetic, {len(sample)} points", float(difference), 0.0)


def _oracle(path: Path):
    """A function that evaluates the network without our code, what to call it, and how close it must be; or none."""
    if path.suffix != ".onnx":
        return None, "", 0.0
    from onnx.helper import tensor_dtype_to_np_dtype

    from hjsym.frontends.limits import Limits
    from hjsym.frontends.onnx import evaluate, input_of, read_model

    model = read_model(path)
    kind = input_of(model).type.tensor_type
    dtype = tensor_dtype_to_np_dtype(kind.elem_type)
    shape = [d.dim_value for d in kind.shape.dim[1:]]

    def values(x: np.ndarray) -> np.ndarray:
        found = evaluate(model, x.reshape(-1, *shape).astype(dtype), Limits(seconds=600))
        return found.reshape(len(x), -1).astype(float)

    return values, f"ONNX reference ({dtype.name})", 1e-12 if dtype == np.float64 else 1e-4


def _describe_piece(report: Report, f: TropicalNetwork, x: np.ndarray, called: str) -> None:
    report.heading(f"The affine piece at {called}")
    scores = f(x)
    winner = int(scores.argmax())
    report.line(f"largest output: {winner}, f = {scores[winner]:.12g}")
    g = compile(f.network, exact=True)
    slopes, intercepts = (a[winner] for a in g.affine_at(x))
    top = np.argsort(-np.abs(slopes.astype(float)))[:5]
    shown = " ".join(f"{float(slopes[k]):+.4f}·x{k + 1}" for k in top)
    report.line(
        f"f = s·x + c around it, c = {float(intercepts):.12g}, s = {shown} …, |s| = {_norm(slopes):.6g}"
    )
    exact_x = np.array([*map(type(intercepts), x.tolist())], dtype=object)
    value = slopes @ exact_x + intercepts
    report.check("s·x + c − f(x) in rational arithmetic", abs(float(value - g(x)[winner])), 0.0)
    for name, part in (("P", g.P), ("Q", g.Q)):
        exponents, coefficient = (a[winner] for a in part.affine_at(x))
        report.line(
            f"active monomial of {name}: coefficient {float(coefficient):.12g}, "
            f"degree Σ exponents = {float(sum(exponents)):.12g}, largest exponent {float(max(exponents)):.6g}"
        )


def _norm(slopes: np.ndarray) -> float:
    return float(np.linalg.norm(slopes.astype(float)))


# ---- a log-sum-exp layer as a Hamilton–Jacobi equation ----------------------------------------------------


def inspect_report(path: Path, example: int = 0, t: float = 1.0, figures: Path | None = None) -> Report:
    """A log-sum-exp layer read as a viscous Hamilton–Jacobi equation in both gauges."""
    dataset = None
    if path.suffix == ".npz":
        layer = hopf.LSELayer.load(path)
        stored = read_npz(path).get("dataset")
        dataset = None if stored is None else str(stored)
    else:
        network = load(path)
        dataset = network.metadata.get("dataset")
        layer = hopf.LSELayer.from_network(network)
    points, labels, called = _points(dataset, layer.variables)
    x = _example(points, example)
    report = Report()
    report.heading(f"{path.name}: the layer f(x) = ε log Σ_j exp((W_j·x + b_j)/ε)")
    parameters = Affine(layer.W, layer.b).parameters
    report.line(
        f"{layer.neurons} neurons, {layer.variables} variables, {parameters:,} parameters, ε = {layer.eps:g}"
    )
    if layer.labels is not None and labels is not None:
        hits = (layer.class_probabilities(points).argmax(axis=1) == labels).mean()
        report.line(f"as a classifier by its Gibbs weights: {hits:.2%} of {called} right")
    _describe_plane_wave(report, layer, points, called)
    _describe_kernel(report, layer, t, points, called)
    weights = _describe_attribution(report, layer, t, x, f"point {example}", labels, example)
    report.heading(f"Temperature: f_ε − f_0 over {called}")
    polynomials = [layer.polynomial.deform(eps) for eps in EPS_SWEEP]
    deviation = np.array([p.excess(points).max() for p in polynomials])
    bound = np.array([p.deformation_bound() for p in polynomials])
    _sweep_table(report, deviation, bound)
    if figures is not None:
        report.heading("Pictures")
        names = [f"neuron {j}" + _vote(layer, j) for j in range(layer.neurons)]
        slope = layer.polynomial.gradient(x)
        for picture in (
            eps_sweep_figure(figures / f"{path.stem}-eps-sweep.png", path.name, EPS_SWEEP, deviation, bound),
            attribution_figure(
                figures / f"{path.stem}-attribution.png", "Gibbs weights π", x, weights, names, slope
            ),
        ):
            report.line(str(picture))
    return report


def _describe_plane_wave(report: Report, layer: hopf.LSELayer, points: np.ndarray, called: str) -> None:
    gauge = layer.plane_wave
    report.heading("Plane-wave gauge: f is the initial data (exact)")
    nu = layer.viscosity
    report.line(f"F_s = |∇F|² + {nu:g} ΔF,   F(x, 0) = f(x),   slopes W_j, phases b_j + s|W_j|²")
    report.line(f"LaTeX: {gauge.latex()}")
    symbolic = hopf.symbolic_residual("plane wave", 3, 2)
    report.check("residual, SymPy, every weight a symbol (N = 3, d = 2)", float(symbolic != 0), 0.0)
    report.check(f"residual, moments, {called}", np.abs(gauge.residual(points)).max(), 1e-12)


def _describe_kernel(report: Report, layer: hopf.LSELayer, t: float, points: np.ndarray, called: str) -> None:
    gauge = layer.kernel(t)
    report.heading(f"Kernel gauge: f is the solution at t = {t:g} of data g_j at atoms y_j = 2tW_j (exact)")
    defect = layer.eps * layer.variables / 2
    report.line(f"u_t + |∇u|² = {layer.viscosity:g} Δu − {defect:g}/t      u, the sum itself: starts from g")
    report.line(
        f"ũ_t + |∇ũ|² = {layer.viscosity:g} Δũ               ũ = u + {defect:g} log(4π·{layer.viscosity:g}·t)"
    )
    report.line(f"LaTeX: {gauge.latex()}")
    report.line(f"LaTeX: {gauge.latex(normalised=True)}")
    y, g = gauge.initial_data
    rows = [
        [str(j), f"{g[j]:.6f}", f"{np.linalg.norm(y[j]):.6f}", " ".join(f"{v:+.3f}" for v in y[j, :5]) + " …"]
        for j in np.argsort(g)[:4]
    ]
    report.line(f"initial data: {layer.neurons} atoms, the lowest four:")
    report.table(["j", "g_j", "|y_j|", "y_j"], rows)
    for normalised in (False, True):
        name = "kernel normalised" if normalised else "kernel"
        symbol = "ũ" if normalised else "u"
        symbolic = hopf.symbolic_residual(name, 3, 2)
        report.check(f"residual of {symbol}, SymPy, every weight a symbol", float(symbolic != 0), 0.0)
        worst = np.abs(gauge.residual(points, normalised)).max()
        report.check(f"residual of {symbol}, moments, {called}", worst, 1e-12)
    report.check("f + u − |x|²/4t, relative", np.abs(gauge.identity_defect(points)).max(), 1e-12)
    gap = np.abs(gauge.hopf_lax(points) - gauge.u(points)).max() / (layer.eps * math.log(layer.neurons))
    report.check("|Hopf–Lax − u| over ε log N", gap, 1.0)


def _describe_attribution(
    report: Report, layer: hopf.LSELayer, t: float, x: np.ndarray, called: str, labels, example: int
) -> np.ndarray:
    truth = "" if labels is None else f", labelled {labels[example]}"
    report.heading(f"Attribution at {called}{truth}")
    found = attribute(layer, x, top=5, t=t)
    report.line(
        f"entropy H(π) = {found.entropy:.6f} nats: as many as {found.effective:.3f} equal neurons; "
        f"Δ/ε = {found.sharpness:.3f}, log N = {math.log(layer.neurons):.3f}"
    )
    report.line(f"soft prediction of the initial value, E_π[g] = {found.mean:.6f}")
    if layer.labels is not None:
        best = np.argsort(-found.class_weight)[:3]
        masses = (f"{found.classes[c]}: {found.class_weight[c]:.6f}" for c in best)
        report.line("class masses: " + ", ".join(masses))
    rows = [
        [f"{row['atom']}{_vote(layer, row['atom'])}", f"{row['weight']:.6f}", f"{row['loss']:.6f}"]
        for row in found.table()
    ]
    report.table(["neuron", "π", "f falls without it by"], rows)
    return found.weights()


def _vote(layer: hopf.LSELayer, j: int) -> str:
    return "" if layer.labels is None else f" ({layer.labels[j]})"
