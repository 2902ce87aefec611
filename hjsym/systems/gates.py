"""Gates of layers that flow: each as a formula, as a function of arrays, and applied to a matrix symbol.

A smooth gate bends everywhere, so that networks with it belong to no tropical function and cannot be compiled; as part
of a flow x' = F(x) it is as good as any other.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.special
import sympy
from scipy.special import expit, ndtr
from sympy.core.symbol import Str

from hjsym.layers import Layer
from hjsym.symbols import LogSumExp
from tropical.errors import InputError

__all__ = ["GATES", "Applied", "SmoothGate", "gate_name"]

tanh, sigmoid = np.tanh, expit


def relu(z: np.ndarray) -> np.ndarray:
    return np.maximum(z, 0)


def softplus(z: np.ndarray) -> np.ndarray:
    return np.logaddexp(z, 0)


def silu(z: np.ndarray) -> np.ndarray:
    return z * expit(z)


def gelu(z: np.ndarray) -> np.ndarray:
    return z * ndtr(z)


def softmax(z: np.ndarray) -> np.ndarray:
    """Of each column."""
    return scipy.special.softmax(z, axis=0)


def softmax_rows(z: np.ndarray) -> np.ndarray:
    return scipy.special.softmax(z, axis=1)


def causal_softmax(z: np.ndarray) -> np.ndarray:
    """Of each row up to the diagonal."""
    return scipy.special.softmax(np.where(np.tri(len(z), dtype=bool), z, -np.inf), axis=1)


def layer_norm(z: np.ndarray, eps: float) -> np.ndarray:
    """Rows with mean 0 and variance 1, to which eps was added first."""
    return (z - z.mean(axis=-1, keepdims=True)) / np.sqrt(z.var(axis=-1, keepdims=True) + float(eps))


def _sigmoid(z: sympy.Expr) -> sympy.Expr:
    return 1 / (1 + sympy.exp(-z))


GATES: dict[str, tuple[Callable, Callable]] = {
    "tanh": (sympy.tanh, tanh),
    "relu": (lambda z: sympy.Max(z, 0, evaluate=False), relu),
    "sigmoid": (_sigmoid, sigmoid),
    "softplus": (lambda z: LogSumExp(1, z, 0), softplus),
    "silu": (lambda z: z * _sigmoid(z), silu),
    "gelu": (lambda z: z * (1 + sympy.erf(z / sympy.sqrt(2))) / 2, gelu),
}


def gate_name(name: str) -> str:
    """The name, if there is such a gate."""
    if name not in GATES:
        raise InputError(f"activation {name!r} is not known; pass one of {', '.join(GATES)}")
    return name


@dataclass(frozen=True, eq=False)
class SmoothGate(Layer):
    """A gate by name as a layer of a `Network`, for residual networks that `hjsym.hamiltonian` reads.

    >>> SmoothGate("tanh")(np.array([0.0, 1.0]))
    array([0.        , 0.76159416])
    """

    name: str

    def __post_init__(self):
        gate_name(self.name)

    def __call__(self, x):
        return GATES[self.name][1](x)

    def __str__(self) -> str:
        return f"SmoothGate {self.name}"


class Applied(sympy.MatrixExpr):
    """A function of matrices as one symbol, ``Applied("tanh", W*x)``: a gate, entry by entry; "softmax" of columns,
    "softmax_rows", "causal_softmax" and "layer_norm" of rows.

    >>> z = sympy.MatrixSymbol("z", 3, 1)
    >>> Applied("tanh", 2 * z), Applied("tanh", z)[0, 0]
    (tanh(2*z), tanh(z[0, 0]))
    """

    def __new__(cls, name, argument, *options):
        return super().__new__(cls, Str(str(name)), argument, *options)

    @property
    def shape(self):
        return self.args[1].shape

    def _entry(self, i, j, **kwargs):
        name, z = self.args[:2]
        if str(name) in GATES:
            return GATES[str(name)][0](z[i, j])
        if str(name) != "softmax":
            return sympy.matrices.expressions.matexpr.MatrixElement(self, i, j)
        powers = [sympy.exp(z[k, j]) for k in range(z.shape[0])]
        return powers[i] / sympy.Add(*powers)

    def _sympystr(self, printer):
        return f"{self.args[0]}({printer._print(self.args[1])})"

    def _latex(self, printer, **kwargs):
        name = str(self.args[0]).replace("_", r"\_")
        shown = r"\tanh" if name == "tanh" else rf"\operatorname{{{name}}}"
        return rf"{shown}\left({printer._print(self.args[1])}\right)"

    def _numpycode(self, printer, **kwargs):
        function = printer._module_format(f"hjsym.systems.gates.{self.args[0]}")
        return f"{function}({', '.join(printer._print(a) for a in self.args[1:])})"
