"""Layers and networks as Hamilton–Jacobi systems: Hamiltonian, equation, solution, and how sure the reading is."""

from hjsym.systems.attention import attention, attention_heads
from hjsym.systems.cells import gru, lstm, rnn
from hjsym.systems.comparison import Comparison, compare
from hjsym.systems.enclosure import Supremum, supremum
from hjsym.systems.flows import residual_step
from hjsym.systems.gates import SmoothGate
from hjsym.systems.learned import LearnedHamiltonian
from hjsym.systems.read import hamiltonian
from hjsym.systems.recurrences import integrate_and_fire, log_semiring_step
from hjsym.systems.sketches import Sketch
from hjsym.systems.space_time import SpaceTimeNetwork
from hjsym.systems.state_space import SelectiveStateSpace, StateSpace
from hjsym.systems.system import HJSystem
from hjsym.systems.transformer import TransformerBlock
from hjsym.systems.units import gelu, relu, sigmoid, silu, softplus, tanh
from hjsym.systems.waves import log_sum_exp, maximum, tropical_rational

__all__ = [
    "Comparison",
    "HJSystem",
    "LearnedHamiltonian",
    "SelectiveStateSpace",
    "Sketch",
    "SmoothGate",
    "SpaceTimeNetwork",
    "StateSpace",
    "Supremum",
    "TransformerBlock",
    "attention",
    "attention_heads",
    "compare",
    "gelu",
    "gru",
    "hamiltonian",
    "integrate_and_fire",
    "log_semiring_step",
    "log_sum_exp",
    "lstm",
    "maximum",
    "relu",
    "residual_step",
    "rnn",
    "sigmoid",
    "silu",
    "softplus",
    "supremum",
    "tanh",
    "tropical_rational",
]
