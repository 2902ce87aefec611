"""The entropy of Gibbs weights as a landscape: its critical points, and how they merge as temperature rises.

The softmax weights π(x; ε) of a log-sum-exp layer say which terms answer at x; where their entropy H is low one
term does alone, where it is high several share. Its critical points are few in the heat and many in the cold.

    H = EntropyLandscape.of_atoms(y)             # logits −|x − y_j|²/2; or (W, b), a layer, a gauge, a Polynomial
    critical_points(H, eps)                      # all of them with Morse index, in a Box, a Slice, or everywhere
    certify(H, eps, box)                         # a proof of their number, or the boxes where it is undecided
    sweep(H, temperatures)                       # the same at many temperatures: counts against ε
    bifurcation_diagram(H, (cold, hot))          # all curves over ε, every fold and pitchfork
    follow(H, x, eps, (cold, hot))               # one of them over temperature, through folds and branch points
    merge_tree(diagram)                          # which basins merge into which, as a networkx graph
    draw_landscape(H, eps), draw_diagram(diagram), draw_counts(levels)
    fold(H, x, eps), branch_point(H, x, eps)     # solved by an augmented system, with non-degeneracy numbers

Definitions and the merging picture: Miñoza, Legara, Monterola, "The Hamilton–Jacobi theory of deep
learning", arXiv:2605.28983 (2026). The natural gradient that all of this rests on is derived here.
"""

from hjsym.bifurcation.certify import Certificate, certify
from hjsym.bifurcation.continuation import Branch, follow
from hjsym.bifurcation.critical import CriticalPoint, CriticalPoints, critical_points
from hjsym.bifurcation.diagram import BifurcationDiagram, bifurcation_diagram
from hjsym.bifurcation.landscape import EntropyLandscape
from hjsym.bifurcation.merging import merge_tree
from hjsym.bifurcation.pictures import draw_counts, draw_diagram, draw_landscape
from hjsym.bifurcation.singular import Bifurcation, branch_point, fold
from hjsym.bifurcation.sweep import sweep

__all__ = [
    "Bifurcation",
    "BifurcationDiagram",
    "Branch",
    "Certificate",
    "CriticalPoint",
    "CriticalPoints",
    "EntropyLandscape",
    "bifurcation_diagram",
    "branch_point",
    "certify",
    "critical_points",
    "draw_counts",
    "draw_diagram",
    "draw_landscape",
    "fold",
    "follow",
    "merge_tree",
    "sweep",
]
