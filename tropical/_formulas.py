"""Functions as LaTeX in ordinary notation, and how long their formulas are."""

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from tropical._html import ShowsItself, shown
from tropical.errors import BudgetExceeded
from tropical.sparse import numbers

if TYPE_CHECKING:
    from tropical.circuit import Circuit, Node
    from tropical.polynomial import Polynomial

__all__ = ["HasFormula", "in_display", "operation_counts", "stored_numbers", "sum_of_two"]

_SHOWN = 300  # operations in a formula that a notebook shows
_LETTERS = 20_000  # of it: exact numbers may be long
_COUNTED = 20_000  # weights in which operations are counted before that


class HasFormula(ShowsItself):
    """What `Polynomial`, `PolynomialMap`, `Rational` and `Circuit` inherit: their formula as LaTeX."""

    def latex(self, limit: int = 10_000) -> str:
        r"""The formula in ordinary notation: maxima of affine functions, LSE at ε > 0; a column for several outputs.

        Numbers are rounded to six digits. Raises BudgetExceeded above `limit` operations, before writing any.

        >>> from tropical import variables
        >>> x, y = variables(2)
        >>> print(((x * y**2 + -1) / y).latex())
        \max\left(x_{1} + 2 x_{2},\, -1\right) - x_{2}
        """
        operations = _operations(self)
        if operations > limit:
            raise BudgetExceeded(
                "operations in the formula", operations, limit, "take fewer outputs, or raise limit="
            )
        rows = _rows(self)
        if len(rows) == 1:
            return rows[0]
        return r"\begin{pmatrix} " + r" \\ ".join(rows) + r" \end{pmatrix}"

    def _repr_latex_(self) -> str | None:
        """For notebooks; None where the formula is long."""
        return shown(lambda: in_display(self.latex()) if _is_short(self) else None, _LETTERS)

    def _html(self) -> str | None:
        """What there is to say in place of a long formula."""
        from tropical._notebook import function_html

        return function_html(self) if self._repr_latex_() is None else None


def in_display(latex: str) -> str:
    """A formula as notebooks take it."""
    return rf"$\displaystyle {latex}$"


def _is_short(f) -> bool:
    """Whether a notebook shows the formula; of large functions nothing is counted."""
    from tropical.polynomial import Polynomial
    from tropical.polynomial_map import PolynomialMap
    from tropical.rational import Rational

    parts = [f.P, f.Q] if isinstance(f, Rational) else f if isinstance(f, PolynomialMap) else [f]
    size = sum(p.slopes.size if isinstance(p, Polynomial) else stored_numbers(p) for p in parts)
    return size <= _COUNTED and _operations(f) <= _SHOWN


def stored_numbers(circuit: "Circuit") -> int:
    """How many weights its affine maps hold."""
    from tropical.circuit import Affine

    terms = (term for node in circuit.nodes if isinstance(node, Affine) for term in node.terms)
    return sum(numbers(weights).size for weights, _ in terms)


def _operations(f) -> int:
    from tropical.polynomial import Polynomial
    from tropical.polynomial_map import PolynomialMap
    from tropical.rational import Rational

    if isinstance(f, Rational):
        return _operations(f.P) + _operations(f.Q)
    if isinstance(f, PolynomialMap):
        return sum(map(_operations, f))
    if isinstance(f, Polynomial):
        return len(f) + 1 + 2 * int((f.slopes != 0).sum())
    return sum(operation_counts(f))


def operation_counts(circuit: "Circuit") -> list[int]:
    """Nodes of the expression tree of each output, before building it."""
    from tropical.circuit import Affine, Input, entries

    counts: dict[Node, list[int]] = {}
    for node in circuit.nodes:
        if isinstance(node, Input):
            counts[node] = [1] * node.size
        elif isinstance(node, Affine):
            counts[node] = [1] * node.size
            for weights, operand in node.terms:
                for i, j, _ in entries(weights):
                    counts[node][i] += 1 + counts[operand][j]
        else:
            counts[node] = [1 + sum(c) for c in zip(*(counts[b] for b in node.branches), strict=True)]
    return counts[circuit.node]


