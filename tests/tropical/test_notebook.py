"""What notebooks show of functions, regions and curves, and their tables: checked against the functions themselves."""

import re
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tropical import (
    MIN_PLUS,
    BudgetExceeded,
    Circuit,
    InputError,
    Polynomial,
    PolynomialMap,
    Semiring,
    _formulas,
    _html,
    _tables,
    decision_regions,
    is_convex,
    linear_regions,
    lipschitz,
    maximize,
    variables,
)  # fmt: skip
from tropical._html import MOST_CHARACTERS, ShowsItself, card, number, shown, table, text

x, y = variables(2)
CONIC = x**2 + y**2 + x * y + 1 * x + 1 * y + 0
RNG = np.random.default_rng(0)
RELUS = (Circuit.identity(2).affine(RNG.normal(size=(4, 2)), RNG.normal(size=4)) + 0).affine(
    abs(RNG.normal(size=(3, 4)))
)
FORMULAS = [
    CONIC, CONIC.to_exact(), CONIC.deform(0.5), CONIC / (x + y), PolynomialMap([x + y, x * y + 1]), Semiring(eps=0.5),
    MIN_PLUS, Semiring(-1, 0.25), RELUS[0], Polynomial(np.zeros((0, 2)), []),
]  # fmt: skip
CARDS = [
    Polynomial(RNG.normal(size=(500, 20)), RNG.normal(size=500)),
    PolynomialMap([Polynomial(RNG.normal(size=(90, 3)), RNG.normal(size=90))] * 15),
    Polynomial(RNG.normal(size=(500, 2)), np.zeros(500)) / x,
    (Circuit.identity(20).affine(RNG.normal(size=(30, 20))) + 0).affine(np.ones((2, 30))),
    CONIC.hypersurface(), CONIC.to_exact().hypersurface(), (x + y).hypersurface(), variables(3)[0].hypersurface(),
    CONIC.subdivision(), Polynomial(np.eye(3), np.zeros(3)).subdivision(),
    linear_regions(CONIC), linear_regions(CONIC)[2], linear_regions(RELUS), linear_regions(RELUS)[0],
    decision_regions(RELUS), linear_regions(Polynomial(np.eye(3), np.zeros(3))),
    maximize(x, ([0, 0], [1, 1])), lipschitz(CONIC), is_convex(CONIC),
]  # fmt: skip


def polylines(html: str, tag: str) -> list[np.ndarray]:
    found = re.findall(rf'<{tag} points="([^"]*)"', html)
    return [np.array([[float(v) for v in pair.split(",")] for pair in points.split()]) for points in found]


