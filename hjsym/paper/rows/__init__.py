"""The experiments, one file for each family; in the order of the report."""

from hjsym.paper.rows import bifurcations, hessians, identity, networks, phases, scaling, training

__all__ = ["ROWS"]

ROWS = (
    *identity.ROWS,
    *networks.ROWS,
    *phases.ROWS,
    *bifurcations.ROWS,
    *scaling.ROWS,
    *training.ROWS,
    *hessians.ROWS,
)
