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
from tropical._truncation import Truncation
from tropical.circuit import Circuit
from tropical.closure import plus, star
from tropical.determinant import count_optimal_permutations, determinant, is_singular
from tropical.errors import (
    BudgetExceeded,
    DivergenceError,
    InputError,
    SemiringMismatchError,
    ShapeError,
    TropicalError,
)
from tropical.graph import from_graph, to_graph
from tropical.matrix import matmul
from tropical.paths import BestPaths, best_paths, path_sums
from tropical.periodicity import cyclicity, transient
from tropical.polynomial import Polynomial, variables
from tropical.polytope import Polytope, mixed_volume
from tropical.power import power
from tropical.pruning import Pruning, Removal
from tropical.rank import column_rank, tropical_rank
from tropical.rational import Rational
from tropical.residuation import fixed_point, is_solvable, residual, solve
from tropical.roots import factor, from_roots, interpolate, is_split, split_form
from tropical.semiring import MAX_PLUS, MIN_PLUS, Semiring
from tropical.spectral import critical_graph, eigenvalue, eigenvalues, eigenvectors
from tropical.subdivision import Face, Subdivision
from tropical.transform import hopf_cole, hopf_lax, legendre

__all__ = [
    "MAX_PLUS",
    "MIN_PLUS",
    "BestPaths",
    "BudgetExceeded",
    "Circuit",
    "DivergenceError",
    "Face",
    "InputError",
    "Polynomial",
    "Polytope",
    "Pruning",
    "Rational",
    "Removal",
    "Semiring",
    "SemiringMismatchError",
    "ShapeError",
    "Subdivision",
    "TropicalError",
    "Truncation",
    "best_paths",
    "column_rank",
    "core_info",
    "count_optimal_permutations",
    "critical_graph",
    "cyclicity",
    "determinant",
    "eigenvalue",
    "eigenvalues",
    "eigenvectors",
    "factor",
    "fixed_point",
    "from_graph",
    "from_roots",
    "hopf_cole",
    "hopf_lax",
    "interpolate",
    "is_singular",
    "is_solvable",
    "is_split",
    "legendre",
    "matmul",
    "mixed_volume",
    "path_sums",
    "plus",
    "power",
    "residual",
    "solve",
    "split_form",
    "star",
    "to_graph",
    "transient",
    "tropical_rank",
    "variables",
]

_core.set_ceiling(os.environ.get("TROPICAL_CPU") or None)


def core_info() -> dict[str, str]:
    """What the compiled core runs on.

    >>> sorted(core_info())
    ['instruction_set']
    """
    return {"instruction_set": _core.instruction_set()}
