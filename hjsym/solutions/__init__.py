"""Solutions of Hamilton–Jacobi equations u_t + H(∇u) = νΔu in closed form, by quadrature, and on grids."""

from hjsym.solutions.characteristics import Characteristics
from hjsym.solutions.grids import hopf, hopf_lax
from hjsym.solutions.march import GridSolution, march
from hjsym.solutions.mixture import Mixture
from hjsym.solutions.propagator import Propagator
from hjsym.solutions.quadrature import Viscous, hopf_cole, hopf_cole_radial
from hjsym.solutions.shocks import ShockSet, shock_set

__all__ = [
    "Characteristics", "GridSolution", "Mixture", "Propagator", "ShockSet", "Viscous", "hopf", "hopf_cole",
    "hopf_cole_radial", "hopf_lax", "march", "shock_set",
]  # fmt: skip
