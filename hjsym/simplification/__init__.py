"""Smaller networks that compute the same on a domain, with a proof for each unit that went."""

from hjsym.simplification.simplify import Proof, Removal, Saving, Simplification, simplify_network

__all__ = ["Proof", "Removal", "Saving", "Simplification", "simplify_network"]
