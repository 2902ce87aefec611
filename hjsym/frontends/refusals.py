"""Why a layer cannot be read, in words that say what to do."""

from tropical.errors import TropicalError

__all__ = ["DAMAGE", "refusal"]

# What Python, NumPy and the layers raise at a description that makes no sense.
DAMAGE = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError, TropicalError)

_REASONS = {
    "hardswish": "x·hardsigmoid(x) is quadratic between -3 and 3",
    "hardshrink": "it jumps, and a tropical rational function is continuous",
    "thresholdedrelu": "it jumps, and a tropical rational function is continuous",
    "threshold": "it jumps, and a tropical rational function is continuous",
    "sign": "it jumps, and a tropical rational function is continuous",
    "where": "it jumps where the condition changes",
    "greater": "it jumps, and a tropical rational function is continuous",
    "less": "it jumps, and a tropical rational function is continuous",
    "argmax": "it jumps, and a tropical rational function is continuous",
    "treeensembleclassifier": "a tree jumps from leaf to leaf",
    "treeensembleregressor": "a tree jumps from leaf to leaf",
    "reducesumsquare": "it squares its input",
    "normalizer": "it divides by the norm of its input",
    "layernorm": "it divides by the standard deviation of its input",
    "layernormalization": "it divides by the standard deviation of its input",
    "groupnorm": "it divides by the standard deviation of its input",
    "instancenormalization": "it divides by the standard deviation of its input",
    **dict.fromkeys(("lppool1d", "lppool2d", "lppool3d"), "it takes roots of sums of powers"),
    "instancenorm1d": "it divides by the standard deviation of its input",
    "instancenorm3d": "it divides by the standard deviation of its input",
    "instancenorm2d": "it divides by the standard deviation of its input",
    "multiheadattention": "it multiplies values of the input with each other",
    "scaleddotproductattention": "it multiplies values of the input with each other",
}
_CURVED = {
    *(
        "elu",
        "selu",
        "celu",
        "gelu",
        "silu",
        "swish",
        "mish",
        "tanh",
        "softsign",
        "exp",
        "log",
        "sqrt",
        "pow",
    ),
    *("sin", "cos", "erf", "logsigmoid", "tanhshrink", "square", "reciprocal", "glu", "exponential"),
    *("lstm", "gru", "rnn", "reducel2", "lpnormalization", "lrn"),
}


def refusal(name: str) -> str:
    """What to answer to a layer or function of this name that no reader knows."""
    key = name.lower().replace("_", "")
    reason = _REASONS.get(key) or ("it is curved" if key in _CURVED else "")
    if reason:
        return (
            f"{name} is not piecewise linear: {reason}; use ReLU, or Softplus as a soft one, and train again"
        )
    return f"{name} is not supported"