def frame(html: str) -> np.ndarray:
    """(left, top, width, height) of the window in pixels, and its box ((x0, x1), (y0, y1)) from the written ends."""
    rect = re.search(r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', html)
    ends = [float(v) for v in re.findall(r'font-size="9" fill="currentColor" >([^<]*)</text>', html)[-4:]]
    return np.array([float(v) for v in rect.groups()]), np.array(ends).reshape(2, 2)


def to_plane(pixels: np.ndarray, html: str) -> np.ndarray:
    (left, top, width, height), box = frame(html)
    unit = (pixels - [left, top]) / [width, height]
    return np.stack(
        [box[0, 0] + unit[:, 0] * np.ptp(box[0]), box[1, 1] - unit[:, 1] * np.ptp(box[1])], axis=1
    )


# ---- formulas or cards -----------------------------------------------------------------------------------


@pytest.mark.parametrize("f", FORMULAS, ids=repr)
def test_short_functions_show_their_formula_and_nothing_else(f):
    written = f._repr_latex_()
    assert written == rf"$\displaystyle {f.latex()}$"
    assert getattr(f, "_repr_html_", lambda: None)() is None


@pytest.mark.parametrize("f", FORMULAS, ids=repr)
def test_formulas_are_ones_that_matplotlib_typesets(f):
    if "pmatrix" in f.latex():
        return
    from matplotlib.mathtext import MathTextParser

    MathTextParser("path").parse(f"${f.latex()}$")


def test_formula_of_a_map_is_a_column():
    assert PolynomialMap([x + y, 2 * x]).latex() == (
        r"\begin{pmatrix} \max\left(x_{1},\, x_{2}\right) \\ x_{1} + 2 \end{pmatrix}"
    )


@pytest.mark.parametrize("sign", [1, -1])
def test_formula_of_a_semiring_is_its_sum(sign):
    body = Semiring(sign, 0.5).latex().split("=")[1].split(",")[0]
    assert body.count("-") == (0 if sign > 0 else 3)


@pytest.mark.parametrize("thing", CARDS, ids=repr)
def test_cards_are_well_formed_and_short(thing, read_html):
    assert getattr(thing, "_repr_latex_", lambda: None)() is None
    html = thing._repr_html_()
    read = read_html(html)
    assert read.is_inert and len(html) < 60_000
    assert type(thing).__name__ in "".join(read.texts) or repr(thing).strip("<>") in "".join(read.texts)


def test_huge_functions_are_neither_written_nor_counted(monkeypatch):
    def refuse(f):
        raise AssertionError("counted")

    monkeypatch.setattr(_formulas, "_operations", refuse)
    big = Polynomial(np.ones((100_000, 30)), np.arange(100_000.0))
    deep = Circuit.identity(300).affine(np.ones((300, 300))) + 0
    for f in (big, big / big, deep.affine(np.ones((1, 300)))):
        assert f._repr_latex_() is None
        assert 0 < len(f._repr_html_()) < 20_000
    assert "99,990 rows more and 19 columns more" in big._repr_html_()


def test_numbers_of_thousands_of_digits_are_not_written():
    p = Polynomial([[Fraction(10**5000)], [Fraction(-1, 3)]], [Fraction(0), Fraction(10**5000)])
    assert p._repr_latex_() is None
    assert "about 2^16,609" in p._repr_html_()


# ---- nothing goes wrong ------------------------------------------------------------------------------------


class Broken(ShowsItself):
    def _html(self):
        raise MemoryError


class Endless(ShowsItself):
    def _html(self):
        return "x" * (MOST_CHARACTERS + 1)


def test_what_fails_or_is_too_long_is_not_shown():
    assert Broken()._repr_html_() is None
    assert Endless()._repr_html_() is None
    assert shown(lambda: None) is None


NASTY = [
    "<script>alert(1)</script>", "</td></table><img src=x onerror=alert(1)>", "$\\href{javascript:alert(1)}{x}$",
    "$$\\input{/etc/passwd}$$", "\\(x\\)", "\\begin{x}\\end{x}", "a\u202eb\x00\n\tc", "&lt;&amp;", '" onload="x', "'",
    "𝒳" * 300, "",
]  # fmt: skip


@settings(max_examples=60)
@given(st.text())
@example("$a$")
@pytest.mark.parametrize("most", [10, 80])
def test_text_reads_back_as_what_it_was(read_html, most, name):
    read = read_html(text(name, most))
    plain = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
    assert "".join(read.texts) == (plain if len(plain) <= most else plain[: most - 1] + "…")


@pytest.mark.parametrize("name", NASTY)
def test_names_make_neither_elements_nor_formulas(name, read_html):
    html = card(name, table({name: [name, 1.5], "plain": [name, True]}), str(text(name)))
    assert read_html(html).is_inert
    assert len(html) < 10_000


@pytest.mark.parametrize(
    "value, written",
    [
        (np.float32(0.5), "0.5"), (-1e-300, "−1e−300"), (float("nan"), "NaN"), (-np.inf, "−∞"), (np.int64(-7), "−7"),
        (Fraction(10**20, 3), "3.33333e+19"), (-Fraction(10**400), "about −2^1,328"), (True, "1"),
    ],
)  # fmt: skip
def test_numbers(value, written):
    assert number(value) == written


def test_tables_end():
    html = table({f"c{k}": range(1000) for k in range(50)})
    assert html.count("<tr>") == 11 and html.count("<th") - html.count("<thead") == 12
    assert "990 rows more and 38 columns more" in html
    assert "more" not in table({"a": [1, 2], "b": [None, "x"]})


# ---- pictures ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [CONIC, CONIC.to_exact(), x**3 + y**3 + 2 * x * y + -1 + 1 * x], ids=str)
def test_drawn_curves_are_where_two_terms_tie(p):
    html = p.hypersurface()._repr_html_()
    drawn = polylines(html, "polyline")
    assert len(drawn) == len(p.hypersurface().cells)
    scale = np.ptp(frame(html)[1])
    for pixels in drawn:
        for point in to_plane(np.array([pixels[0], pixels.mean(axis=0), pixels[-1]]), html):
            z = np.sort((p.slopes.astype(float) @ point) + p.coefficients.astype(float))
            assert z[-1] - z[-2] < 2e-3 * scale * np.abs(p.slopes.astype(float)).max()


@pytest.mark.parametrize("f", [CONIC, RELUS], ids=repr)
def test_drawn_regions_cover_the_window_once(f):
    html = linear_regions(f)._repr_html_()
    (_, _, width, height), _ = frame(html)
    areas = [
        abs(np.cross(np.c_[p, np.zeros(len(p))], np.c_[np.roll(p, -1, 0), np.zeros(len(p))])[:, 2].sum()) / 2
        for p in polylines(html, "polygon")
    ]
    np.testing.assert_allclose(sum(areas), width * height, rtol=1e-3)


def test_drawn_classes_are_those_of_the_function():
    decided = decision_regions(RELUS)
    html = decided._repr_html_()
    colors = re.findall(r'<polygon points="[^"]*" fill="([^"]*)"', html)
    seen = {}
    for pixels, color in zip(polylines(html, "polygon"), colors, strict=True):
        if np.ptp(pixels, axis=0).min() > 2:
            best = int(RELUS(to_plane(pixels.mean(axis=0)[None], html)[0]).argmax())
            assert seen.setdefault(color, best) == best
    assert len(seen) == len(decided.components())


def test_crowds_are_counted_and_not_drawn(monkeypatch):
    from tropical import _notebook

    monkeypatch.setattr(_notebook, "_DRAWN", 3)
    monkeypatch.setattr(_notebook, "_LISTED", 3)
    for thing in (linear_regions(CONIC), decision_regions(RELUS), CONIC.hypersurface()):
        html = thing._repr_html_()
        assert "<svg" not in html and len(html) < 5_000
    assert "5 activation regions" in linear_regions(CONIC)._repr_html_()


# ---- tables --------------------------------------------------------------------------------------------------


@pytest.fixture
def pandas():
    return pytest.importorskip("pandas")


@pytest.mark.parametrize("f", [CONIC.to_exact(), RELUS], ids=repr)
def test_rows_of_regions_are_the_function_there(pandas, f):
    rows = linear_regions(f).to_pandas()
    points = rows[["x1", "x2"]].to_numpy()
    for k in range(1, RELUS.outputs + 1 if f is RELUS else 2):
        prefix = f"f{k}_" if f is RELUS else ""
        slopes = rows[[f"{prefix}slope_x1", f"{prefix}slope_x2"]].to_numpy()
        values = (slopes * points).sum(axis=1) + rows[f"{prefix}intercept"]
        want = RELUS(points)[:, k - 1] if f is RELUS else CONIC(points)
        np.testing.assert_allclose(values, want, rtol=1e-12, atol=1e-12)
    assert rows["bounded"].dtype == bool and rows["map"].dtype == "int64"
    assert rows["map"].nunique() == linear_regions(f).count("maps")


def test_rows_of_decision_regions_have_the_class(pandas):
    rows = decision_regions(RELUS).to_pandas()
    rows = rows[
        rows[["x1", "x2"]].abs().max(axis=1) < 1e4
    ]  # points of regions that flare slowly are far, and rounded
    assert len(rows) >= 5
    assert rows["class"].tolist() == RELUS(rows[["x1", "x2"]].to_numpy()).argmax(axis=1).tolist()


def test_rows_of_a_curve(pandas):
    rows = (x**2 + y).hypersurface().to_pandas()  # 2x = y: primitive, so of weight 1
    assert rows["weight"].tolist() == [1] and not rows["bounded"].any()
    assert rows["normal"].tolist()[0] in [(2, -1), (-2, 1)]
    half = Polynomial([[Fraction(1, 2), 0], [0, 0]], [0, 0]).hypersurface().to_pandas()
    assert half["weight"].tolist() == [0.5]


def test_no_rows(pandas):
    none = linear_regions(CONIC, partial=True, max_regions=1)
    assert len(none.to_pandas()) == len(none)
    assert len(x.hypersurface().to_pandas()) == 0


def test_large_tables_are_refused_before_they_are_made(pandas, monkeypatch):
    monkeypatch.setattr(_tables, "_MOST_NUMBERS", 10)
    with pytest.raises(BudgetExceeded, match="numbers in the table"):
        linear_regions(CONIC).to_pandas()


def test_without_pandas(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InputError, match=r"tables need pandas; install hjsym\[notebook\]"):
        linear_regions(CONIC).to_pandas()
    assert "<table" in linear_regions(CONIC)._repr_html_()


def test_all_markup_is_made_in_one_place():
    assert _html.Markup("<b>") in table({"a": [_html.Markup("<b>")]})
    assert "&lt;b&gt;" in table({"a": ["<b>"]})
