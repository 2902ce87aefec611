"""Pictures: what is drawn lies on the hypersurface and reaches the edge of the box."""

import numpy as np
import pytest

from tropical import InputError, Polynomial, plot_duality, variables
from tropical.plotting import plot_surface

pytest.importorskip("matplotlib")


def test_lines_lie_on_the_curve():
    p = Polynomial([[0, 0], [1, 0], [0, 1], [1, 1], [0, 2], [2, 0]], [7, 4, 0, 4, 3, -3])
    h = p.hypersurface()
    ax = h.plot(box=((-10, 20), (-10, 20)))
    drawn = [line.get_xydata() for line in ax.lines if len(line.get_xydata()) == 2]
    assert len(drawn) == len(h.cells)
    for ends in drawn:
        z = np.sort(p.slopes @ ends.mean(axis=0) + p.coefficients)
        assert z[-1] - z[-2] < 1e-12
        assert (np.abs(ends) <= 20).all()
    for ends, cell in zip(drawn, h.cells, strict=True):
        on_rim = (np.isclose(ends, -10) | np.isclose(ends, 20)).any(axis=1).sum()
        assert on_rim == len(cell.rays)
    assert [t.get_text() for t in ax.texts] == ["2"]


def test_edges_outside_the_box_are_left_out():
    x, y = variables(2)
    ax = (x + y + 0).hypersurface().plot(box=((1, 2), (-2, -1)))
    assert all(len(line.get_xydata()) != 2 for line in ax.lines)


def test_a_line_without_vertices():
    ax = Polynomial([[2, 0], [1, 1], [0, 2]], [0, 0, 0]).hypersurface().plot()
    (line,) = (line for line in ax.lines if len(line.get_xydata()) == 2)
    assert np.allclose(np.sort(line.get_xydata(), axis=0), [[-1, -1], [1, 1]])


def test_polygons_lie_on_the_surface():
    x, y, z = variables(3)
    p = x + y + z + 0
    ax = p.hypersurface().plot(box=((-1, 1),) * 3)
    (faces,) = ax.collections
    polygons = [np.array(face) for face in faces._faces]
    assert len(polygons) == 6
    for polygon in polygons:
        terms = np.sort(polygon @ p.slopes.T + p.coefficients, axis=1)
        assert np.allclose(terms[:, -1], terms[:, -2])
        assert (np.abs(polygon) <= 1).all()


def test_dual_edges_share_a_colour():
    p = Polynomial([[2, 0], [0, 2], [1, 1], [1, 0], [0, 1], [0, 0]], [1, 1, 2, 2, 2, 2])
    left, right = plot_duality(p).axes
    curve = [line for line in left.lines if len(line.get_xydata()) == 2]
    assert len(curve) == 8
    for line in curve:  # each is at right angles to an edge of its colour
        step = np.diff(line.get_xydata(), axis=0)[0]
        edges = [np.diff(other.get_xydata(), axis=0)[0] for other in right.lines
                 if other.get_linewidth() > 0 and other.get_color() == line.get_color()]  # fmt: skip
        assert any(abs(step @ edge) < 1e-9 for edge in edges)


def test_refused():
    x, y, z = variables(3)
    with pytest.raises(InputError, match="draws d = 2"):
        Polynomial(np.eye(4), np.zeros(4)).hypersurface().plot()
    with pytest.raises(InputError, match="draws 2"):
        plot_duality(x + y + z)
    with pytest.raises(InputError, match="draws d = 3"):
        plot_surface(sum(variables(2), variables(2)[0] + 0).hypersurface())
