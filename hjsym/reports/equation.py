"""The Hamilton–Jacobi equations that a network solves or discretises, and its co-states at a point."""

import math

import numpy as np
import sympy

from hjsym.compile import compile
from hjsym.network import Network
from hjsym.pontryagin import pontryagin
from hjsym.reports.differences import STEP, nearby
from hjsym.reports.examples import Asked, Examples
from hjsym.reports.model import Model
from hjsym.reports.report import Report
from hjsym.systems import HJSystem, hamiltonian
from hjsym.systems.residual_networks import residual_runs
from tropical.errors import BudgetExceeded, InputError, describe_size

__all__ = ["equation_report"]

_PAIR = (
    "f = P − Q with P and Q maxima of affine functions, and V_P = −P, V_Q = −Q at t = 0 are data of",
    "V_t + |∇V|² = 0, viscosity solutions with |slope|²·t added to each affine function; f = V_Q − V_P",
)
_PAIR_LATEX = (
    r"\partial_t V_P + |\nabla V_P|^2 = 0, \quad \partial_t V_Q + |\nabla V_Q|^2 = 0, \quad f = V_Q - V_P"
)
_RESIDUAL = 1e-30  # of 40 digits
_FEW = 3  # variables in which regions are counted, rather than bounded, before they are too many
_KEYS = ("name", "label", "reason", "H", "viscosity", "source", "latex", "fields", "readout", "residuals")
_PLACES = 2  # where residuals are taken


def equation_report(model: Model, asked: Asked, max_regions: int = 2000, latex: bool = False) -> Report:
    """Equations with their labels and residuals, and p_l, H_l of backpropagation, held against differences."""
    examples = Examples.of(asked, model.dataset, model.network.input_size)
    report = Report({"model": model.path, "network": model.description, "point": examples.description})
    report.heading(f"{model.path.name}: the network")
    report.line(str(model.network))
    report.heading("Which equation it solves")
    network = model.floats.without_head()
    if model.network.head:
        report.line(f"of the scores in front of the final {model.network.head}")
    _describe_systems(report, network, examples, max_regions, latex)
    _describe_costates(report, network, examples)
    return report


def _describe_systems(
    report: Report, network: Network, examples: Examples, max_regions: int, latex: bool
) -> None:
    report.data["systems"] = []
    try:
        systems = _systems(network, max_regions)
    except BudgetExceeded as error:
        _describe_pair(report, error, latex)
        return
    except InputError as error:
        report.line(f"no equation of the whole network: {error}")
        return
    for k, system in enumerate(systems):
        if len(systems) > 1:
            report.line(f"system {k + 1} of {len(systems)}:")
        report.line(str(system))
        if latex:
            report.line(f"LaTeX: {system.latex()}")
        report.data["systems"].append(_described(system) | {"residuals": _check(report, system, examples)})


def _systems(network: Network, max_regions: int) -> list[HJSystem]:
    """Those of `hamiltonian`, unless writing down maxima would need more regions."""
    if _has_blocks(network):
        found = hamiltonian(network)
    else:
        bits = compile(network).forecast(points=1).log2_region_bound
        if bits > math.log2(max_regions) and network.input_size > _FEW:
            size = round(2 ** min(bits, 1000.0))
            raise BudgetExceeded("linear regions, at most", size, max_regions, "raise --max-regions")
        found = hamiltonian(network, max_regions=max_regions)
    return found if isinstance(found, list) else [found]


def _has_blocks(network: Network) -> bool:
    return bool(residual_runs(network))


def _describe_pair(report: Report, error: BudgetExceeded, latex: bool) -> None:
    """The equations of P and Q where these are not written out."""
    for part in _PAIR:
        report.line(part)
    report.line(
        f"not written out: {error.stage}: {describe_size(error.reached)}, the limit is {error.limit:,}"
    )
    report.line("label       exact: a pair of solutions; their difference f solves no such equation")
    if latex:
        report.line(f"LaTeX: {_PAIR_LATEX}")
    report.data["systems"].append(dict.fromkeys(_KEYS) | {
        "name": "pair of maxima", "label": "exact", "latex": _PAIR_LATEX, "fields": {}, "residuals": {},
    })  # fmt: skip


