"""How much a model file may make its reader do."""

from dataclasses import dataclass, fields
from numbers import Real

from tropical.errors import InputError

__all__ = ["DEFAULT", "Limits"]


@dataclass(frozen=True)
class Limits:
    """What `hjsym.load` spends on a model at most; beyond it there is an error before the work is done.

    Parameters
    ----------
    file_bytes : int
        Of a file, of an archive unpacked, of all external data of a model, of one tensor.
    document_bytes : int
        Of a text in JSON, which takes up to 32 times as much once it is parsed.
    memory : int
        Bytes of all arrays of the network together, and the address space of a child process.
    entries : int
        Entries that a description makes: of the matrix of a convolution, the windows of a pool, a gather.
    input_size : int
        Numbers in one sample.
    values : int
        Numbers that all layers together read for one sample.
    nodes : int
        Nodes of a graph, layers of a description.
    seconds : float
        A child process may take, by the clock and of the processor; see `hjsym.load`.

    Examples
    --------
    >>> Limits(nodes=1000).nodes
    1000
    >>> Limits(nodes=0)
    Traceback (most recent call last):
        ...
    tropical.errors.InputError: the limit of nodes is 0; pass a number > 0
    """

    file_bytes: int = 1 << 30
    document_bytes: int = 1 << 27
    memory: int = 1 << 32
    entries: int = 1 << 26
    input_size: int = 1 << 24
    values: int = 1 << 30
    nodes: int = 100_000
    seconds: float = 60.0

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, Real) or isinstance(value, bool) or not value > 0:
                raise InputError(f"the limit of {field.name} is {value!r}; pass a number > 0")


DEFAULT = Limits()
