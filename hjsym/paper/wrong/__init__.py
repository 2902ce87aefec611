"""Claims of the paper that are false or loose, each with a counterexample that runs."""

from hjsym.paper.wrong import entropy, layers, rates, sensitivity, training

__all__ = ["COUNTEREXAMPLES"]

COUNTEREXAMPLES = (
    layers.HOPF_LAX, layers.HOMOMORPHISM, layers.LIMITS, rates.NO_LAW, rates.END_POINTS, training.TRAINED_LAW,
    sensitivity.SENSITIVITY, training.RECOVERY, entropy.MERGING, entropy.COLD, entropy.SCALE, entropy.DOMINANCE,
    rates.MINIMAX, rates.DIMENSION,
    layers.SOFTPLUS, layers.ACTIVATIONS,
)  # fmt: skip
