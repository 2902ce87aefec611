"""Tropical (max-plus, min-plus) algebra and its log-sum-exp deformation, on a compiled core.

The environment variable TROPICAL_CPU (baseline, avx2 or avx512) sets a ceiling on the instruction set.
"""

import os

try:
    from tropical import _core
except ImportError as error:
    raise ImportError(
        "the compiled core of tropical is missing: this is a source folder that was not built. "
        "Run `make test` or `pip install .`, and start Python from another folder"
    ) from error
from tropical._threads import usable_threads
from tropical._truncation import Truncation
from tropical.chain import ChainMarginals, backward, forward, forward_backward, viterbi
from tropical.circuit import Circuit
from tropical.closure import plus, star
from tropical.convexity import Convexity, is_convex
from tropical.decision import DecisionRegions, decision_regions
from tropical.determinant import count_optimal_permutations, determinant, is_singular
from tropical.domain import Box, Polyhedron, Slice
from tropical.equivalence import Equivalence, equivalent
from tropical.errors import (
    BudgetExceeded,
    DivergenceError,
    InputError,
    SemiringMismatchError,
    ShapeError,
    TropicalError,
    WorkerError,
)
from tropical.essential import essential
from tropical.extremum import Extremum, maximize, minimize
from tropical.graph import from_graph, to_graph
from tropical.hypersurface import Hypersurface, HypersurfaceCell
from tropical.intersection import stable_intersection
from tropical.lipschitz import Lipschitz, lipschitz
from tropical.matrix import matmul
from tropical.nearest import NearestBoundary, nearest_boundary
from tropical.paths import BestPaths, best_paths, path_sums
from tropical.periodicity import cyclicity, transient
from tropical.plotting import plot_curve, plot_decision_boundary, plot_duality, plot_surface
from tropical.polynomial import Polynomial, variables
from tropical.polynomial_map import PolynomialMap
from tropical.polytope import Polytope, mixed_volume
from tropical.power import power
from tropical.pruning import Pruning, Removal
from tropical.rank import column_rank, tropical_rank
from tropical.rational import Rational
from tropical.regions import Region, Regions, linear_regions
from tropical.residuation import fixed_point, is_solvable, residual, solve
from tropical.roots import factor, from_roots, interpolate, is_split, split_form
from tropical.semiring import MAX_PLUS, MIN_PLUS, Semiring
from tropical.spectral import critical_graph, eigenvalue, eigenvalues, eigenvectors
from tropical.stream import stream
from tropical.subdivision import Face, Subdivision
from tropical.topology import betti_numbers
from tropical.transform import hopf_cole, hopf_lax, legendre

__all__ = [
    "MAX_PLUS",
    "MIN_PLUS",
    "BestPaths",
    "Box",
    "BudgetExceeded",
    "ChainMarginals",
    "Circuit",
    "Convexity",
    "DecisionRegions",
    "DivergenceError",
    "Equivalence",
    "Extremum",
    "Face",
    "Hypersurface",
    "HypersurfaceCell",
    "InputError",
    "Lipschitz",
    "NearestBoundary",
    "Polyhedron",
    "Polynomial",
    "PolynomialMap",
    "Polytope",
    "Pruning",
    "Rational",
    "Region",
    "Regions",
    "Removal",
    "Semiring",
    "SemiringMismatchError",
    "ShapeError",
    "Slice",
    "Subdivision",
    "TropicalError",
    "Truncation",
    "WorkerError",
    "backward",
    "best_paths",
    "betti_numbers",
    "column_rank",
    "core_info",
    "count_optimal_permutations",
    "critical_graph",
    "cyclicity",
    "decision_regions",
    "determinant",
    "eigenvalue",
    "eigenvalues",
    "eigenvectors",
    "equivalent",
    "essential",
    "factor",
    "fixed_point",
    "forward",
    "forward_backward",
    "from_graph",
    "from_roots",
    "hopf_cole",
    "hopf_lax",
    "interpolate",
    "is_convex",
    "is_singular",
    "is_solvable",
    "is_split",
    "legendre",
    "linear_regions",
    "lipschitz",
    "matmul",
    "maximize",
    "minimize",
    "mixed_volume",
    "nearest_boundary",
    "path_sums",
    "plot_curve",
    "plot_decision_boundary",
    "plot_duality",
    "plot_surface",
    "plus",
    "power",
    "residual",
    "solve",
    "split_form",
    "stable_intersection",
    "star",
    "stream",
    "to_graph",
    "transient",
    "tropical_rank",
    "variables",
    "viterbi",
]

_core.set_ceiling(os.environ.get("TROPICAL_CPU") or None)


def core_info() -> dict[str, str]:
    """What the compiled core runs on: instruction set, threads at most, and compiler. No BLAS is called.

    >>> sorted(core_info())
    ['compiler', 'instruction_set', 'threads']
    """
    return {
        "instruction_set": _core.instruction_set(),
        "threads": str(usable_threads()),
        "compiler": _core.compiler(),
    }