def _described(system: HJSystem) -> dict:
    return {
        "name": system.name, "label": system.label, "reason": system.reason, "H": str(system.H),
        "viscosity": str(system.viscosity), "source": str(system.source), "latex": system.latex(),
        "fields": {name: str(V) for name, V in system.fields.items()}, "readout": system.readout,
    }  # fmt: skip


def _check(report: Report, system: HJSystem, examples: Examples) -> dict:
    """Residuals of the fields at points, in 40 digits; the defect of a step from the flow is only stated."""
    worst = {}
    points = [examples.point, *np.random.default_rng(0).standard_normal((_PLACES, len(examples.point)))]
    for name, V in system.fields.items():
        pieces = _affine_pieces(V)
        if pieces is None:
            worst[name] = max(system.residual_at(x, 0.5, name) for x in points)
            what, limit = f"residual of {name} at t = ½, 40 digits, {len(points)} points", _RESIDUAL
        else:
            worst[name] = max(_residual_of_piece(system, piece) for piece in pieces)
            what, limit = f"residual of {name}, all {len(pieces)} pieces, over Fractions", 0.0
        report.check(what, worst[name], limit)
    if system.defect is not None:
        report.line(
            f"one step is off the flow by {np.abs(system.defect(examples.point)).max():.4g} at the point"
        )
    return worst


def _affine_pieces(V: sympy.Expr) -> list[sympy.Expr] | None:
    """The affine functions that V is the least of; None of other functions."""
    if isinstance(-V, sympy.Max):
        return [-term for term in (-V).args]
    return [V] if not V.atoms(sympy.Function) else None


def _residual_of_piece(system: HJSystem, V: sympy.Expr) -> float:
    """|V_t + H(∇V)| of an affine function, by its coefficients."""
    slopes = {p: V.coeff(x) for p, x in zip(system.p, system.x, strict=True)}
    return float(abs(V.coeff(system.t) + system.H.subs(slopes, simultaneous=True)))


def _describe_costates(report: Report, network: Network, examples: Examples) -> None:
    """States, co-states and Hamiltonians of the largest output, p_0 against central differences."""
    x = examples.point
    scores = network(x)
    winner = int(scores.argmax())
    report.heading(
        f"Co-states of output {winner} at {examples.title}: backpropagation as Hamilton's equations"
    )
    terminal = np.zeros(network.output_size)
    terminal[winner] = 1
    run = pontryagin(network, x, terminal)
    rows = [
        [str(k), str(len(p)), f"{np.linalg.norm(v):.6g}", f"{np.linalg.norm(p):.6g}", h]
        for k, (v, p, h) in enumerate(
            zip(run.states, run.costates, [*(f"{H:.6g}" for H in run.hamiltonians), ""], strict=True)
        )
    ]
    report.table(["l", "size", "|x_l|", "|p_l|", "H_l = p_{l+1}·f_l(x_l)"], rows)
    report.data["costates"] = {
        "output": winner, "value": scores[winner], "gradient": run.costates[0],
        "hamiltonians": [float(H) for H in run.hamiltonians],
    }  # fmt: skip
    report.check("p_0 − ∂f/∂x by differences, near the point", _difference(network, x, terminal), 1e-6)


def _difference(network: Network, x: np.ndarray, terminal: np.ndarray) -> float:
    """At a point nearby, since x may lie on a bend; the median over inputs, since a difference may cross one."""
    x = nearby(x)
    p = pontryagin(network, x, terminal).costates[0]
    steps = STEP * np.maximum(np.abs(x), 1)
    ahead, back = (network(x + sign * np.diag(steps)) @ terminal for sign in (1, -1))
    return float(np.median(np.abs((ahead - back) / (2 * steps) - p)) / max(1.0, np.abs(p).max()))
