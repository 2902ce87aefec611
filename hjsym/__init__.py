"""Neural networks as tropical rational functions and Hamilton-Jacobi equations, in SymPy."""

from hjsym import hopf
from hjsym.compile import TropicalNetwork, compile
from hjsym.errors import ModelFileError, UnsupportedLayerError
from hjsym.forecast import Forecast
from hjsym.frontends import load
from hjsym.network import Network
from hjsym.questions import equivalent, is_convex, lipschitz, maximize, minimize, nearest_boundary
from hjsym.simplify_network import Simplification, simplify_network
from hjsym.symbols import LogSumExp
from hjsym.to_network import to_network
from hjsym.to_onnx import to_onnx

__version__ = "0.1.0"

__all__ = [
    "Forecast",
    "LogSumExp",
    "ModelFileError",
    "Network",
    "Simplification",
    "TropicalNetwork",
    "UnsupportedLayerError",
    "compile",
    "equivalent",
    "hopf",
    "is_convex",
    "lipschitz",
    "load",
    "maximize",
    "minimize",
    "nearest_boundary",
    "simplify_network",
    "to_network",
    "to_onnx",
]
