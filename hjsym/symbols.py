"""SymPy functions of the library: maxima, log-sum-exp and Gibbs means, which SymPy leaves as they are.

SymPy's own Max compares its arguments pair by pair when it is built, substituted into or differentiated; these
take time in proportion to their size. The Python code that SymPy prints for them calls `hjsym.runtime`, the C code
the functions of `hjsym.codegen.C_FUNCTIONS`.
"""

from collections.abc import Sequence

import sympy

from tropical.errors import BudgetExceeded

__all__ = ["GibbsMean", "LogSumExp", "Maximum"]

_MOST_COMPARISONS = 20_000


class _Printed(sympy.Function):
    """What the three have in common: generated Python code calls the function of `hjsym.runtime` of their name."""

    def _groups(self) -> tuple:
        """The arguments, some of them in tuples."""
        return self.args

    def _pythoncode(self, printer, **kwargs):
        name = printer._module_format(f"hjsym.runtime.{self.printed_name}")
        return f"{name}({', '.join(_listed(printer, a) for a in self._groups())})"

    _numpycode = _cupycode = _jaxcode = _torchcode = _mpmathcode = _cmathcode = _lambdacode = _pythoncode


setattr(_Printed, "_jax.numpycode", _Printed._pythoncode)  # its name for JAX in SymPy before 1.14


def _listed(printer, argument) -> str:
    if isinstance(argument, tuple | sympy.Tuple):
        return f"({', '.join(printer._print(a) for a in argument)},)"
    return printer._print(argument)


def _array(printer, entries: Sequence[sympy.Expr]) -> str:
    """A C99 compound literal."""
    return f"(const double[]){{{', '.join(printer._print(a) for a in entries)}}}"


def _joined(printer, entries: Sequence[sympy.Expr]) -> str:
    return ", ".join(printer._print(a) for a in entries)


class Maximum(_Printed):
    """max(z_1, …, z_N) as it is given, ``Maximum(z1, …, zN)``; prints as Max.

    Numbers alone give their maximum. The derivative is a `GibbsMean` at ε = 0: that of the first largest z. It
    rewrites as sympy.Max, as Piecewise (of quadratic size) and, with two arguments, as Abs.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> f = Maximum(x, 2 * y, 3)
    >>> f, f.subs({x: 1, y: 4}), f.diff(y)
    (Max(x, 2*y, 3), 8, GibbsMean(0, (x, 2*y, 3), (0, 2, 0)))
    >>> Maximum(x, y).diff(y).rewrite(sympy.Piecewise)
    Piecewise((0, x >= y), (1, True))
    """

    printed_name = "tropical_maximum"

    @classmethod
    def eval(cls, *args):
        if not args:
            return sympy.S.NegativeInfinity
        if len(args) == 1:
            return args[0]
        return _largest(args)[1] if _are_numbers(args) else None

    def fdiff(self, argindex=1):
        return GibbsMean(0, self.args, [int(k == argindex - 1) for k in range(len(self.args))])

    def _eval_derivative(self, s):
        return GibbsMean(0, self.args, [z.diff(s) for z in self.args])

    def _eval_is_extended_real(self):
        return True if all(z.is_extended_real for z in self.args) else None

    def _eval_evalf(self, prec):
        values = [z._eval_evalf(prec) for z in self.args]
        return Maximum(*values) if _are_numbers(values) else None

    def _eval_rewrite_as_Max(self, *args, **kwargs):
        return sympy.Max(*args, evaluate=False)

    def _eval_rewrite_as_Abs(self, *args, **kwargs):
        if len(args) == 2:
            return (args[0] + args[1] + sympy.Abs(args[0] - args[1])) / 2
        return self

    def _eval_rewrite_as_Piecewise(self, *args, **kwargs):
        return _selection(args, args)

    def _sympystr(self, printer):
        return f"Max({_joined(printer, self.args)})"

    def _latex(self, printer, exp=None):
        return _power(rf"\max\left({_joined(printer, self.args)}\right)", exp)

    def _pretty(self, printer):
        return printer._print_Function(self, func_name="Max")

    def _ccode(self, printer, **kwargs):
        name = printer.known_functions.get("Maximum", "fmax")
        codes = [printer._print(z) for z in self.args]
        while len(codes) > 1:  # a tree, as compilers dislike a nest of thousands
            pairs = [f"{name}({a}, {b})" for a, b in zip(codes[::2], codes[1::2], strict=False)]
            codes = pairs + codes[2 * len(pairs) :]
        return codes[0]