# ---- writing -----------------------------------------------------------------------------------------


def _rows(f) -> list[str]:
    """The formula of each output."""
    from tropical.polynomial import Polynomial
    from tropical.polynomial_map import PolynomialMap
    from tropical.rational import Rational

    if isinstance(f, PolynomialMap):
        return [_polynomial(p) for p in f]
    if isinstance(f, Rational):
        return [_difference(p, q) for p, q in zip(_rows(f.P), _rows(f.Q), strict=True)]
    return [_polynomial(f)] if isinstance(f, Polynomial) else _circuit(f)


def _difference(p: str, q: str) -> str:
    if q == "0":
        return p
    return f"{p} - {q}" if _is_one_term(q) else rf"{p} - \left({q}\right)"


def _is_one_term(text: str) -> bool:
    """Whether a sign may stand in front: no sum outside of brackets."""
    depth = 0
    if text.startswith("-"):
        return False
    for word in text.split():
        if depth == 0 and word in ("+", "-"):
            return False
        depth += word.count(r"\left") - word.count(r"\right")
    return True


def _polynomial(p: "Polynomial") -> str:
    kept = p.coefficients != p.semiring.zero
    names = [f"x_{{{k}}}" for k in range(1, p.variables + 1)]
    terms = [
        _sum([*zip(row, names, strict=True), (b, "")])
        for row, b in zip(p.slopes[kept], p.coefficients[kept], strict=True)
    ]
    if not terms:
        return ("-" if p.semiring.sign > 0 else "") + r"\infty"
    return _gate(p.semiring.sign, p.semiring.eps, terms)


def _circuit(c: "Circuit") -> list[str]:
    from tropical.circuit import Affine, Input, entries

    written: dict[Node, list[str]] = {}
    for node in c.nodes:
        if isinstance(node, Input):
            written[node] = [f"x_{{{k}}}" for k in range(1, node.size + 1)]
        elif isinstance(node, Affine):
            rows: list[list] = [[] for _ in node.bias]
            for weights, operand in node.terms:
                for i, j, w in entries(weights):
                    rows[i].append((w, _factor(written[operand][j])))
            written[node] = [_sum([*row, (b, "")]) for row, b in zip(rows, node.bias, strict=True)]
        else:
            branches = zip(*(written[b] for b in node.branches), strict=True)
            written[node] = [_gate(1, c._temperature(node), row) for row in branches]
    return written[c.node]


def _factor(text: str) -> str:
    return text if _is_one_term(text) else rf"\left({text}\right)"


def _gate(sign: int, eps: float, terms: Sequence[str]) -> str:
    if len(terms) == 1:
        return terms[0]
    if eps > 0:
        name = rf"\operatorname{{{'LSE' if sign > 0 else 'softmin'}}}_{{{_number(eps)}}}"
    else:
        name = r"\max" if sign > 0 else r"\min"
    joined = r",\, ".join(terms)
    return rf"{name}\left({joined}\right)"


def sum_of_two(sign: int, eps: float) -> str:
    """a ⊕ b, written out."""
    if eps == 0:
        return _gate(sign, eps, "ab")
    e, minus = _number(eps), "" if sign > 0 else "-"
    return rf"{minus}{e} \log\left(e^{{{minus}a / {e}}} + e^{{{minus}b / {e}}}\right)"


def _sum(terms: Sequence[tuple]) -> str:
    """Σ weight · name; the empty name is 1."""
    text = ""
    for weight, name in terms:
        if weight == 0:
            continue
        size = "" if abs(weight) == 1 and name else _number(abs(weight))
        term = f"{size} {name}".strip()
        joint = (" - " if weight < 0 else " + ") if text else ("-" if weight < 0 else "")
        text += joint + term
    return text or "0"


def _number(value) -> str:
    if isinstance(value, Fraction):
        return str(value) if value.denominator == 1 else rf"\frac{{{value.numerator}}}{{{value.denominator}}}"
    digits, _, exponent = f"{float(value):.6g}".partition("e")
    return rf"{digits} \cdot 10^{{{int(exponent)}}}" if exponent else digits
