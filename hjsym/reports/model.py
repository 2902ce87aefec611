"""Models that commands are given: files of networks and of log-sum-exp layers."""

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hjsym.frontends import load
from hjsym.frontends.npz import names_in_npz, read_npz
from hjsym.hopf import LSELayer
from hjsym.network import Network
from tropical.errors import InputError

__all__ = ["Model"]


@dataclass(frozen=True, eq=False)
class Model:
    """A network, the log-sum-exp layer that it is, if it is one, and the data set that its file names.

    Attributes
    ----------
    path : Path
    network : Network
    layer : LSELayer or None
    dataset : str or None
    """

    path: Path
    network: Network
    layer: LSELayer | None
    dataset: str | None

    @classmethod
    def read(cls, path: Path) -> "Model":
        """Whatever `hjsym.load` reads from a file."""
        if path.suffix == ".npz" and {"W", "b", "eps"} <= names_in_npz(path):
            layer = LSELayer.load(path)  # with its labels, which a network has no place for
            stored = read_npz(path).get("dataset")
            return cls(path, layer.to_network(), layer, None if stored is None else str(stored))
        network = load(path)
        layer = None
        with suppress(InputError):
            layer = LSELayer.from_network(network)
        return cls(path, network, layer, network.metadata.get("dataset"))

    @cached_property
    def lse(self) -> LSELayer:
        """The layer, or an error that says what the file holds instead."""
        return self.layer or LSELayer.from_network(self.network)

    @property
    def floats(self) -> Network:
        """The network over doubles: one of Fractions is rounded, weight by weight."""
        return self.network.to_float()

    def refuse_soft(self, why: str) -> None:
        """Where only piecewise-linear networks make sense."""
        for k, node in enumerate(self.network.nodes):
            if node.layer.eps:
                raise InputError(f"layer {k} ({node.layer}) is at a temperature ε > 0, {why}")

    @property
    def description(self) -> dict:
        """For machines."""
        network = self.network
        return {
            "inputs": network.input_size,
            "outputs": network.output_size,
            "parameters": network.parameters,
            "layers": [str(node.layer) for node in network.nodes],
        }
