"""Neural networks as tropical rational functions and Hamilton-Jacobi equations, in SymPy."""

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hjsym import hopf
    from hjsym.compile import TropicalNetwork, compile
    from hjsym.errors import ModelFileError, UnsupportedLayerError
    from hjsym.export import to_network, to_onnx
    from hjsym.expr import expression
    from hjsym.forecast import Forecast
    from hjsym.frontends import Limits, load
    from hjsym.network import Network
    from hjsym.optimum import least_margin, maximize, minimize
    from hjsym.plotting import plot_slice
    from hjsym.pontryagin import pontryagin
    from hjsym.questions import equivalent, is_convex, lipschitz, nearest_boundary
    from hjsym.simplification import Simplification, simplify_network
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
    "Limits",
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
    "notebook",
    "page",
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
    "write_page",
]

# Found when asked for, so that `import hjsym`, and the help of its command line, do not wait for SymPy.
_HOMES = {
    "Attribution": "attribution",
    "Certificate": "robustness",
    "Diagram": "square",
    "EntropyLandscape": "bifurcation",
    "Forecast": "forecast",
    "GibbsMean": "symbols",
    "HJSystem": "systems",
    "LSEClassifier": "training",
    "LSERegressor": "training",
    "Limits": "frontends",
    "LogSumExp": "symbols",
    "Maximum": "symbols",
    "ModelFileError": "errors",
    "Network": "network",
    "Simplification": "simplification",
    "Smoothness": "robustness",
    "TropicalNetwork": "compile",
    "UnsupportedLayerError": "errors",
    "attribute": "attribution",
    "certify": "robustness",
    "compile": "compile",
    "critical_points": "bifurcation",
    "diagram": "square",
    "equivalent": "questions",
    "expression": "expr",
    "hamiltonian": "systems",
    "hessian_norm": "robustness",
    "is_convex": "questions",
    "least_margin": "optimum",
    "lipschitz": "questions",
    "load": "frontends",
    "maximize": "optimum",
    "minimize": "optimum",
    "nearest_boundary": "questions",
    "plot_slice": "plotting",
    "pontryagin": "pontryagin",
    "simplify_network": "simplification",
    "smoothness": "robustness",
    "to_network": "export",
    "to_onnx": "export",
    "write_page": "page",
}


class _Package(ModuleType):
    """A package in which a function of the name of its module, such as `compile`, stays the function."""

    def __setattr__(self, name: str, value: object) -> None:
        if isinstance(value, ModuleType) and _HOMES.get(name) == name:
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str):
    home = f"hjsym.{_HOMES.get(name, name)}"
    try:
        module = importlib.import_module(home)
    except ModuleNotFoundError as error:
        if error.name != home:
            raise
        this = sys.modules[__name__]
        raise AttributeError(f"module 'hjsym' has no attribute {name!r}", name=name, obj=this) from None
    return getattr(module, name) if name in _HOMES else module


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
