"""Pictures of slices: what is drawn is what the network decides."""

import numpy as np
import pytest

import hjsym
from tropical import InputError, ShapeError

pytest.importorskip("matplotlib")


def colour_at(ax, place) -> tuple:
    """Of the polygon that contains a place of the picture."""
    faces = ax.collections[0]
    (k,) = (k for k, path in enumerate(faces.get_paths()) if path.contains_point(place))
    return tuple(faces.get_facecolors()[k])


@pytest.mark.parametrize("outputs", [1, 4])
def test_a_slice_of_a_network(outputs, tmp_path):
    rng = np.random.default_rng(outputs)
    net = [
        (rng.normal(size=(12, 9)), rng.normal(size=12)),
        (rng.normal(size=(outputs, 12)), rng.normal(size=outputs)),
    ]
    points = rng.normal(size=(3, 9))
    network = hjsym.load(net)
    if outputs == 1:
        net[1][1][:] -= np.median(network(points))
    ax = hjsym.plot_slice(net, points, margin=0.5)
    assert ax.get_xlim() == ax.get_ylim() == (-0.5, 1.5)
    colours = {}
    for s in rng.uniform(-0.5, 1.5, size=(60, 2)):
        scores = hjsym.load(net)(points[0] + s @ (points[1:] - points[0]))
        decided = int(scores[0] > 0) if outputs == 1 else int(scores.argmax())
        assert colours.setdefault(decided, colour_at(ax, s)) == colour_at(ax, s)
    assert len(set(colours.values())) == len(colours) > 1
    assert len(ax.artists) == 3  # images of 3 × 3
    ax.figure.savefig(tmp_path / "slice.png")
    dots = hjsym.plot_slice(net, points, shape=(2, 4))
    assert not dots.artists and dots.collections[2].get_offsets().tolist() == [[0, 0], [1, 0], [0, 1]]


def test_refused():
    net = [(np.eye(3), np.zeros(3))]
    with pytest.raises(ShapeError, match="three of them"):
        hjsym.plot_slice(net, np.eye(3)[:2])
    with pytest.raises(InputError, match="dependent"):
        hjsym.plot_slice(net, [[0, 0, 0], [1, 0, 0], [2, 0, 0]])
