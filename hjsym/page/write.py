"""`write_page`: what a page of a model holds, and what was left out of it."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hjsym._files import replaced
from hjsym.compile import TropicalNetwork
from hjsym.frontends import load
from hjsym.hopf import LSELayer
from hjsym.network import Network
from hjsym.page.document import document
from hjsym.page.layer_page import layer_page
from hjsym.page.network_page import network_page
from hjsym.page.view import choose_plane, given_plane
from hjsym.reports.model import Model
from tropical.errors import InputError

__all__ = ["Page", "write_page"]


@dataclass(frozen=True)
class Page:
    """A page that was written.

    Attributes
    ----------
    path : Path
    size : int
        In bytes.
    kind : {"layer", "network", "table"}
        What the page computes: a log-sum-exp layer; a network from its weights; or nothing, its values being a table,
        where a network has too many weights.
    variables : int
        1 or 2, of the slice.
    text : str
        What the slice is.
    cells : int
        How many linear regions are drawn.
    left_out : tuple of str
        What the page leaves out, and why; it says so itself.
    """

    path: Path
    size: int
    kind: str
    variables: int
    text: str
    cells: int
    left_out: tuple[str, ...]


def write_page(
    model,
    path: str | os.PathLike,
    *,
    domain=None,
    points: Sequence[int] | None = None,
    variables: int | None = None,
    t: float = 1.0,
    title: str | None = None,
) -> Page:
    """Write one HTML file that shows a slice of a model at every temperature.

    A slider moves ε from 0, the tropical limit, upwards. The page shows the function with its limit and its reading
    as the solution of a Hamilton–Jacobi equation; the linear regions of the slice; what each term contributes at a
    point; the entropy of Gibbs weights with its critical points, and their bifurcations; and the commutative square
    with the error of each arrow. It needs no network and no other file.

    Parameters
    ----------
    model
        An `LSELayer`, or the path of one; a network, or anything that `hjsym.load` reads. A network Affine → LogSumExp
        is a layer. Others must be piecewise linear or softened so, and are shown as P ⊘ Q at every ε.
    path : str or path
        Of the page; it appears whole or not at all.
    domain : Box, (low, high) or Slice, optional
        The window, for one or two inputs; for more a `tropical.Slice` with one or two directions, within a Box.
    points : sequence of int, optional
        Numbers of two or three points of the data set that the model names, to look at the line or plane through them.
    variables : {1, 2}, optional
        Whether to look at a line or a plane, where neither `domain` nor `points` says; a plane if there can be one.
    t : float
        Time of the kernel gauge, > 0.
    title : str, optional
        The name of the file of the model by default.

    Returns
    -------
    Page

    Raises
    ------
    InputError
        A window that is not finite, points without a data set, a time that is not positive.
    UnsupportedLayerError, ModelFileError
        As `hjsym.compile` and `hjsym.load` do.

    Notes
    -----
    The page holds the weights of the slice, doubles to the last bit, and computes from these; its values differ from
    the library's by rounding. Models too large for that give a smaller page: layers keep the 4,000 neurons nearest to
    the maximum, beside a proved bound on what the others add; networks with more than 120,000 weights on the slice a
    table of values. Seconds, and below five megabytes.

    Examples
    --------
    >>> import tempfile
    >>> layer = LSELayer([[1.0], [-1.0], [0.0]], [0.0, 0.0, 0.5], eps=0.1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = write_page(layer, Path(folder) / "page.html")
    ...     page.kind, page.variables, page.cells, page.size < 200_000
    ('layer', 1, 3, True)
    """
    if not (math.isfinite(t) and t > 0):
        raise InputError(f"t is {t}; pass a finite time > 0, of the kernel gauge")
    if points is not None and domain is not None:
        raise InputError("both domain and points are given; pass one of them")
    found, dataset, name = _read(model)
    title = name if title is None else title
    d = found.variables if isinstance(found, LSELayer) else found.input_size
    plane = (
        given_plane(domain, d) if domain is not None else choose_plane(found, d, dataset, points, variables)
    )
    data = layer_page(found, plane, t) if isinstance(found, LSELayer) else network_page(found, plane)
    data["title"] = title
    text = document(title, data).encode(errors="replace")  # file names can hold bytes that are no text
    path = Path(path)
    with replaced(path) as part:
        part.write_bytes(text)
    cells = len(data["regions"]["cells"]) if data["regions"] else 0
    view = data["view"]
    return Page(path, len(text), data["kind"], view["variables"], view["text"], cells, tuple(data["leftOut"]))


def _read(model) -> tuple[LSELayer | Network, str | None, str]:
    """The layer or network, the data set that it names, and what to call it."""
    if isinstance(model, str | os.PathLike):
        found = Model.read(Path(model))
        return found.layer or found.network, found.dataset, found.path.name
    if not isinstance(model, LSELayer):
        network = model.network if isinstance(model, TropicalNetwork) else load(model)
        try:
            model = LSELayer.from_network(network)
        except InputError:
            return network, network.metadata.get("dataset"), "Network"
    return model, None, "Log-sum-exp layer"
