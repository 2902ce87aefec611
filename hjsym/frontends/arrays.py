"""Networks from lists of (W, b)."""

from collections.abc import Sequence

from hjsym.layers import Affine, Layer, Relu
from hjsym.network import Network
from tropical.errors import InputError

__all__ = ["load_arrays"]


def load_arrays(pairs: Sequence) -> Network:
    """Affine maps with ReLU between them and nothing after the last."""
    if not len(pairs):
        raise InputError("got an empty list; pass at least one (W, b) pair")
    layers: list[Layer] = []
    for k, pair in enumerate(pairs):
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            what = (
                f"{type(pair).__name__} of {len(pair)}"
                if isinstance(pair, (tuple, list))
                else type(pair).__name__
            )
            raise InputError(f"entry {k} of the list is a {what}; pass (W, b) pairs of arrays")
        layers += [Affine(*pair), Relu()]
    return Network.sequential(layers[0].weight.shape[1], layers[:-1])
