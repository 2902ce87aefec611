"""Folds, pitchforks and transcritical points of critical points, each the regular zero of an augmented system.

A fold (x, ε, v) solves n = 0, Dn v = 0, |v|² = 1. A simple branch point (x, ε, ψ) solves Moore's system n + βψ = 0,
Dnᵀψ = 0, ψ·∂_εn = 0, |ψ|² = 1 with β = 0. Both are solved by Newton's method with analytic derivatives for the natural
gradient n, which is scaled alike at every temperature; the numbers that prove them non-degenerate are those of H.

Sources: R. Seydel, Numer. Math. 33, 1979, and G. Moore, A. Spence, SIAM J. Numer. Anal. 17, 1980, for the system of
folds; G. Moore, Numer. Funct. Anal. Optim. 2, 1980, for that of branch points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hjsym.bifurcation.landscape import EntropyLandscape
from tropical._display import summary
from tropical.errors import DivergenceError, InputError

__all__ = ["Bifurcation", "branch_point", "fold"]

_STEPS = 40
_SYMMETRIC = 1e-6  # what a coefficient is at most, relative to its scale, that symmetry makes 0


@dataclass(frozen=True)
class Bifurcation:
    """A fold, pitchfork or transcritical point of critical points of H, with its non-degeneracy numbers.

    Attributes
    ----------
    kind : {"fold", "pitchfork", "transcritical", "multiple"}
        "multiple" where several eigenvalues are 0 at once, as for the corners and the centre of a square.
    eps : float
    x : (d,) array
    v : (d,) array
        Unit null vector of ∇²H.
    H_vvv : float
        D³H[v, v, v]: not 0 at a fold, 0 at a pitchfork.
    H_v_eps : float
        v·∂_ε∇H: not 0 at a fold, 0 at a branch point.
    H_vv_eps : float or None
        Of simple branch points, the rate at which the eigenvalue crosses 0 along the branch that goes through.
    H_vvvv : float or None
        Of simple branch points, the fourth derivative along v with what the directions across it follow, which bends
        the branch that turns there.
    residual : float
        The largest entry of the augmented system, in units of x.
    index : int
        How many of the other eigenvalues of ∇²H are negative: points of index `index` and `index + 1` meet.
    opens : {"cold", "hot", "both"}
        On which side of ε the points are that meet: "cold" if they merge as ε grows; "both" where no side is told,
        at transcritical and multiple points.

    Examples
    --------
    >>> from hjsym.bifurcation import EntropyLandscape
    >>> point = branch_point(EntropyLandscape.of_atoms([-1.0, 0.0, 1.0]), 0.0, 0.34)
    >>> point.kind, round(point.eps, 12), point.opens, point.index
    ('pitchfork', 0.341750531974, 'cold', 0)
    """

    kind: str
    eps: float
    x: np.ndarray
    v: np.ndarray
    H_vvv: float
    H_v_eps: float
    H_vv_eps: float | None
    H_vvvv: float | None
    residual: float
    index: int
    opens: str

    __repr__ = summary


def fold(source, x: ArrayLike, eps: float, v: ArrayLike | None = None) -> Bifurcation:
    """The fold near (x, ε), by Newton's method on n = 0, Dn v = 0, |v|² = 1.

    Parameters
    ----------
    source
        As for `critical_points`, already restricted to one or few variables.
    x : (d,) array or float
        A start.
    eps : float
        A start.
    v : (d,) array, optional
        A start; by default the eigenvector of the smallest eigenvalue.

    Raises
    ------
    DivergenceError
        If Newton's method ends elsewhere than at a zero.

    Examples
    --------
    >>> from hjsym.bifurcation import EntropyLandscape
    >>> H = EntropyLandscape.of_atoms([-2.6, -1.5, -0.4, 0.7, 1.7, 2.7])
    >>> f = fold(H, 1.84, 0.325)
    >>> f.kind, round(f.eps, 12), f.x.round(6), round(f.H_vvv, 6), round(f.H_v_eps, 6)
    ('fold', 0.325518191049, array([1.841821]), -4.325887, -2.06544)
    """
    H = EntropyLandscape.of(source)
    H.refuse_flat()
    x, v = _start(H, x, eps, v)
    d = len(x)

    def system(u):
        x, eps, v = u[:d], u[d], u[d + 1 :]
        n = H.natural_gradient(x[None], eps)
        J = np.zeros((2 * d + 1, 2 * d + 1))
        J[:d, :d] = J[d : 2 * d, d + 1 :] = n.jacobian[0]
        J[:d, d] = n.eps_derivative[0]
        J[d : 2 * d, :d] = np.stack([n.second(v[None], unit[None])[0] for unit in np.eye(d)], axis=1)
        J[d : 2 * d, d] = n.eps_jacobian(v[None])[0]
        J[-1, d + 1 :] = 2 * v
        return np.concatenate([n.value[0], n.jacobian[0] @ v, [v @ v - 1]]), J

    u, residual = _newton(system, np.concatenate([x, [eps], v]), d, "fold")
    return _described(H, u[:d], float(u[d]), u[d + 1 :], residual)


def branch_point(source, x: ArrayLike, eps: float, psi: ArrayLike | None = None) -> Bifurcation:
    """The pitchfork or transcritical point near (x, ε), by Newton's method on Moore's system.

    Errors are those of `fold`. Symmetric data have pitchforks, of which H_vvv = 0 is the mark.

    Parameters
    ----------
    source, x, eps
        As for `fold`.
    psi : (d,) array, optional
        A start for the left null vector.

    Returns
    -------
    Bifurcation

    Examples
    --------
    >>> from hjsym.bifurcation import EntropyLandscape
    >>> p = branch_point(EntropyLandscape.of_atoms([-1.0, 0.0, 1.0]), 0.01, 0.33)
    >>> p.kind, round(p.eps, 13), p.opens
    ('pitchfork', 0.3417505319739, 'cold')
    """
    H = EntropyLandscape.of(source)
    H.refuse_flat()
    x, psi = _start(H, x, eps, psi, left=True)
    d = len(x)

    def system(u):
        x, eps, beta, psi = u[:d], u[d], u[d + 1], u[d + 2 :]
        n = H.natural_gradient(x[None], eps)
        units = np.eye(d)
        J = np.zeros((2 * d + 2, 2 * d + 2))
        J[:d, :d], J[:d, d], J[:d, d + 1] = n.jacobian[0], n.eps_derivative[0], psi
        J[:d, d + 2 :] = beta * units
        J[d : 2 * d, :d] = [[n.second(a[None], c[None])[0] @ psi for c in units] for a in units]
        mixed = np.stack([n.eps_jacobian(unit[None])[0] for unit in units], axis=1)
        J[d : 2 * d, d], J[d : 2 * d, d + 2 :] = mixed.T @ psi, n.jacobian[0].T
        J[2 * d, :d], J[2 * d, d], J[2 * d, d + 2 :] = (
            mixed.T @ psi,
            n.eps_second[0] @ psi,
            n.eps_derivative[0],
        )
        J[-1, d + 2 :] = 2 * psi
        rest = [psi @ n.eps_derivative[0], psi @ psi - 1]
        return np.concatenate([n.value[0] + beta * psi, n.jacobian[0].T @ psi, rest]), J

    u, residual = _newton(system, np.concatenate([x, [eps, 0.0], psi]), d, "branch point")
    if abs(u[d + 1]) > 1e-9 * H.length(eps):
        raise DivergenceError(f"no branch point near x = {x}: Moore's system has β = {u[d + 1]:.3g}, not 0")
    return _described(H, u[:d], float(u[d]), None, residual)


def _start(H, x, eps, v, left: bool = False):
    x = np.atleast_1d(np.asarray(x, float))
    if x.shape != (H.variables,) or not np.isfinite(x).all() or not (np.isfinite(eps) and eps > 0):
        raise InputError(f"the start is x = {x}, eps = {eps}; pass {H.variables} finite numbers and eps > 0")
    if v is None:
        J = H.natural_gradient(x[None], eps).jacobian[0]
        turned = np.linalg.svd(J)
        v = turned[0][:, -1] if left else turned[2][-1]
    v = np.atleast_1d(np.asarray(v, float))
    return x, v / np.linalg.norm(v)


def _newton(system, u: np.ndarray, d: int, what: str) -> tuple[np.ndarray, float]:
    """A zero, to where the steps are rounding, and the residual there."""
    last = np.inf
    for _ in range(_STEPS):
        values, J = system(u)
        try:
            step = np.linalg.solve(J, values)
        except np.linalg.LinAlgError:
            break
        share = 1.0
        while share > 1e-3 and not 0 < u[d] - share * step[d] < 4 * u[d]:
            share /= 2
        u = u - share * step
        size = np.abs(step[: d + 1] / np.append(1 + np.abs(u[:d]), u[d])).max()
        if not np.isfinite(u).all() or u[d] <= 0:
            break
        if size < 1e-13 or (size < 1e-10 and size >= last):
            return u, float(np.abs(system(u)[0]).max())
        last = size
    raise DivergenceError(
        f"Newton's method found no {what} from the start given; begin nearer, as continuation does, or there is none"
    )


def _described(H, x: np.ndarray, eps: float, v: np.ndarray | None, residual: float) -> Bifurcation:
    """The non-degeneracy numbers of H at a singular point, in directions v along and w across the null vector."""
    n = H.natural_gradient(x[None], eps)
    values, vectors = np.linalg.eig(n.jacobian[0])
    null = int(np.abs(values).argmin())
    is_fold = v is not None
    v = np.real(vectors[:, null]) if v is None else v
    v = v / np.linalg.norm(v)
    v = v if v[np.abs(v).argmax()] > 0 else -v
    others = np.delete(values.real, null)
    third, hessian = H.third(x, eps), H.hessian(x, eps)
    cubic = float(np.einsum("abc,a,b,c", third, v, v, v))
    drive = float(H.eps_gradient(x, eps) @ v)
    if is_fold:
        opens = (
            "cold"
            if n.eps_derivative[0] @ _left(n) * (n.second(v[None], v[None])[0] @ _left(n)) > 0
            else "hot"
        )
        index = int((others < 0).sum())
        return Bifurcation("fold", eps, x, v, cubic, drive, None, None, residual, index, opens)
    if len(others) and np.abs(others).min() <= _SYMMETRIC * max(1, np.abs(others).max()):
        index = int((others < -_SYMMETRIC).sum())
        return Bifurcation("multiple", eps, x, v, cubic, drive, None, None, residual, index, "both")
    frame = np.linalg.svd(v[None])[2][1:]  # of the directions across v
    across = frame.T @ np.linalg.inv(frame @ hessian @ frame.T) @ frame
    bend, pull = np.einsum("abc,b,c", third, v, v), H.eps_gradient(x, eps)
    quartic = float(H.fourth_along(x, v, eps) - 3 * bend @ across @ bend)
    cross = float(v @ H.eps_hessian(x, eps) @ v - bend @ across @ pull)
    scale = np.abs(cubic) + np.abs(quartic) * H.length(eps)
    kind = "pitchfork" if abs(cubic) <= _SYMMETRIC * scale else "transcritical"
    opens = "both" if kind == "transcritical" else "cold" if cross * quartic > 0 else "hot"
    index = int((others < 0).sum())
    return Bifurcation(kind, eps, x, v, cubic, drive, cross, quartic, residual, index, opens)


def _left(n) -> np.ndarray:
    return np.linalg.svd(n.jacobian[0])[0][:, -1]
