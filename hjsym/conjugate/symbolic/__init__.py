"""Functions of one variable as SymPy formulas: read, matched, transformed, verified."""
