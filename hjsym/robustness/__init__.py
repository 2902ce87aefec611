"""How fast log-sum-exp layers and deformed networks can change, and radii within which a decision is proved to hold.

certify(polynomials, x)          # radii around x, each with the bound that proves it
smoothness(f, eps)               # Lipschitz constants and bounds of the curvature, on all of R^d
hessian_norm(layer, x)           # the norm of ∇²f at points
"""

from hjsym.robustness.certificates import Certificate, Smoothness, certify, hessian_norm, smoothness

__all__ = ["Certificate", "Smoothness", "certify", "hessian_norm", "smoothness"]