class LogSumExp(_Printed):
    """ε log Σ_i e^{z_i/ε} as one symbol, ``LogSumExp(eps, z1, …, zN)``; a `Maximum` at ε = 0.

    It differentiates to a `GibbsMean`, prints as LSE with its temperature, evaluates without overflow in
    generated code, and ``rewrite(sympy.log)`` spells it out.

    >>> x, y, e = sympy.symbols("x y e", positive=True)
    >>> f = LogSumExp(e, x, 2 * y)
    >>> f.diff(y)
    GibbsMean(e, (x, 2*y), (0, 2))
    >>> f.diff(y).rewrite(sympy.exp)
    2*exp(2*y/e)/(exp(x/e) + exp(2*y/e))
    >>> f.rewrite(sympy.log)
    e*log(exp(x/e) + exp(2*y/e))
    """

    printed_name = "log_sum_exp"

    @classmethod
    def eval(cls, eps, *args):
        return Maximum(*args) if eps.is_zero else None

    def _groups(self):
        eps, *args = self.args
        return eps, tuple(args)

    def fdiff(self, argindex=1):
        eps, *args = self.args
        if argindex > 1:
            return GibbsMean(eps, args, [int(k == argindex - 2) for k in range(len(args))])
        return (self - GibbsMean(eps, args, args)) / eps  # the entropy of the Gibbs weights

    def _eval_derivative(self, s):
        eps, *args = self.args
        slope = GibbsMean(eps, args, [z.diff(s) for z in args])
        return slope + eps.diff(s) * self.fdiff(1) if eps.has(s) else slope

    def _eval_is_extended_real(self):
        return True if all(z.is_extended_real for z in self.args) else None

    def _eval_rewrite_as_log(self, eps, *args, **kwargs):
        return eps * sympy.log(sympy.Add(*(sympy.exp(z / eps) for z in args)))

    def _eval_evalf(self, prec):
        eps, *args = (a._eval_evalf(prec) for a in self.args)
        if not _are_numbers((eps, *args)):
            return None
        first, top = _largest(args)
        if top.is_infinite:
            return top
        rest = sympy.Add(*(sympy.exp((z - top) / eps) for k, z in enumerate(args) if k != first))
        rest = sympy.Rational(rest) if rest.is_Float else rest  # 1 + rest must not round
        return (top + eps * sympy.log(1 + rest))._eval_evalf(prec)

    def _latex(self, printer, exp=None):
        eps, *args = self.args
        lead = rf"\operatorname{{LSE}}_{{{printer._print(eps)}}}"
        return _power(rf"{lead}\left({_joined(printer, args)}\right)", exp)

    def _ccode(self, printer, **kwargs):
        eps, *args = self.args
        return f"log_sum_exp({printer._print(eps)}, {len(args)}, {_array(printer, args)})"


