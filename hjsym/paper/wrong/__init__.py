"""Claims of the paper that are false or loose, each with a counterexample that runs."""

from hjsym.paper.wrong import entropy, layers, training

__all__ = ["COUNTEREXAMPLES"]

COUNTEREXAMPLES = (
    layers.HOPF_LAX, layers.HOMOMORPHISM, layers.LIMITS, training.TRAINED_LAW, training.RECOVERY, entropy.DOMINANCE,
    layers.SOFTPLUS, layers.ACTIVATIONS,
)  # fmt: skip
