"""What notebooks show of layers, networks, equations and results, and their tables: against the arrays themselves."""

import re
from dataclasses import replace

import numpy as np
import pytest
import sympy

import hjsym
from hjsym import bifurcation
from hjsym._latex import latex
from hjsym.conjugate import conjugate
from hjsym.hopf import LSELayer
from hjsym.layers import Affine, Relu
from hjsym.network import Network, Node
from hjsym.paper.row import Measurement
from hjsym.paper.runner import Reproduction
from hjsym.paper.store import FinishedRow
from hjsym.systems.sketches import Sketch

RNG = np.random.default_rng(0)
LAYER = LSELayer([[1.0], [-1.0], [0.0]], [0.0, 0.0, 0.5], eps=0.5)
LARGE = LSELayer(RNG.normal(size=(500, 30)), RNG.normal(size=500), 0.5, labels=RNG.integers(0, 3, 500))
MIDDLE = LSELayer(RNG.normal(size=(60, 8)), RNG.normal(size=60), 0.5)
NET = hjsym.load(
    [(RNG.normal(size=(8, 2)), RNG.normal(size=8)), (RNG.normal(size=(3, 8)), RNG.normal(size=3))]
)
SIX = bifurcation.EntropyLandscape.of_atoms([-2.6, -1.5, -0.4, 0.7, 1.7, 2.7])
X = sympy.Symbol("x", real=True)
LONG = sympy.Add(*(sympy.exp(k * X) for k in range(1, 1000)))
HOSTILE = [
    "<script>alert(1)</script>",
    "$\\href{javascript:alert(1)}{x}$",
    "\\input{/etc/passwd}",
    "\\end{matrix}$$",
]


@pytest.fixture(scope="module")
def diagram():
    return bifurcation.bifurcation_diagram(SIX, (0.05, 2.0))


@pytest.fixture(scope="module")
def reproduction(tmp_path_factory):
    figures = (
        Measurement("a figure", 1.0, 1.5, 0.1, "known"), Measurement("shown", None, 3.0, 0.0, "seen", "shown"),
    )  # fmt: skip
    row = FinishedRow("one", "A title", "a source", "", "", 0.5, figures)
    skipped = replace(row, name="two", measurements=(), skipped="no images")
    failed = replace(row, name="three", title="<b>", measurements=(), error="ValueError: x")
    return Reproduction((row, skipped, failed), tmp_path_factory.mktemp("x") / "report.html")


# ---- formulas and cards ------------------------------------------------------------------------------------

FORMULAS = [
    LAYER, LAYER.plane_wave, LAYER.kernel(2.0), hjsym.hamiltonian(LAYER), hjsym.hamiltonian(MIDDLE, gauge="kernel"),
    conjugate(X**4), hjsym.compile([([[1.0, -1.0]], [0.0]), ([[2.0]], [1.0])]),
    Sketch(X**2, "taylor", (0.0,), (1.0,), 0.25, 0.2),
]  # fmt: skip
CARDS = [
    LARGE, NET, hjsym.compile(NET), hjsym.diagram(LAYER), hjsym.attribute(LAYER, [[0.2], [3.0]], top=2), SIX,
    hjsym.attribute(LARGE, RNG.normal(size=(50, 30))), hjsym.certify(LAYER, [[2.0], [0.1]]), hjsym.smoothness(LAYER),
    bifurcation.critical_points(SIX, 0.5), conjugate(LAYER), conjugate(LARGE), conjugate(LARGE.polynomial.deform(0)),
    hjsym.compile(NET).forecast(), hjsym.conjugate.norm(2, 3), hjsym.conjugate.half_squared_norm(2),
    bifurcation.Certificate(0.5, *np.eye(2)[:, :1], np.zeros((2, 2, 1)), np.array([1, 0]), np.zeros((0, 2, 1)), 9),
]  # fmt: skip


@pytest.mark.parametrize("thing", FORMULAS, ids=lambda f: type(f).__name__)
def test_short_formulas_are_shown_alone(thing):
    written = thing._repr_latex_()
    assert written == rf"$\displaystyle {thing.latex()}$"
    assert getattr(thing, "_repr_html_", lambda: None)() is None