class GibbsMean(_Printed):
    """Σ_i π_i v_i with the Gibbs weights π = softmax(z/ε), ``GibbsMean(eps, (z1, …, zN), (v1, …, vN))``.

    At ε = 0 it is the v of the first largest z. It is what `LogSumExp` and `Maximum` differentiate to, and
    differentiates to such means itself: ∂E[v] = E[∂v] + E[v w] − E[v] E[w], w = ∂(z/ε), for ε > 0; for ε = 0 the
    mean of ∂v, which leaves out jumps. ``rewrite(sympy.exp)`` and, at ε = 0, ``rewrite(sympy.Piecewise)`` spell it
    out.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> f = GibbsMean(0, (x, y), (x**2, 5))
    >>> f.subs({x: 3, y: 1}), f.diff(x), GibbsMean(1, (x, y), (7, 7))
    (9, GibbsMean(0, (x, y), (2*x, 0)), 7)
    """

    printed_name = "gibbs_mean"

    def __new__(cls, eps, z, v, **options):
        z, v = sympy.Tuple(*z), sympy.Tuple(*v)
        if len(z) != len(v) or not len(z):
            raise ValueError(
                f"got {len(z)} arguments and {len(v)} values; pass as many of one as of the other"
            )
        return super().__new__(cls, eps, z, v, **options)

    @classmethod
    def eval(cls, eps, z, v):
        if len(set(v)) == 1:
            return v[0]
        return v[_largest(z)[0]] if eps.is_zero and _are_numbers(z) else None

    def _eval_derivative(self, s):
        eps, z, v = self.args
        inner = GibbsMean(eps, z, [b.diff(s) for b in v])
        if eps.is_zero:
            return inner
        w = [(a / eps).diff(s) for a in z]
        both = GibbsMean(eps, z, [a * b for a, b in zip(w, v, strict=True)])
        return inner + both - self * GibbsMean(eps, z, w)

    def _eval_is_extended_real(self):
        eps, z, v = self.args
        return True if all(a.is_extended_real for a in (eps, *z, *v)) else None

    def _weights(self) -> list[sympy.Expr]:
        eps, z, _ = self.args
        exponentials = [sympy.exp(a / eps) for a in z]
        return [e / sympy.Add(*exponentials) for e in exponentials]

    def _eval_rewrite_as_exp(self, eps, z, v, **kwargs):
        if eps.is_zero:
            return self
        return sympy.Add(*(p * b for p, b in zip(self._weights(), v, strict=True)))

    def _eval_rewrite_as_Piecewise(self, eps, z, v, **kwargs):
        return _selection(z, v) if eps.is_zero else self

    def _eval_evalf(self, prec):
        eps, z, v = self.args
        z, v = ([a._eval_evalf(prec) for a in group] for group in (z, v))
        if not _are_numbers((eps, *z, *v)):
            return None
        first, top = _largest(z)
        if eps.is_zero:
            return v[first]
        weights = [sympy.exp((a - top) / eps) for a in z]
        total = sympy.Add(*(p * b for p, b in zip(weights, v, strict=True)))
        return (total / sympy.Add(*weights))._eval_evalf(prec)

    def _latex(self, printer, exp=None):
        eps, z, v = self.args
        where = r"\arg\max" if eps.is_zero else rf"\operatorname{{LSE}}_{{{printer._print(eps)}}}"
        values, of = _joined(printer, v), _joined(printer, z)
        return _power(rf"\left\langle {values} \right\rangle_{{{where}\left({of}\right)}}", exp)

    def _ccode(self, printer, **kwargs):
        eps, z, v = self.args
        return f"gibbs_mean({printer._print(eps)}, {len(z)}, {_array(printer, z)}, {_array(printer, v)})"


def _power(body: str, exp) -> str:
    return body if exp is None else rf"{body}^{{{exp}}}"


def _are_numbers(args) -> bool:
    """Whether all can be compared: real numbers or infinities."""
    return all(a.is_number and a.is_extended_real for a in args)


def _largest(args: Sequence[sympy.Expr]) -> tuple[int, sympy.Expr]:
    """Number and value of the first largest of some numbers."""
    first, top = 0, args[0]
    for k, a in enumerate(args):
        if a > top:
            first, top = k, a
    return first, top


def _selection(z: Sequence[sympy.Expr], v: Sequence[sympy.Expr]) -> sympy.Expr:
    """v of the first largest z. A condition leaves out arguments whose turn has passed."""
    comparisons = len(z) * (len(z) - 1) // 2
    if comparisons > _MOST_COMPARISONS:
        raise BudgetExceeded(
            "comparisons in the Piecewise", comparisons, _MOST_COMPARISONS, "keep the function as it is"
        )
    cases = [(v[k], sympy.And(*(z[k] >= a for a in z[k + 1 :]))) for k in range(len(z))]
    return sympy.Piecewise(*cases)
