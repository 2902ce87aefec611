"""Claims of the paper that are false or loose, each with a counterexample that runs."""

__all__ = ["COUNTEREXAMPLES"]

COUNTEREXAMPLES = ()
