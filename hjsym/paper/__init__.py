"""The experiments of arXiv:2605.28983, reproduced: its figures, ours, and where it is wrong."""

from hjsym.paper.runner import Reproduction, reproduce

__all__ = ["Reproduction", "reproduce"]
