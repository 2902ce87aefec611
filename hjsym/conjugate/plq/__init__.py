"""Piecewise linear-quadratic functions of one variable, as graphs of their subdifferential."""