@pytest.mark.parametrize("thing", CARDS, ids=lambda f: type(f).__name__)
def test_cards(thing, read_html):
    html = thing._repr_html_()
    assert read_html(html).is_inert and len(html) < 60_000
    assert type(thing).__name__ in html


def test_a_bifurcation_diagram_and_its_curves(diagram, read_html):
    html = diagram._repr_html_()
    assert read_html(html).is_inert and html.count("<circle") == 4
    assert html.count("<polyline") == 9  # five curves, four of which have two sides
    assert read_html(diagram.branches[0]._repr_html_()).is_inert


def test_a_reproduction(reproduction, read_html):
    html = reproduction._repr_html_()
    assert read_html(html).is_inert and "2 fails, 1 skipped" in html and "&lt;b&gt;" in html


def test_conjugates_with_small_expressions_show_them():
    hard = conjugate(LAYER.polynomial.deform(0))
    assert hard._repr_latex_() == rf"$\displaystyle {sympy.latex(hard.expr)}$" and hard._repr_html_() is None
    assert conjugate(LAYER)._repr_latex_() is None  # numeric
    assert conjugate(sympy.Abs(X))._repr_latex_() is not None


def test_conjugates_of_many_numbers_are_not_asked_for_an_expression(monkeypatch):
    monkeypatch.setattr(hjsym.conjugate.PolyhedralConjugate, "expr", property(lambda f: pytest.fail("asked")))
    large = conjugate(hjsym.hopf.LSELayer(RNG.normal(size=(50, 2)), np.zeros(50), 1.0).polynomial.deform(0))
    assert large._repr_latex_() is None
    assert (
        "f* of f(x) = max_j (W_j·x + b_j)" in large._repr_html_()
        and "Hull of 50 points" in large._repr_html_()
    )


def test_long_formulas_are_not_written(monkeypatch, read_html):
    p = sympy.Symbol("p1", real=True)
    long = replace(hjsym.hamiltonian(LAYER), H=p**2 + LONG)
    monkeypatch.setattr("hjsym._latex._Printer.doprint", lambda *a: pytest.fail("written"))
    assert long._repr_latex_() is None
    html = long._repr_html_()
    assert read_html(html).is_inert and "a long formula" in html and "exact: the layer is a solution" in html


def test_arrows_of_large_squares_are_not_checked_to_be_shown(monkeypatch):
    monkeypatch.setattr("hjsym.square.square.check_arrows", lambda s: pytest.fail("checked"))
    large = hjsym.diagram(LARGE)
    assert large._repr_latex_() is None
    assert "not checked yet" in large._repr_html_()


def test_the_square_shows_the_errors_of_its_arrows():
    shown = hjsym.diagram(LAYER)
    html = shown._repr_html_()
    for arrow in shown.arrows:
        if arrow.source != arrow.target:
            assert f">{arrow.error:.2g}</text>" in html
    assert "every arrow holds" in html and html.count("✓") == len(shown.arrows)
    assert shown._repr_latex_() == rf"$\displaystyle {shown.latex()}$"


def test_a_square_that_does_not_hold_says_so():
    shown = hjsym.diagram(LAYER)
    vars(shown)["arrows"] = (replace(shown.arrows[1], error=9.0), *shown.arrows)
    html = shown._repr_html_()
    assert "some arrows do not hold" in html and "✗ 9<" in html


def test_bars_are_as_long_as_the_weights():
    found = hjsym.attribute(LAYER, [[0.2], [3.0]], top=3)
    lengths = [float(w) for w in re.findall(r"width:([\d.e-]+)em", found._repr_html_())]
    np.testing.assert_allclose(lengths, 8 * found.weight.ravel(), rtol=6e-3)


def test_a_notebook_takes_what_is_shown():
    formatters = pytest.importorskip("IPython.core.formatters")
    formatter = formatters.DisplayFormatter()
    for thing in (*FORMULAS, *CARDS):
        data, _ = formatter.format(thing)
        assert {"text/html", "text/latex"} & set(data)
        assert max(map(len, data.values())) < 60_000


