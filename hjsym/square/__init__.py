"""The commutative square of a layer: its four corners from any one of them, and its arrows checked at points."""

from hjsym.square.square import Arrow, Diagram, diagram

__all__ = ["Arrow", "Diagram", "diagram"]
