"""Largest and least values of piecewise-linear functions over a domain, exact or between proved bounds."""

from hjsym.optimum.maximum import as_function, least_margin, maximize, minimize

__all__ = ["as_function", "least_margin", "maximize", "minimize"]
