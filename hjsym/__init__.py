"""Neural networks as tropical rational functions and Hamilton-Jacobi equations, in SymPy."""

from hjsym import hopf
from hjsym.compile import TropicalNetwork, compile
from hjsym.errors import ModelFileError, UnsupportedLayerError
from hjsym.forecast import Forecast
from hjsym.frontends import load
from hjsym.network import Network
from hjsym.optimum import least_margin, maximize, minimize
from hjsym.plotting import plot_slice
from hjsym.questions import equivalent, is_convex, lipschitz, nearest_boundary
from hjsym.symbols import LogSumExp

__version__ = "0.1.0"

__all__ = [
    "Forecast",
    "LogSumExp",
    "ModelFileError",
    "Network",
    "TropicalNetwork",
    "UnsupportedLayerError",
    "compile",
    "equivalent",
    "hopf",
    "is_convex",
    "least_margin",
    "lipschitz",
    "load",
    "maximize",
    "minimize",
    "nearest_boundary",
    "plot_slice",
]
