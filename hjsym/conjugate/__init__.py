"""Convex conjugates: exact where they can be, each with its domain, its maximiser and its certificate."""

from hjsym.conjugate.average import proximal_average
from hjsym.conjugate.base import ConvexFunction, Convexity
from hjsym.conjugate.boxes import BoxIndicator, BoxSupport, LargestSum
from hjsym.conjugate.convolution import infimal_convolution
from hjsym.conjugate.differences import deconvolution, toland_dual
from hjsym.conjugate.dispatch import as_function, biconjugate, conjugate, convexity
from hjsym.conjugate.domains import Ball
from hjsym.conjugate.entropic import EntropyOnHull, LogSumExp
from hjsym.conjugate.envelope import moreau_envelope, prox
from hjsym.conjugate.grid import Gridded, c_transform
from hjsym.conjugate.hull import Hull
from hjsym.conjugate.improper import Improper
from hjsym.conjugate.logdet import LogDet
from hjsym.conjugate.maxaffine import MaxAffine
from hjsym.conjugate.numeric import FromCallable
from hjsym.conjugate.perspective import perspective
from hjsym.conjugate.plq.calculus import plq_infimal_convolution, plq_proximal_average, plq_sum
from hjsym.conjugate.plq.formula import plq_from_expression
from hjsym.conjugate.plq.graph import PLQ
from hjsym.conjugate.plq.pieces import piecewise_quadratic
from hjsym.conjugate.polyhedral import PolyhedralConjugate
from hjsym.conjugate.quadratic import Quadratic
from hjsym.conjugate.radial import Power, Radial, half_squared_norm, norm
from hjsym.conjugate.separable import Separable
from hjsym.conjugate.sets import Points, SecondOrderCone, indicator, simplex, support
from hjsym.conjugate.symbolic.function import SymbolicFunction
from hjsym.conjugate.symbolic.prox import ProximalMap, symbolic_prox
from hjsym.conjugate.symbolic.read import symbolic_function

__all__ = [
    "PLQ",
    "Ball",
    "BoxIndicator",
    "BoxSupport",
    "ConvexFunction",
    "Convexity",
    "EntropyOnHull",
    "FromCallable",
    "Gridded",
    "Hull",
    "Improper",
    "LargestSum",
    "LogDet",
    "LogSumExp",
    "MaxAffine",
    "Points",
    "PolyhedralConjugate",
    "Power",
    "ProximalMap",
    "Quadratic",
    "Radial",
    "SecondOrderCone",
    "Separable",
    "SymbolicFunction",
    "as_function",
    "biconjugate",
    "c_transform",
    "conjugate",
    "convexity",
    "deconvolution",
    "half_squared_norm",
    "indicator",
    "infimal_convolution",
    "moreau_envelope",
    "norm",
    "perspective",
    "piecewise_quadratic",
    "plq_from_expression",
    "plq_infimal_convolution",
    "plq_proximal_average",
    "plq_sum",
    "prox",
    "proximal_average",
    "simplex",
    "support",
    "symbolic_function",
    "symbolic_prox",
    "toland_dual",
]
