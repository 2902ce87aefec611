"""SymPy functions of the library."""

import sympy

__all__ = ["LogSumExp"]


class LogSumExp(sympy.Function):
    """ε log Σ_i e^{z_i/ε} as one symbol, ``LogSumExp(eps, z1, …, zN)``.

    It differentiates to Gibbs weights, prints as LSE with its temperature, evaluates without overflow in
    `lambdify`, and ``rewrite(sympy.log)`` spells it out.

    >>> x, y, e = sympy.symbols("x y e", positive=True)
    >>> f = LogSumExp(e, x, 2 * y)
    >>> f.diff(y)
    2*exp((2*y - LogSumExp(e, x, 2*y))/e)
    >>> f.rewrite(sympy.log)
    e*log(exp(x/e) + exp(2*y/e))
    """

    @classmethod
    def eval(cls, eps, *args):
        return None

    def fdiff(self, argindex=1):
        eps, *args = self.args
        if argindex > 1:
            return sympy.exp((self.args[argindex - 1] - self) / eps)
        mean = sympy.Add(*(z * sympy.exp((z - self) / eps) for z in args))
        return (self - mean) / eps  # the entropy of the Gibbs weights

    def _eval_rewrite_as_log(self, eps, *args, **kwargs):
        return eps * sympy.log(sympy.Add(*(sympy.exp(z / eps) for z in args)))

    def _eval_evalf(self, prec):
        eps, *args = self.args
        top = sympy.Max(*args)
        if not top.is_number:
            return None
        shifted = sympy.Add(*(sympy.exp((z - top) / eps) for z in args))
        return (top + eps * sympy.log(shifted))._eval_evalf(prec)

    def _latex(self, printer, exp=None):
        eps, *args = self.args
        inside = ", ".join(printer._print(a) for a in args)
        body = rf"\operatorname{{LSE}}_{{{printer._print(eps)}}}\left({inside}\right)"
        return body if exp is None else rf"{body}^{{{exp}}}"

    def _numpycode(self, printer, **kwargs):
        eps, *args = self.args
        scaled = ", ".join(f"({printer._print(a)})/({printer._print(eps)})" for a in args)
        fold = printer._module_format("numpy.logaddexp.reduce")
        spread = printer._module_format("numpy.broadcast_arrays")
        return f"({printer._print(eps)})*{fold}({spread}({scaled}))"

    def _pythoncode(self, printer, **kwargs):
        return printer._print(self.rewrite(sympy.log))

    _mpmathcode = _pythoncode
