"""Networks to tropical rational functions, exactly; `hjsym.rails` has the rule of each layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import sympy
from numpy.typing import ArrayLike

from hjsym import layers
from hjsym.adjoint_rounding import network_bound
from hjsym.codegen import c_function, python_function
from hjsym.errors import UnsupportedLayerError
from hjsym.expr import rational_expression
from hjsym.forecast import Forecast, forecast
from hjsym.frontends import load
from hjsym.network import Network
from hjsym.pieces import affine_piece
from hjsym.rails import Rails, rule
from tropical import Circuit, Rational
from tropical._arrays import EXACT, FLOAT64, as_points, is_exact, spoiled
from tropical._dask import at_points, is_dask
from tropical.errors import InputError

__all__ = ["TropicalNetwork", "compile"]


class TropicalNetwork(Rational):
    """A network f as a tropical rational function P ⊘ Q of circuits; see `tropical.Rational`.

    In floats f(x), its gradient and its affine pieces come from the network, which does not cancel as P(x) − Q(x)
    does; over Fractions f(x) is P(x) − Q(x). `parts` gives both values, and all have a proved `error_bound`.

    Attributes
    ----------
    network : Network
        The primal form of f: what was compiled, without its head, at the temperatures of P and Q.
    head : Layer or None
        The Sigmoid, Softmax or LogSoftmax that the network applies to f; it is not part of f.

    Examples
    --------
    >>> f = compile([([[1.0, -1.0], [0.5, 2.0]], [0.0, 1.0]), ([[1.0, -3.0]], [0.25])])
    >>> f([2.0, 1.0]), f.gradient([2.0, 1.0]), f.affine_at([2.0, 1.0])[1]
    (array([-10.75]), array([[-0.5, -7. ]]), array([-2.75]))
    >>> P, Q = f.parts([2.0, 1.0])
    >>> P - Q, bool(f.error_bound([2.0, 1.0]) < 1e-13)
    (array([-10.75]), True)
    >>> smooth = f.deform(0.1)
    >>> bool(abs(smooth([2.0, 1.0]) - f([2.0, 1.0])) <= smooth.deformation_bound())
    True
    >>> f.exactly([2, 1]), f.forecast().log2_P
    (array([Fraction(-43, 4)], dtype=object), array([1.]))
    >>> f.expr(form="max")
    -Max(x2, 1.5*x1 + 7.0*x2 + 3.0) + Max(x2 + 0.25, x1 + 0.25)
    """

    def __init__(self, P: Circuit, Q: Circuit, network: Network, head: layers.Layer | None = None):
        super().__init__(P, Q)
        self.network = network
        self.head = head

    def __repr__(self) -> str:
        sizes = f"R^{self.variables} → R^{self.P.outputs}, {len(self.network.nodes)} layers, P and Q"
        circuit = repr(self.P).partition(", ")[2].rstrip(">")
        head = "" if self.head is None else f", in front of {self.head}"
        return f"<TropicalNetwork: {sizes} of {circuit}{head}>"

    def __str__(self) -> str:
        head = "" if self.head is None else f", in front of {self.head}"
        return f"{self.network}{head}"

    def deform(self, eps: float) -> TropicalNetwork:
        """P_ε ⊘ Q_ε: every max gate becomes log-sum-exp at temperature `eps`.

        The network is deformed with them, since A ⊕_ε B − B = ε log(1 + e^{(A − B)/ε}): a ReLU of A − B becomes a
        softplus, and any bend or maximum its soft version.
        """
        P, Q = self.P.deform(eps), self.Q.deform(eps)
        return TropicalNetwork(P, Q, self.network.deform(eps), self.head)

    def __call__(self, x: ArrayLike) -> np.ndarray:
        """f(x) at points (..., d), shape (..., m): by the network in floats, P(x) − Q(x) over Fractions."""
        if is_dask(x):
            return self._lazily(self, x, (self.P.outputs,))
        x = self._points(x)
        return super().__call__(x) if self.is_exact else self._network_at(x)(x)

    def _lazily(self, function: Callable, x, tail: tuple[int, ...]):
        return at_points(function, x, self.variables, EXACT if self.is_exact else FLOAT64, [tail])[0]

    def _points(self, x: ArrayLike) -> np.ndarray:
        return as_points(x, self.variables, EXACT if self.is_exact else FLOAT64)

    def _network_at(self, x: np.ndarray) -> Network:
        """The network over the numbers of the points."""
        return self.network.to_exact() if is_exact(x) else self.network

    def error_bound(self, x: ArrayLike) -> np.ndarray:
        """A proved bound on |f(x) as computed − f(x)|, (..., m): what rounding in each layer can do to the outputs.

        Of the circuits, which grow while f need not, these are ``f.P.error_bound(x)`` and ``f.Q.error_bound(x)``.
        Cost: about three passes of `affine_at`.
        """
        return network_bound(self.network, x)

    @cached_property
    def exactly(self) -> TropicalNetwork:
        """The network compiled over Fractions: in floats the rails of a bend may have rounded its slopes."""
        if self.is_exact or any(node.layer.eps for node in self.network.nodes):
            return self
        return compile(self.network, exact=True)

    def affine_at(self, x, outputs=None) -> tuple[np.ndarray, np.ndarray]:
        """(slope, intercept) of an affine piece that f coincides with at x: shapes (..., m, d) and (..., m).

        Read off the network itself: one forward pass, and one back that carries the m outputs, or only those
        of the indices `outputs`. On the boundary between pieces a maximum takes its first entry and a bend its
        left side. Needs ε = 0.
        """
        if any(node.layer.eps for node in self.network.nodes):
            raise InputError("affine_at needs every gate at eps = 0; use gradient, or deform(0)")
        x = self._points(x)
        return spoiled(x, *affine_piece(self._network_at(x), x, outputs))

    def gradient(self, x: ArrayLike) -> np.ndarray:
        """The Jacobian of f, (..., m, d), off the network; at ε = 0 the slope of `affine_at`."""
        if is_dask(x):
            return self._lazily(self.gradient, x, (self.P.outputs, self.variables))
        x = self._points(x)
        return spoiled(x, affine_piece(self._network_at(x), x)[0])[0]

    def forecast(self, points: int = 1000, seed: int = 0) -> Forecast:
        """Sizes of the expanded P and Q, of regions and memory, before any work; see `hjsym.forecast.forecast`."""
        return forecast(self, points, seed)

    def expr(
        self, symbols=None, *, form: str = "nested", limit: int = 1_000_000, domain=None, **options
    ) -> sympy.Expr | list[sympy.Expr]:
        """f as a SymPy expression, unevaluated; a list of them for several outputs.

        Parameters
        ----------
        symbols : sequence of sympy.Symbol, optional
            One per variable; x1 … xd by default.
        form : str
            - "nested": P − Q, layer by layer; at every ε.
            - "max": P − Q with explicit P and Q, maxima of their essential monomials, at ε = 0.
            - "piecewise": a Piecewise of affine functions, each where its linear regions are, at ε = 0. In floats a
              point on a boundary may fall between conditions that are rounded.
        limit : int
            Largest number of operations in the printed formula.
        domain, **options
            For the last two forms, as in `tropical.linear_regions`.

        Raises
        ------
        BudgetExceeded
            If the formula would be larger, or there are too many regions, saying how large.

        Notes
        -----
        Maxima are `hjsym.Maximum`, which prints as Max, differentiates to a selection of slopes (`hjsym.GibbsMean`) and
        is rewritten by ``rewrite(sympy.Max)``. For numbers in floats `lambdify` is better: it does not cancel.

        Examples
        --------
        >>> f = compile([([[1, -1]], [0]), ([[2]], [1])], exact=True)
        >>> f.expr()
        -2*x2 + 2*Max(x1, x2) + 1
        >>> f.expr(form="max")
        -2*x2 + Max(2*x2 + 1, 2*x1 + 1)
        >>> f.expr(form="piecewise")
        Piecewise((2*x1 - 2*x2 + 1, -x1 + x2 <= 0), (1, x1 - x2 <= 0))
        """
        return rational_expression(self, symbols, form, limit, domain, options)

    def lambdify(self, modules: str = "numpy", symbols=None, *, limit: int = 1_000_000) -> Callable:
        """f as a plain function of its d variables, layer by layer, by SymPy's `lambdify`.

        It follows the network, so its values are as good as f(x) and it grows like the weights; gradients pass
        through it by torch and JAX. Arguments are numbers or arrays that broadcast; several outputs are a list.

        Parameters
        ----------
        modules : str
            "numpy", "torch", "jax", "math" or "mpmath".
        symbols : sequence of sympy.Symbol, optional
            Names of the arguments.
        limit : int
            Largest number of operations.

        Notes
        -----
        The code is plain Python and computes by the library of its arguments (see `hjsym.runtime`); only for mpmath
        its constants differ.

        Examples
        --------
        >>> f = compile([([[1.0, -1.0]], [0.0]), ([[2.0]], [1.0])])
        >>> f.lambdify()(np.array([1.0, 3.0]), 2.0)
        array([1., 3.])
        """
        return python_function(self.network, modules, symbols, limit)

    def _html(self) -> str | None:
        from hjsym._notebook import compiled_html

        return compiled_html(self) if self._repr_latex_() is None else None

    def ccode(self, name: str = "network", *, limit: int = 1_000_000) -> str:
        """A complete C99 function ``void name(const double *x, double *y)`` that computes f in double precision.

        Link it with ``-lm``. It follows the network, as `lambdify` does; NaN propagates.

        >>> f = compile([([[1.0, -1.0]], [0.0]), ([[2.0]], [1.0])])
        >>> print(f.ccode("scores").partition("void")[2])
         scores(const double *x, double *y)
        {
            const double h0 = x[0] - x[1];
            const double h1 = tropical_max(h0, 0);
            const double h2 = 2.0*h1 + 1;
            y[0] = h2;
        }
        <BLANKLINE>
        """
        return c_function(self.network, name, limit)


def compile(source, exact: bool = False, input_shape: Sequence[int] | None = None) -> TropicalNetwork:
    """Turn a network into its tropical rational function f = P ⊘ Q.

    Parameters
    ----------
    source
        Anything `hjsym.load` takes.
    exact : bool
        Compile over `fractions.Fraction`. Float weights are dyadic rationals, so f then equals the network
        identically, at every rational point.
    input_shape : sequence of int, optional
        The shape of one input, where the source does not know it; see `hjsym.load`.

    Returns
    -------
    TropicalNetwork
        ``f(x)`` has shape (..., m) for points (..., d), tensors flattened in C order. A final Sigmoid, Softmax
        or LogSoftmax is left out and kept in ``f.head``: f is the scores it acts on. Softplus and LogSumExp
        become gates at their temperature.

    Raises
    ------
    UnsupportedLayerError
        A layer that is not piecewise linear nor a log-sum-exp, by name and position.

    Notes
    -----
    Cost: one pass over the weights; the circuit has about four times as many.

    References
    ----------
    Zhang, Naitzat, Lim, ICML 2018, Theorem 5.4.

    Examples
    --------
    >>> f = compile([([[1.0, -1.0], [0.5, 2.0]], [0.0, 1.0]), ([[1.0, -3.0]], [0.25])])
    >>> f([2.0, 1.0])
    array([-10.75])
    >>> f.affine_at([2.0, 1.0])
    (array([[-0.5, -7. ]]), array([-2.75]))
    >>> compile(f.network, exact=True)([2, 1])
    array([Fraction(-43, 4)], dtype=object)
    """
    whole = load(source, input_shape)
    network = whole.without_head()
    if exact:
        network = network.to_exact()
    values = [Rails(Circuit.identity(network.input_size, exact=network.exact))]
    for k, node in enumerate(network.nodes):
        operands = [values[i] for i in node.inputs]
        if network.exact and node.layer.eps:
            raise UnsupportedLayerError(
                f"layer {k} ({node.layer}) is transcendental; compile without exact=True"
            )
        try:
            values.append(rule(node.layer, *operands))
        except UnsupportedLayerError as error:
            raise UnsupportedLayerError(f"layer {k} ({node}): {error}") from None
    rails = values[-1]
    return TropicalNetwork(rails.P, rails.denominator, network, whole.head)
