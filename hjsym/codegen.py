"""Code from compiled networks: functions of NumPy, torch, JAX, math and mpmath, and C."""

from collections.abc import Callable, Sequence

import sympy
from sympy.printing.c import C99CodePrinter, reserved_words

from hjsym.expr import one_or_list
from hjsym.network import Network, Node
from hjsym.program import program
from tropical._arrays import FLOAT64
from tropical.errors import InputError

__all__ = ["C_FUNCTIONS", "c_function", "python_function"]

MODULES = ("numpy", "torch", "jax", "math", "mpmath")


def python_function(
    network: Network, modules: str, symbols: Sequence[sympy.Symbol] | None, limit: int
) -> Callable:
    """See `hjsym.TropicalNetwork.lambdify`."""
    if modules not in MODULES:
        raise InputError(f"modules is {modules!r}; pass one of {', '.join(map(repr, MODULES))}")
    made = program(network, symbols, limit)
    outputs = one_or_list(made.outputs)
    # Sums, products and abs are written alike for all but mpmath, whose constants are its own; what is not looks at
    # its arguments.
    written = "mpmath" if modules == "mpmath" else "math"
    return sympy.lambdify(made.inputs, outputs, written, cse=lambda _: (made.steps, outputs))


def c_function(network: Network, name: str, limit: int) -> str:
    """See `hjsym.TropicalNetwork.ccode`."""
    taken = name in reserved_words or name in C_FUNCTIONS or name in ("exp", "fabs", "log1p")
    if not (name.isidentifier() and name.isascii()) or taken:
        raise InputError(f"name is {name!r}; pass an identifier that C and the code do not use")
    if network.exact:
        nodes = tuple(Node(n.layer.astype(FLOAT64), n.inputs, n.name) for n in network.nodes)
        network = Network(network.input_size, nodes)
    symbols = [sympy.Symbol(f"x[{k}]", real=True) for k in range(network.input_size)]
    made = program(network, symbols, limit)
    printer = C99CodePrinter({"user_functions": {"Maximum": "tropical_max"}})
    lines = [f"    const double {symbol} = {printer.doprint(e)};" for symbol, e in made.steps]
    lines += [f"    y[{k}] = {printer.doprint(e)};" for k, e in enumerate(made.outputs)]
    body = "\n".join(lines)
    needed = [code for called, code in C_FUNCTIONS.items() if f"{called}(" in body]
    sizes = f"x has {network.input_size} entries, y has {network.output_size}"
    function = f"/* {sizes} */\nvoid {name}(const double *x, double *y)\n{{\n{body}\n}}\n"
    return "\n".join(["#include <math.h>\n", *needed, function])


# Code that SymPy prints for maxima, LogSumExp and GibbsMean calls these; `sympy.ccode` uses fmax for the first.
C_FUNCTIONS = {
    "tropical_max": """\
static double tropical_max(double a, double b)
{
    return a > b || a != a ? a : b; /* NaN propagates, as through fmax it does not */
}
""",
    "log_sum_exp": """\
static double log_sum_exp(double eps, int n, const double *z)
{
    int top = 0;
    double rest = 0.0;
    for (int i = 1; i < n; i++)
        if (z[i] > z[top])
            top = i;
    for (int i = 0; i < n; i++)
        if (i != top)
            rest += exp((z[i] - z[top]) / eps);
    return z[top] + eps * log1p(rest);
}
""",
    "gibbs_mean": """\
static double gibbs_mean(double eps, int n, const double *z, const double *v)
{
    int top = 0;
    double sum = 0.0, total = 0.0;
    for (int i = 1; i < n; i++)
        if (z[i] > z[top])
            top = i;
    if (eps == 0.0)
        return v[top];
    for (int i = 0; i < n; i++) {
        const double weight = exp((z[i] - z[top]) / eps);
        sum += weight;
        total += weight * v[i];
    }
    return total / sum;
}
""",
}
