"""Tropical functions as networks again, and networks as ONNX models."""

from hjsym.export.to_network import to_network
from hjsym.export.to_onnx import to_onnx

__all__ = ["to_network", "to_onnx"]