# ---- names of strangers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HOSTILE)
def test_names_in_files_are_text(name, read_html):
    net = Network(1, (Node(Affine([[1.0]], [0.0]), (0,), name), Node(Relu(), (1,), name)))
    assert read_html(net._repr_html_()).is_inert
    named = hjsym.attribute(LAYER, 0.3, labels=[name, "b", "c"], ids=[name, name, name])
    assert read_html(named._repr_html_()).is_inert
    odd = replace(hjsym.hamiltonian(LAYER), name=name, reason=name, readout=name, H=LONG + sympy.Symbol(name))
    assert read_html(odd._repr_html_()).is_inert


MAKERS = [sympy.Symbol, lambda n: sympy.MatrixSymbol(n, 1, 1), lambda n: sympy.Function(n)(X) ** 2]


@pytest.mark.parametrize("name", [*HOSTILE, "x{", "}", "a%b", "x_{\\input}", "\\alpha", "&"])
@pytest.mark.parametrize(
    "make", [sympy.Symbol, lambda n: sympy.MatrixSymbol(n, 1, 1), lambda n: sympy.Function(n)(X) ** 2]
)
def test_names_in_formulas_are_no_commands(name, make):
    written = latex(make(name))
    assert not re.search(r"\\(href|input|end|alpha)|[$%&#]", written)
    assert written.count("{") == written.count("}")
    assert written in replace(hjsym.hamiltonian(LAYER), H=make(name)).latex()


@pytest.mark.parametrize("name", ["x", "x1", "theta_12", "epsilon", "x_{1,2}", "V'", "ε"])
def test_plain_names_are_those_of_sympy(name):
    assert latex(sympy.Symbol(name)) == sympy.latex(sympy.Symbol(name))
    assert latex(sympy.Function(name)(X)) == sympy.latex(sympy.Function(name)(X))


def test_formulas_are_those_of_sympy():
    for expr in (
        X**2 / 3,
        sympy.sin(X) + hjsym.Maximum(X, 2 * X),
        sympy.Interval(0, 1),
        sympy.Matrix([[X, 1]]),
    ):
        assert latex(expr) == sympy.latex(expr)


# ---- tables --------------------------------------------------------------------------------------------------


@pytest.fixture
def pandas():
    return pytest.importorskip("pandas")


def test_table_of_an_attribution(pandas):
    found = hjsym.attribute(LARGE, RNG.normal(size=(2, 3, 30)), top=4, ids=np.arange(500) * 10)
    rows = found.to_pandas()
    assert rows.columns.tolist() == ["point", "rank", "atom", "id", "label", "weight", "loss", "g"]
    for point in range(6):
        some = rows[rows["point"] == point]
        assert some["rank"].tolist() == [1, 2, 3, 4]
        assert some.drop(columns=["point", "rank"]).to_dict("records") == found.table(point)
    assert rows["atom"].dtype == "int64" and rows["weight"].dtype == "float64"
    assert rows.attrs["units"] == {"loss": "units of f", "g": "units of f"}


def test_table_of_radii(pandas):
    proof = hjsym.certify(LAYER, [[[2.0], [0.1]], [[1.0], [-3.0]]])
    rows = proof.to_pandas()
    for name in ("decision", "margin", "radius", "lipschitz", "curvature", "convexity"):
        assert rows[name].tolist() == np.ravel(getattr(proof, name)).tolist()
    assert rows.attrs["units"]["radius"] == "units of x, in the norm 2"
    assert len(hjsym.certify(LAYER, [2.0]).to_pandas()) == 1


def test_table_of_critical_points(pandas):
    found = bifurcation.critical_points(SIX, 0.5)
    rows = found.to_pandas()
    np.testing.assert_array_equal(rows[["x1"]], found.x)
    np.testing.assert_allclose(SIX(rows[["x1"]].to_numpy(), 0.5), rows["entropy"], rtol=1e-14)
    assert rows["kind"].tolist() == ["maximum", "minimum"] * 2 + ["maximum"]
    assert rows["kind"].dtype == "category" and rows.attrs["units"] == {"entropy": "nats"}
    none = bifurcation.critical_points(SIX, 0.5, (5, 6)).to_pandas()
    assert len(none) == 0 and "x1" in none


