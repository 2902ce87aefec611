"""The commutative square: from every corner, with arrows that are seen to break when something is wrong."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hjsym
from hjsym import Diagram, diagram
from hjsym.conjugate import conjugate
from hjsym.hopf import KernelGauge, LSELayer
from hjsym.solutions import Mixture
from hjsym.symbols import LogSumExp
from tropical import Polynomial, Semiring
from tropical.errors import InputError, ShapeError

QUARTER = st.integers(-8, 8).map(lambda k: k / 4)
# y = (−1.5, −.5, .5, 1.5), g = (1, .3, .3, 1), t = 1: Miñoza et al., arXiv:2605.28983, the worked example
PAPER = LSELayer.from_initial_data([-1.5, -0.5, 0.5, 1.5], [1.0, 0.3, 0.3, 1.0], eps=0.3)


@given(
    data=st.data(),
    d=st.integers(1, 3),
    eps=st.sampled_from([0.01, 0.3, 2.0]),
    t=st.sampled_from([0.5, 1.0, 3.0]),
)
@settings(max_examples=15, deadline=None)
def test_every_arrow_holds(data, d, eps, t):
    rows = st.lists(st.tuples(*[QUARTER] * (d + 1)), min_size=1, max_size=6)
    rows = np.array(data.draw(rows))
    square = diagram(
        LSELayer(rows[:, :d], rows[:, d], eps), t=t, points=np.random.default_rng(0).normal(size=(6, d))
    )
    assert square.holds, str(square)


@pytest.mark.parametrize("neurons, variables", [(1, 4), (3, 8), (9, 20), (40, 12)])
def test_every_arrow_holds_in_many_variables(neurons, variables):
    rng = np.random.default_rng(0)
    square = diagram(LSELayer(rng.normal(size=(neurons, variables)), rng.normal(size=neurons), 0.3))
    assert square.holds, str(square)


PAPER_SYSTEM = hjsym.hamiltonian(PAPER)

CORNERS = {
    "layer": PAPER,
    "network": PAPER.to_network(),
    "soft polynomial": PAPER.polynomial,
    "hard polynomial": PAPER.polynomial.deform(0),
    "exact polynomial": PAPER.polynomial.deform(0).to_exact(),
    "initial data": PAPER.kernel(1.0),
    "entropy": conjugate(PAPER.polynomial),
    "polyhedral conjugate": conjugate(PAPER.polynomial.deform(0)),
    "equation": hjsym.hamiltonian(PAPER),
    "equation with symbols": hjsym.hamiltonian(PAPER, symbolic=True),
    "equation in the kernel gauge": hjsym.hamiltonian(PAPER, gauge="kernel"),
    "inviscid equation": hjsym.hamiltonian(PAPER.polynomial.deform(0)),
    "viscous solution": Mixture.of_distances(
        [[-1.5], [-0.5], [0.5], [1.5]], [1, 0.3, 0.3, 1], weight=0.5, eps=0.3
    ),
    "inviscid solution": Mixture.of_distances([[-1.5], [-0.5], [0.5], [1.5]], [1, 0.3, 0.3, 1], weight=0.5),
}


@pytest.mark.parametrize("source", CORNERS.values(), ids=CORNERS)
def test_every_corner_gives_the_same_square(source):
    square = diagram(source, eps=0.3)
    assert isinstance(square, Diagram) and square.holds
    x = square.points
    np.testing.assert_allclose(square.layer(x), PAPER(x), rtol=1e-13)


def test_solutions_and_equations_bring_their_constants():
    """A solution its time, an equation its κ."""
    atoms = np.array([[-1.0, 0.5], [0.0, 2.0], [1.0, 0.0]])
    u = Mixture.of_distances(atoms, [0.0, 0.1, -0.2], weight=0.2, eps=0.4)
    square = diagram(u)
    assert square.holds and square.t == 2.5
    x = square.points
    np.testing.assert_allclose(square.corners["viscous"](x), u(x), rtol=1e-12)
    fast = LSELayer(atoms, [0.0, 1.0, 0.5], eps=0.4, kappa=2.0)
    again = diagram(hjsym.hamiltonian(fast), t=0.5)
    assert again.holds and again.layer.kappa == 2.0
    np.testing.assert_allclose(again.layer.W, fast.W, rtol=1e-15)
    assert diagram(hjsym.systems.softplus(0.5)).holds


def test_golden_values_of_the_paper():
    """30-digit arithmetic: f, f_0 and f* of the worked example."""
    corners = diagram(PAPER).corners
    assert abs(corners["network"]([0.0]) - -0.14911086745667) < 1e-13
    assert abs(corners["tropical"]([0.0]) - -0.3625) < 1e-15
    assert abs(corners["entropic"](0.6) - 1.0185460753213) < 1e-12
    assert corners["entropic"](0.75) == 1.5625 and corners["entropic"](0.76) == np.inf


def test_a_wrong_corner_breaks_its_arrows():
    square = diagram(PAPER)
    wrong = Diagram(PAPER, 1.0, square.points)
    corners = dict(wrong.corners)
    corners["viscous"] = KernelGauge(PAPER, 1.1).u
    corners["polyhedral"] = conjugate(PAPER.polynomial.deform(0) * 0.1)
    wrong.__dict__["corners"] = corners
    broken = {(a.source, a.target) for a in wrong.arrows if not a.holds}
    assert {("network", "viscous"), ("tropical", "polyhedral")} <= broken and not wrong.holds
    assert "✗" in str(wrong) and "✗" not in str(square)


@pytest.mark.parametrize("thickness", [1.0, 1e-5, 1e-12, 0.0])
@pytest.mark.parametrize("eps", [0.01, 1.0])
def test_slopes_in_a_plane_or_nearly(thickness, eps):
    """Conjugates are steep across a thin hull, and bounds of arrows say by how much."""
    rng = np.random.default_rng(0)
    W = rng.normal(size=(20, 2)) @ [[1.0, 0.3, 0.7], [0.2, 1.1, -0.4]]
    W += thickness * rng.normal(size=W.shape)
    square = diagram(LSELayer(W, rng.normal(size=20), eps))
    assert square.holds, str(square)


def test_large_layers_are_checked_by_moments():
    rng = np.random.default_rng(0)
    square = diagram(LSELayer(rng.normal(size=(100, 3)), rng.normal(size=100), 0.1))
    (equation,) = (a for a in square.arrows if a.source == a.target == "viscous")
    assert square.holds and "moments" in equation.route


def test_graph_and_print(tmp_path):
    square = diagram(PAPER)
    assert set(square.graph) == set(square.corners)
    assert {(a, b) for a, b in square.graph.edges()} == {(a.source, a.target) for a in square.arrows}
    assert square.latex().startswith(r"\begin{array}") and square._repr_latex_().startswith("$")
    pytest.importorskip("matplotlib")
    square.plot().figure.savefig(tmp_path / "square.png")
    assert (tmp_path / "square.png").stat().st_size > 5000


def test_bad_corners():
    with pytest.raises(InputError, match="pass eps="):
        diagram(Polynomial([[1.0]], [0.0]))
    with pytest.raises(InputError, match="minima"):
        diagram(Polynomial([[1.0]], [0.0], Semiring(-1)), eps=1.0)
    with pytest.raises(InputError, match="Affine → LogSumExp"):
        diagram([([[1.0]], [0.0])], eps=1.0)
    with pytest.raises(InputError, match="pass eps="):
        diagram(hjsym.hamiltonian(PAPER.polynomial.deform(0)))
    for system in (hjsym.systems.gelu(), hjsym.systems.gru(np.ones((6, 2)), np.zeros(6))):
        with pytest.raises(InputError, match="no solution of V_t"):
            diagram(system)
    with pytest.raises(InputError, match="no log-sum-exp of affine"):
        x = PAPER_SYSTEM.x[0]
        diagram(replace(PAPER_SYSTEM, fields={"V": -LogSumExp(1, x**2, 0)}))
    with pytest.raises(InputError, match="with one t"):
        diagram(Mixture([[[1.0]], [[2.0]]], [[0.0], [0.0]], [0.0, 0.0], eps=1.0))
    with pytest.raises(ShapeError, match="at least one"):
        hjsym.diagram(PAPER, points=np.zeros((0, 1)))
