"""Convex conjugates: exact where they can be, each with its domain, its maximiser and its certificate."""

from hjsym.conjugate.base import ConvexFunction, Convexity
from hjsym.conjugate.dispatch import as_function, conjugate

__all__ = ["ConvexFunction", "Convexity", "as_function", "conjugate"]
