"""Neural networks as tropical rational functions and Hamilton-Jacobi equations, in SymPy."""

import importlib

from hjsym import hopf
from hjsym.compile import TropicalNetwork, compile
from hjsym.errors import ModelFileError, UnsupportedLayerError
from hjsym.expr import expression
from hjsym.forecast import Forecast
from hjsym.frontends import load
from hjsym.network import Network
from hjsym.optimum import least_margin, maximize, minimize
from hjsym.plotting import plot_slice
from hjsym.pontryagin import pontryagin
from hjsym.questions import equivalent, is_convex, lipschitz, nearest_boundary
from hjsym.simplify_network import Simplification, simplify_network
from hjsym.symbols import GibbsMean, LogSumExp, Maximum
from hjsym.to_network import to_network
from hjsym.to_onnx import to_onnx

__version__ = "0.1.0"

__all__ = [
    "Attribution",
    "Diagram",
    "EntropyLandscape",
    "Forecast",
    "GibbsMean",
    "HJSystem",
    "LogSumExp",
    "Maximum",
    "ModelFileError",
    "Network",
    "Simplification",
    "TropicalNetwork",
    "UnsupportedLayerError",
    "attribute",
    "attribution",
    "bifurcation",
    "compile",
    "conjugate",
    "critical_points",
    "diagram",
    "equivalent",
    "expression",
    "hamiltonian",
    "hopf",
    "is_convex",
    "kp",
    "least_margin",
    "lipschitz",
    "load",
    "maximize",
    "minimize",
    "nearest_boundary",
    "plot_slice",
    "pontryagin",
    "scaling",
    "simplify_network",
    "solutions",
    "systems",
    "to_network",
    "to_onnx",
]

# Found when asked for: convex conjugates alone take as long to import as all the rest.
_LATER = {
    "Attribution": "hjsym.attribution",
    "attribute": "hjsym.attribution",
    "attribution": None,
    "Diagram": "hjsym.square",
    "EntropyLandscape": "hjsym.bifurcation",
    "HJSystem": "hjsym.systems",
    "bifurcation": None,
    "conjugate": None,
    "critical_points": "hjsym.bifurcation",
    "diagram": "hjsym.square",
    "hamiltonian": "hjsym.systems",
    "kp": None,
    "scaling": None,
    "solutions": None,
    "systems": None,
}


def __getattr__(name: str):
    if name not in _LATER:
        raise AttributeError(f"module 'hjsym' has no attribute {name!r}")
    home = _LATER[name]
    return (
        importlib.import_module(f"hjsym.{name}")
        if home is None
        else getattr(importlib.import_module(home), name)
    )


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
