"""Circuits and polynomials as integer programs: the neutral form from which linear regions are enumerated.

A form is an affine function a·x + b as the list [a_1, …, a_d, b]. On a region every scalar of a circuit is one.
Each step holds its forms times a positive integer, its denominator, so that everything is in whole numbers;
floats are dyadic rationals, so nothing is rounded.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import accumulate
from math import gcd, lcm
from operator import mul

from tropical.circuit import Affine, Circuit, Input, Max, Node, entries
from tropical.domain import Domain, as_domain
from tropical.errors import InputError
from tropical.polynomial import Polynomial
from tropical.rational import Rational

__all__ = ["Gates", "Linear", "Program", "circuits_of", "compile_program", "difference", "primitive", "value"]

Form = list[int]


@dataclass(frozen=True)
class Linear:
    """rows[i] = [(step, scalar, weight)], whose weighted sum plus bias[i] is scalar i."""

    rows: list[list[tuple[int, int, int]]]
    bias: list[int]

    @property
    def size(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Gates:
    """Scalar i is the largest of scalars i of the branches, all of one denominator."""

    branches: tuple[int, ...]
    size: int


@dataclass(frozen=True)
class Program:
    """Steps in order; step 0 are the variables themselves.

    Attributes
    ----------
    inputs : list of forms
        Step 0 in the coordinates of the domain, over denominators[0].
    steps : list
        None for step 0, then `Linear` and `Gates`.
    denominators : list of int
        One per step.
    outputs : tuple of int
        The steps of P and of Q, or of P alone.
    sign : int
        −1 where both were mirrored to turn minima into maxima.
    bounds : list of forms
        a·s + b ≥ 0, the domain.
    """

    inputs: list[Form]
    steps: list[Linear | Gates | None]
    denominators: list[int]
    outputs: tuple[int, ...]
    sign: int
    bounds: list[Form]

    @property
    def variables(self) -> int:
        """Of the domain: fewer than the function has on a slice."""
        return len(self.inputs[0]) - 1

    @cached_property
    def first_gate(self) -> dict[int, int]:
        """Number of the first gate of each `Gates` step."""
        steps = [k for k, step in enumerate(self.steps) if isinstance(step, Gates)]
        return dict(zip(steps, accumulate((self.steps[k].size for k in steps), initial=0), strict=False))

    @cached_property
    def branches(self) -> list[int]:
        """How many branches each gate has."""
        return [len(s.branches) for s in self.steps if isinstance(s, Gates) for _ in range(s.size)]

    def linear_forms(self, step: Linear, forms: list[list[Form]]) -> list[Form]:
        """The forms of a `Linear` step from those before it."""
        result = []
        for row, bias in zip(step.rows, step.bias, strict=True):
            total = [0] * self.variables + [bias]
            for operand, scalar, weight in row:
                total = [t + weight * a for t, a in zip(total, forms[operand][scalar], strict=True)]
            result.append(total)
        return result

    def forms(self, winners) -> list[list[Form]]:
        """The forms of every step where gate g takes branch winners[g]."""
        forms = [self.inputs]
        for k, step in enumerate(self.steps[1:], start=1):
            if isinstance(step, Linear):
                forms.append(self.linear_forms(step, forms))
            else:
                chosen = winners[self.first_gate[k] : self.first_gate[k] + step.size]
                forms.append([forms[step.branches[w]][i] for i, w in enumerate(chosen)])
        return forms

    def cell(self, winners) -> list[Form]:
        """Forms a·s + b ≥ 0 of the cell where the first gates, as many as are given, have these winners."""
        forms, cell = [self.inputs], list(self.bounds)
        for k, step in enumerate(self.steps[1:], start=1):
            if isinstance(step, Linear):
                forms.append(self.linear_forms(step, forms))
                continue
            chosen = winners[self.first_gate[k] : self.first_gate[k] + step.size]
            for i, w in enumerate(chosen):
                branches = [forms[b][i] for b in step.branches]
                cell += [primitive(difference(branches[w], other)) for other in branches]
            if len(chosen) < step.size:
                break
            forms.append([forms[step.branches[w]][i] for i, w in enumerate(chosen)])
        return [list(form) for form in dict.fromkeys(map(tuple, cell)) if any(form)]

    def constraint(self, forms: list[list[Form]], gate: int, winner: int, loser: int) -> Form:
        """Branch `winner` minus branch `loser` of a gate."""
        step = max(k for k, first in self.first_gate.items() if first <= gate)
        i, branches = gate - self.first_gate[step], self.steps[step].branches
        return difference(forms[branches[winner]][i], forms[branches[loser]][i])

    def output(self, k: int, form: Form) -> list[Fraction]:
        """What forms of output k stand for."""
        return [Fraction(self.sign * a, self.denominators[self.outputs[k]]) for a in form]


def value(form: Form, vector) -> int:
    return sum(map(mul, form, vector))


def difference(a: Form, b: Form) -> Form:
    return [x - y for x, y in zip(a, b, strict=True)]


def primitive(vector: Form) -> Form:
    """The vector without its common factor."""
    factor = gcd(*vector)
    return [a // factor for a in vector] if factor > 1 else vector


def whole(rows: list[list[Fraction]]) -> tuple[list[Form], int]:
    """Integers and the common denominator over which the rows are those."""
    denominator = lcm(*(a.denominator for row in rows for a in row))
    return [[a.numerator * (denominator // a.denominator) for a in row] for row in rows], denominator


def compile_program(f, domain: Domain | None = None) -> Program:
    """The program of a Polynomial, a Circuit or a Rational of either, on a domain."""
    roots, sign = circuits_of(f)
    for circuit in roots:
        if not circuit.is_tropical:
            raise InputError("a gate at eps > 0 has no linear regions; deform(0) first")
    d = roots[0].variables
    domain = as_domain(domain)
    inputs, denominator = whole(domain.chart(d))
    bounds = [primitive(whole([row])[0][0]) for row in domain.inequalities(d)]
    builder = _Builder(denominator)
    builder.add_all(list(dict.fromkeys(node for c in roots for node in c.nodes)))  # operands first
    outputs = tuple(builder.position[c.node] for c in roots)
    return Program(inputs, builder.steps, builder.denominators, outputs, sign, bounds)


def circuits_of(f) -> tuple[list[Circuit], int]:
    """P and Q, or P alone, as circuits, and the sign of the semiring."""
    parts = [f.exactly.P, f.exactly.Q] if isinstance(f, Rational) else [f]
    if all(isinstance(p, Circuit) for p in parts):
        return parts, 1
    if not all(isinstance(p, Polynomial) for p in parts):
        raise InputError(f"f is a {type(f).__name__}; pass a Circuit, a Polynomial or a Rational of either")
    sign = parts[0].semiring.sign
    source = Circuit.identity(parts[0].variables, exact=parts[0].is_exact)
    return [_gate(source, p, sign) for p in parts], sign


def _gate(source: Circuit, p: Polynomial, sign: int) -> Circuit:
    """max_j ± (W_j·x + b_j) as a circuit of one gate."""
    if not p.semiring.is_tropical:
        raise InputError(f"a polynomial at eps = {p.semiring.eps:g} has no linear regions; deform(0) first")
    kept = [j for j, b in enumerate(p.coefficients) if b != p.semiring.zero]
    if not kept:
        raise InputError("the polynomial is the zero of its semiring; give it a monomial")
    terms = [source.affine(sign * p.slopes[j : j + 1], sign * p.coefficients[j : j + 1]) for j in kept]
    return Circuit(Max(1, tuple(c.node for c in terms)))


class _Builder:
    """Turns nodes into steps.

    Denominators depend on the level of a node alone, its number of affine steps from the variables: branches of
    a gate mostly have one level, so one denominator. A branch that has another gets a step that scales it.
    """

    def __init__(self, denominator: int):
        self.steps: list = [None]
        self.denominators = [denominator]
        self.position: dict[Node, int] = {}

    def add_all(self, order: list[Node]) -> None:
        levels: dict[Node, int] = {}
        for node in order:
            deepest = max((levels[u] for u in node.operands), default=0)
            levels[node] = deepest + isinstance(node, Affine)
        rational = {n: _Rows(n) for n in order if isinstance(n, Affine)}
        of_level = [self.denominators[0]]
        for level in range(1, max(levels.values()) + 1):
            rows = [r for n, r in rational.items() if levels[n] == level]
            base = of_level[-1] * lcm(*(r.weight_denominator for r in rows))
            of_level.append(lcm(base, *(r.bias_denominator for r in rows)))
        for node in order:
            if isinstance(node, Input):
                self.position[node] = 0
            elif isinstance(node, Affine):
                denominator = of_level[levels[node]]
                self._append(node, rational[node].over(denominator, self), denominator)
            else:
                self._add_gates(node)

    def _append(self, node: Node | None, step: Linear | Gates, denominator: int) -> int:
        self.steps.append(step)
        self.denominators.append(denominator)
        if node is not None:
            self.position[node] = len(self.steps) - 1
        return len(self.steps) - 1

    def _add_gates(self, node: Max) -> None:
        branches = list(dict.fromkeys(self.position[b] for b in node.branches))
        common = lcm(*(self.denominators[b] for b in branches))
        for k, b in enumerate(branches):
            factor = common // self.denominators[b]
            if factor > 1:
                rows = [[(b, i, factor)] for i in range(node.size)]
                branches[k] = self._append(None, Linear(rows, [0] * node.size), common)
        self._append(node, Gates(tuple(branches), node.size), common)


class _Rows:
    """The nonzero weights of an affine node as fractions."""

    def __init__(self, node: Affine):
        self.terms = [(operand, _fractions(entries(weights))) for weights, operand in node.terms]
        self.bias = [_ratio(b) for b in node.bias]
        self.weight_denominator = lcm(*(q for _, rows in self.terms for *_, (_, q) in rows))
        self.bias_denominator = lcm(*(q for _, q in self.bias))

    def over(self, denominator: int, builder: _Builder) -> Linear:
        rows: list[dict[tuple[int, int], int]] = [{} for _ in self.bias]
        for operand, weights in self.terms:
            step = builder.position[operand]
            scale = denominator // builder.denominators[step]
            for i, j, (p, q) in weights:
                rows[i][step, j] = rows[i].get((step, j), 0) + p * (scale // q)
        bias = [p * (denominator // q) for p, q in self.bias]
        return Linear([[(s, j, w) for (s, j), w in row.items() if w] for row in rows], bias)


def _fractions(triples) -> list[tuple[int, int, tuple[int, int]]]:
    return [(i, j, _ratio(w)) for i, j, w in triples]


def _ratio(value) -> tuple[int, int]:
    return value.as_integer_ratio()
