"""Linear regions of a slice for a page: intervals or polygons with a label and a colour, no two neighbours alike."""

from dataclasses import dataclass

import networkx as nx
import numpy as np

from hjsym.page.layer_data import LayerOnPlane
from hjsym.page.network_data import NetworkOnPlane
from hjsym.page.view import View
from tropical import Rational, decision_regions, linear_regions
from tropical.polynomial import Polynomial
from tropical.regions import Regions

__all__ = ["Cells", "breaks_window", "cells_of_layer", "cells_of_network"]

MOST_CELLS = 6000  # that can be told apart on a screen
_COLOURS = 8  # of page.css
_AROUND = 0.4  # of the extent of the middle of the vertices, on either side


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells of a window.

    Attributes
    ----------
    corners : list of (n, k) arrays
        In order around the cell.
    labels : list of str
    colours : list of int
        From 0.
    complete : bool
        Whether they cover the window.
    """

    corners: list[np.ndarray]
    labels: list[str]
    colours: list[int]
    complete: bool

    def to_json(self) -> dict:
        return {
            "cells": [
                {"corners": _rounded(points).tolist(), "label": label, "colour": colour}
                for points, label, colour in zip(self.corners, self.labels, self.colours, strict=True)
            ],
            "complete": self.complete,
        }


def cells_of_layer(on: LayerOnPlane, view: View) -> Cells:
    """Where each neuron is the largest; neurons of one class have one colour."""
    hard = on.layer.polynomial.deform(0)
    regions = linear_regions(hard.prune(), view.box, max_regions=MOST_CELLS, partial=True)
    corners = [_corners(region.vertices) for region in regions]
    winners = [int(hard.argmax(points.mean(axis=0))) for points in corners]
    if on.layer.labels is None:
        return _coloured(regions, corners, [str(on.kept[j]) for j in winners], list(range(len(regions))))
    classes = [int(on.layer.labels[j]) for j in winners]
    return _coloured(regions, corners, [str(c) for c in classes], classes)


def cells_of_network(on: NetworkOnPlane, view: View, most: int) -> Cells:
    """The linear regions of the outputs; of several those of the largest, coloured by class."""
    options = {"max_regions": min(most, MOST_CELLS), "partial": True}
    if on.network.output_size > 1:
        decided = decision_regions(on.f, view.box, **options)
        regions, classes = decided.regions, decided.classes.tolist()
        labels = [str(c) for c in classes]
    else:
        regions = linear_regions(on.f, view.box, **options)
        classes, labels = list(range(len(regions))), [""] * len(regions)
    return _coloured(regions, [_corners(region.vertices) for region in regions], labels, classes)


def breaks_window(f: Polynomial | Rational, k: int) -> np.ndarray | None:
    """A window around the bends of f, (k, 2), by the middle nine tenths of the vertices; None where there are none."""
    regions = linear_regions(f, max_regions=400, partial=True)
    points = [region.vertices.astype(float) for region in regions]
    points = np.concatenate([p for p in points if len(p)] or [np.empty((0, k))])
    if not len(points):
        return None
    points = np.unique(points, axis=0)
    low = np.quantile(points, 0.05, axis=0, method="lower")  # of fewer than twenty the first and the last
    high = np.quantile(points, 0.95, axis=0, method="higher")
    extent = (high - low).max()
    extent = np.full(k, extent if extent > 0 else max(1.0, np.abs(points).max()))
    return np.stack([low - _AROUND * extent, high + _AROUND * extent], axis=1)


def _rounded(points: np.ndarray) -> np.ndarray:
    """To what a screen resolves: corners of polygons are drawn and nothing else."""
    if points.shape[1] == 1:
        return points
    digits = 6 - int(np.log10(np.abs(points).max() or 1.0))
    return np.round(points, digits)


def _corners(vertices: np.ndarray) -> np.ndarray:
    """In floats, in order: of an interval from left to right, of a polygon around its centre."""
    points = vertices.astype(float)
    if points.shape[1] == 1:
        return np.sort(points, axis=0)
    away = points - points.mean(axis=0)
    return points[np.argsort(np.arctan2(away[:, 1], away[:, 0]))]


def _coloured(regions: Regions, corners: list, labels: list[str], kinds: list[int]) -> Cells:
    """A colour of its own for each kind, where there are enough; else none that a neighbour has."""
    kinds_graph = nx.Graph()
    kinds_graph.add_nodes_from(sorted(set(kinds)))
    kinds_graph.add_edges_from((kinds[a], kinds[b]) for a, b in regions.graph.edges if kinds[a] != kinds[b])
    colour = dict(zip(kinds_graph, range(_COLOURS), strict=False))
    if len(kinds_graph) > _COLOURS:
        colour = nx.greedy_color(kinds_graph, strategy="DSATUR")
    return Cells(corners, labels, [colour[kind] for kind in kinds], regions.complete)
