"""Scaling: rates of quadrature and of fits, exponents with intervals, and what dimension they speak of."""

from hjsym.scaling.dimension import (
    PUBLISHED_EXPONENTS,
    CurveDimension,
    DataDimension,
    dimension_of_curve,
    intrinsic_dimension,
)
from hjsym.scaling.fits import PowerLaw, power_law
from hjsym.scaling.generalisation import (
    RiskStudy,
    convex_rate,
    lipschitz_rate,
    risk_study,
    trained_rate,
)
from hjsym.scaling.prescribed import PrescribedRate, prescribed_rate, rescaled, two_neuron_loss
from hjsym.scaling.quadrature import PAPER_NODES, box_layer, quadrature_rate

__all__ = [
    "PAPER_NODES",
    "PUBLISHED_EXPONENTS",
    "CurveDimension",
    "DataDimension",
    "PowerLaw",
    "PrescribedRate",
    "RiskStudy",
    "box_layer",
    "convex_rate",
    "dimension_of_curve",
    "intrinsic_dimension",
    "lipschitz_rate",
    "power_law",
    "prescribed_rate",
    "quadrature_rate",
    "rescaled",
    "risk_study",
    "trained_rate",
    "two_neuron_loss",
]
