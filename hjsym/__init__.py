"""Neural networks as tropical rational functions and Hamilton-Jacobi equations, in SymPy."""

from hjsym import hopf
from hjsym.compile import TropicalNetwork, compile
from hjsym.errors import ModelFileError, UnsupportedLayerError
from hjsym.expr import expression
from hjsym.forecast import Forecast
from hjsym.frontends import load
from hjsym.network import Network
from hjsym.questions import equivalent, is_convex, lipschitz, maximize, minimize, nearest_boundary
from hjsym.symbols import GibbsMean, LogSumExp, Maximum

__version__ = "0.1.0"

__all__ = [
    "Forecast",
    "GibbsMean",
    "LogSumExp",
    "Maximum",
    "ModelFileError",
    "Network",
    "TropicalNetwork",
    "UnsupportedLayerError",
    "compile",
    "equivalent",
    "expression",
    "hopf",
    "is_convex",
    "lipschitz",
    "load",
    "maximize",
    "minimize",
    "nearest_boundary",
]
