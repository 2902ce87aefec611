"""Solutions of Hamilton–Jacobi equations beside solvers on grids: times, and errors against closed forms.

    python benchmarks/equations.py

The peers, each left out where it is not installed: hj_reachability (WENO5 and Runge–Kutta 3, compiled by JAX; its
second call is timed) and py-pde (explicit, adaptive). They solve equations that have no closed form as well; these two
have one, which is what the errors are from. CPU time of one process, the least of three.
"""

import os
import time

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

from importlib.metadata import version

import numpy as np
from scipy.special import log_ndtr

import tropical
from hjsym.solutions import hopf_cole, hopf_lax, march

try:
    import hj_reachability
    import jax.numpy as jnp
except ImportError:
    hj_reachability = None
try:
    import pde
except ImportError:
    pde = None

EPS = 0.2


def huber(x):
    """u_t + ½u_x² = 0 from |x| at t = 1."""
    return np.where(np.abs(x) <= 1, x**2 / 2, np.abs(x) - 0.5)


def viscous(x):
    """u_t + ½u_x² = (ε/2)u_xx from |x| at t = 1."""
    right, left = (
        (0.5 - x) / EPS + log_ndtr((x - 1) / np.sqrt(EPS)),
        (0.5 + x) / EPS + log_ndtr(-(x + 1) / np.sqrt(EPS)),
    )
    return -EPS * np.logaddexp(right, left)


def row(name: str, run, x, exact) -> None:
    times = []
    for _ in range(3):
        start = time.process_time()
        values = run()
        times.append(time.process_time() - start)
    inside = np.abs(x) <= 2
    error = np.abs(np.asarray(values) - exact(x))[inside].max()
    print(f"| {name} | {1e3 * min(times):.3f} | {error:.1e} |", flush=True)


def by_reachability(x):
    """WENO5 on the same nodes."""
    hj = hj_reachability

    class Half(hj.dynamics.Dynamics):
        """x' = v with the running cost v²/2: H(p) = p²/2."""

        def __init__(self):
            super().__init__(
                "min",
                "max",
                hj.sets.Box(jnp.array([-9.0]), jnp.array([9.0])),
                hj.sets.Box(jnp.zeros(1), jnp.zeros(1)),
            )

        def __call__(self, state, control, disturbance, time):
            return control

        def optimal_control_and_disturbance(self, state, time, grad_value):
            return grad_value, jnp.zeros(1)

        def hamiltonian(self, state, time, value, grad_value):
            return grad_value @ grad_value / 2

        def partial_max_magnitudes(self, state, time, value, grad_value_box):
            return jnp.maximum(jnp.abs(grad_value_box.lo), jnp.abs(grad_value_box.hi))

    grid = hj.Grid.from_lattice_parameters_and_boundary_conditions(hj.sets.Box(x[:1], x[-1:]), (len(x),))
    settings = hj.SolverSettings.with_accuracy("very_high")

    def run():
        return np.asarray(
            hj.step(settings, Half(), grid, 0.0, jnp.abs(jnp.asarray(x)), 1.0, progress_bar=False)
        )

    run()
    return run


def by_pde(x):
    grid = pde.CartesianGrid([[x[0], x[-1]]], len(x))
    nodes = grid.axes_coords[0]
    equation = pde.PDE({"u": f"{EPS / 2} * laplace(u) - 0.5 * gradient_squared(u)"}, bc={"derivative": 1})

    def run():
        field = pde.ScalarField(grid, np.abs(nodes))
        return equation.solve(field, t_range=1, dt=1e-4, adaptive=True, tracker=None).data

    run()
    return run, nodes


if __name__ == "__main__":
    names = ["numpy", *(["hj_reachability"] if hj_reachability else []), *(["py-pde"] if pde else [])]
    print(
        f"{tropical.core_info()['instruction_set']} kernels, {', '.join(f'{n} {version(n)}' for n in names)}"
    )
    print("\n| case | ms | largest error on [−2, 2] |\n|---|---|---|")
    x = np.linspace(-4, 4, 401)
    row(
        "u_t + ½u_x² = 0 from \\|x\\|, t = 1: `tropical.hopf_lax`, 401 nodes",
        lambda: tropical.hopf_lax(abs(x), 1.0, 0.02, kappa=0.5),
        x,
        huber,
    )
    row(
        "the same: `hopf_lax` for any Lagrangian",
        lambda: hopf_lax(abs(x), x, x, 1.0, lambda v: v**2 / 2),
        x,
        huber,
    )
    for order, scheme in ((5, "WENO5 and Runge–Kutta 3"), (1, "monotone, of first order")):
        row(
            f"the same: `march`, {scheme}",
            lambda order=order: march(lambda x, p: p[0] ** 2 / 2, abs(x), x, 1.0, order=order).values,
            x,
            huber,
        )
    if hj_reachability:
        row("the same: hj_reachability, WENO5", by_reachability(x), x, huber)
    for nodes in (401, 1601):

        def by_quadrature(nodes=nodes):
            return hopf_cole(
                lambda y: np.abs(y[..., 0]), x[:, None], 1.0, kappa=0.5, nu=EPS / 2, nodes=nodes
            ).value

        name = f"u_t + ½u_x² = 0.1 u_xx from \\|x\\|, t = 1: `hopf_cole`, 401 points, {nodes} nodes each"
        row(name, by_quadrature, x, viscous)
    row(
        "the same: `tropical.hopf_cole` on the grid",
        lambda: tropical.hopf_cole(abs(x), 1.0, EPS, 0.02, kappa=0.5, normalised=True),
        x,
        viscous,
    )
    row(
        "the same: `march`, sixth-order Laplacian",
        lambda: march(lambda x, p: p[0] ** 2 / 2, abs(x), x, 1.0, viscosity=EPS / 2).values,
        x,
        viscous,
    )
    if pde:
        run, nodes = by_pde(x)
        row("the same: py-pde, 401 cells", run, nodes, viscous)
