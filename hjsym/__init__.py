"""Neural networks as tropical rational functions and Hamilton-Jacobi equations, in SymPy."""

import importlib
import sys

from hjsym import hopf
from hjsym.compile import TropicalNetwork, compile
from hjsym.errors import ModelFileError, UnsupportedLayerError
from hjsym.export import to_network, to_onnx
from hjsym.expr import expression
from hjsym.forecast import Forecast
from hjsym.frontends import load
from hjsym.network import Network
from hjsym.plotting import plot_slice
from hjsym.pontryagin import pontryagin
from hjsym.questions import equivalent, is_convex, lipschitz, nearest_boundary
from hjsym.symbols import GibbsMean, LogSumExp, Maximum

__version__ = "0.1.0"

__all__ = [
    "Attribution",
    "Certificate",
    "Diagram",
    "EntropyLandscape",
    "Forecast",
    "GibbsMean",
    "HJSystem",
    "LSEClassifier",
    "LSERegressor",
    "LogSumExp",
    "Maximum",
    "ModelFileError",
    "Network",
    "Simplification",
    "Smoothness",
    "TropicalNetwork",
    "UnsupportedLayerError",
    "attribute",
    "attribution",
    "bifurcation",
    "certify",
    "compile",
    "conjugate",
    "critical_points",
    "datasets",
    "diagram",
    "equivalent",
    "expression",
    "hamiltonian",
    "hessian_norm",
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
    "robustness",
    "scaling",
    "simplify_network",
    "smoothness",
    "solutions",
    "systems",
    "to_network",
    "to_onnx",
    "training",
]

# Found when asked for: convex conjugates alone take as long to import as all the rest, and scipy.optimize a quarter.
_LATER = {
    "Attribution": "hjsym.attribution",
    "Certificate": "hjsym.robustness",
    "Diagram": "hjsym.square",
    "EntropyLandscape": "hjsym.bifurcation",
    "HJSystem": "hjsym.systems",
    "LSEClassifier": "hjsym.training",
    "LSERegressor": "hjsym.training",
    "Simplification": "hjsym.simplification",
    "Smoothness": "hjsym.robustness",
    "attribute": "hjsym.attribution",
    "attribution": None,
    "bifurcation": None,
    "certify": "hjsym.robustness",
    "conjugate": None,
    "critical_points": "hjsym.bifurcation",
    "datasets": None,
    "diagram": "hjsym.square",
    "hamiltonian": "hjsym.systems",
    "hessian_norm": "hjsym.robustness",
    "kp": None,
    "least_margin": "hjsym.optimum",
    "maximize": "hjsym.optimum",
    "minimize": "hjsym.optimum",
    "robustness": None,
    "scaling": None,
    "simplify_network": "hjsym.simplification",
    "smoothness": "hjsym.robustness",
    "solutions": None,
    "systems": None,
    "training": None,
}


def __getattr__(name: str):
    if name not in _LATER:
        this = sys.modules[__name__]
        raise AttributeError(f"module 'hjsym' has no attribute {name!r}", name=name, obj=this)
    home = _LATER[name]
    return (
        importlib.import_module(f"hjsym.{name}")
        if home is None
        else getattr(importlib.import_module(home), name)
    )


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
