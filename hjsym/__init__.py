"""Neural networks as tropical rational functions and Hamilton-Jacobi equations, in SymPy."""

from hjsym import hopf, solutions, systems
from hjsym.compile import TropicalNetwork, compile
from hjsym.errors import ModelFileError, UnsupportedLayerError
from hjsym.expr import expression
from hjsym.forecast import Forecast
from hjsym.frontends import load
from hjsym.network import Network
from hjsym.pontryagin import pontryagin
from hjsym.questions import equivalent, is_convex, lipschitz, maximize, minimize, nearest_boundary
from hjsym.symbols import GibbsMean, LogSumExp, Maximum
from hjsym.systems import HJSystem, hamiltonian

__version__ = "0.1.0"

__all__ = [
    "Forecast",
    "GibbsMean",
    "HJSystem",
    "LogSumExp",
    "Maximum",
    "ModelFileError",
    "Network",
    "TropicalNetwork",
    "UnsupportedLayerError",
    "compile",
    "equivalent",
    "expression",
    "hamiltonian",
    "hopf",
    "is_convex",
    "lipschitz",
    "load",
    "maximize",
    "minimize",
    "nearest_boundary",
    "pontryagin",
    "solutions",
    "systems",
]