def test_tables_of_a_bifurcation_diagram(pandas, diagram):
    rows = diagram.to_pandas()
    # golden: the first fold in 30 digits, as in tests of bifurcations
    np.testing.assert_allclose(rows.loc[0, "eps"], 0.32551819104949, rtol=1e-12)
    np.testing.assert_allclose(rows.loc[0, "x1"], 1.8418211870037, rtol=1e-9)
    assert rows["kind"].tolist() == ["fold"] * 4
    branch = diagram.branches[0]
    curve = branch.to_pandas()
    np.testing.assert_array_equal(curve[["eps", "x1"]], np.column_stack([branch.eps, branch.x]))


def test_table_of_a_certificate(pandas):
    pytest.importorskip("flint")
    proof = bifurcation.certify(SIX, 0.5)
    rows = proof.to_pandas()
    found = bifurcation.critical_points(SIX, 0.5).x[:, 0]
    assert rows["index"].tolist() == [1, 0, 1, 0, 1]
    assert ((rows["low_x1"] - 1e-12 <= found) & (found <= rows["high_x1"] + 1e-12)).all()


def test_table_of_arrows(pandas):
    shown = hjsym.diagram(LAYER)
    rows = shown.to_pandas()
    assert list(zip(rows["source"], rows["target"], rows["error"], rows["holds"], strict=True)) == [
        (a.source, a.target, a.error, a.holds) for a in shown.arrows
    ]


def test_table_of_a_network(pandas):
    rows = NET.to_pandas()
    assert rows["size"].tolist() == [8, 8, 3] and rows["parameters"].sum() == NET.parameters
    assert rows["reads"].tolist() == ["0", "1", "2"]


def test_tables_of_layers(pandas):
    rows = LARGE.to_pandas()
    np.testing.assert_array_equal(rows[[f"W{k}" for k in range(1, 31)]], LARGE.W)
    assert rows["label"].tolist() == LARGE.labels.tolist()
    gauge = LAYER.kernel(2.0)
    np.testing.assert_array_equal(gauge.to_pandas()[["y1", "g"]], np.column_stack([gauge.y, gauge.g]))
    np.testing.assert_array_equal(SIX.to_pandas()[["W1", "b"]], np.column_stack([SIX.W, SIX.b]))


def test_table_of_an_equation(pandas):
    system = hjsym.hamiltonian(LAYER)
    rows = system.to_pandas().set_index("quantity")["formula"]
    assert rows["H"] == system.H and rows["viscosity"] == sympy.Rational(1, 2)
    assert [name for name in rows.index if name.startswith("field")] == [
        f"field {name}" for name in system.fields
    ]


def test_table_of_a_forecast(pandas):
    sizes = hjsym.compile(NET).forecast()
    rows = sizes.to_pandas()
    values = dict(zip(rows["quantity"], rows["value"], strict=True))
    assert values["monomials of P, output 2, expanded"] == sizes.log2_P[1]
    assert values["memory of the circuits"] == sizes.circuit_bytes
    assert set(rows["unit"]) == {"log2", "count", "bytes"}


def test_table_of_the_rows_of_the_paper(pandas, reproduction):
    rows = reproduction.to_pandas()
    assert rows["row"].tolist() == ["one", "one", "two", "three"]
    assert rows["verdict"].tolist() == ["fails", "fails", "skipped", "fails"]
    assert rows["difference"].tolist()[0] == 0.5 and rows["difference"].isna().tolist() == [
        False,
        True,
        True,
        True,
    ]
    assert rows["passes"].tolist() == [False, True, False, False]
    assert len(rows.columns) == reproduction._shape()[1] and len(rows) == reproduction._shape()[0]


def test_shapes_are_those_of_the_tables(pandas, diagram):
    for thing in (*CARDS, diagram, diagram.branches[0], LAYER, LAYER.kernel(1.0), hjsym.hamiltonian(LAYER)):
        if hasattr(thing, "to_pandas"):
            rows, columns = thing._shape()
            assert len(thing.to_pandas()) <= rows and thing.to_pandas().shape[1] <= columns


def test_nothing_but_the_first_rows_is_made():
    sizes = []
    found = hjsym.attribute(LARGE, RNG.normal(size=(50, 30)))
    for thing in (LARGE, found, SIX, NET):
        columns = thing._columns(3)
        sizes += [len(column) for column in columns.values()]
    assert set(sizes) == {3}
