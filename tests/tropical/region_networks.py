"""Networks for the tests of regions, as rails P ⊘ Q, with oracles of their own."""

import itertools
import math
import random
from fractions import Fraction

import numpy as np
from scipy.optimize import linprog

from tropical import Circuit, Rational
from tropical.circuit import combine


def rails(layers, final_relu=False) -> Rational:
    """A ReLU network [(W, b), …] over Fractions: H = A⁺F + A⁻G + b, G' = A⁺G + A⁻F, F' = max(H, G')."""
    F, G = Circuit.identity(len(layers[0][0][0]), exact=True), None
    for k, (W, b) in enumerate(layers):
        W = [[Fraction(w) for w in row] for row in W]
        plus = np.array([[max(w, 0) for w in row] for row in W], dtype=object) + Fraction(0)
        minus = np.array([[max(-w, 0) for w in row] for row in W], dtype=object) + Fraction(0)
        b = np.array([Fraction(v) for v in b], dtype=object)
        if G is None:
            H, G = F.affine(np.array(W, dtype=object), b), F.affine(plus * 0, b * 0)
        else:
            H, G = combine([(plus, F), (minus, G)], b), combine([(plus, G), (minus, F)])
        F = H if k == len(layers) - 1 and not final_relu else H + G
    return Rational(F, G)


def forward(layers, x, final_relu=False) -> list[Fraction]:
    """The network itself at a rational point."""
    for k, (W, b) in enumerate(layers):
        x = [
            sum((Fraction(w) * v for w, v in zip(row, x, strict=True)), Fraction(c))
            for row, c in zip(W, b, strict=True)
        ]
        if final_relu or k < len(layers) - 1:
            x = [max(v, Fraction(0)) for v in x]
    return x


def seeded(shape, seed=0):
    """Quarter-integer weights: all W first, row by row and layer by layer, then all b."""
    r = random.Random(seed)
    nonzero = [k for k in range(-9, 10) if k]
    pairs = list(itertools.pairwise(shape))
    W = [[[Fraction(r.choice(nonzero), 4) for _ in range(a)] for _ in range(b)] for a, b in pairs]
    b = [[Fraction(r.randint(-9, 9), 4) for _ in range(n)] for n in shape[1:]]
    return list(zip(W, b, strict=True))


def torch_default(shape):
    """The float32 weights of torch.manual_seed(0) and a chain of torch.nn.Linear with default initialisation.

    Its generator is the Mersenne Twister with the seeding of NumPy's RandomState; uniform numbers are 24 bits,
    scaled by one fused multiply-add. Compared with torch 2.13 bit by bit.
    """
    rng = np.random.RandomState(0)

    def uniform(count, bound):
        bits = (rng.randint(0, 2**32, size=count, dtype=np.uint32) & 0xFFFFFF) * 2.0**-24
        high, low = np.float32(bound), np.float32(-bound)
        return (bits * float(high - low) + float(low)).astype(np.float32).astype(float)

    layers = []
    for a, b in itertools.pairwise(shape):
        std = math.sqrt(2 / (1 + math.sqrt(5) ** 2)) / math.sqrt(a)
        W = uniform(a * b, math.sqrt(3) * std).reshape(b, a)
        layers.append((W.tolist(), uniform(b, 1 / math.sqrt(a)).tolist()))
    return layers


def serra_bound(inputs, widths) -> int:
    """Serra, Tjandraatmadja, Ramalingam, "Bounding and counting linear regions" (ICML 2018), Theorem 1."""

    def total(layer, free):
        if layer == len(widths):
            return 1
        n = widths[layer]
        return sum(math.comb(n, j) * total(layer + 1, min(free, n - j)) for j in range(min(free, n) + 1))

    return total(0, inputs)


def patterns_by_programs(layers) -> set[tuple[int, ...]]:
    """Sign patterns of all hidden units with an interior, each by one linear program; for small whole weights."""
    d, hidden = len(layers[0][0][0]), layers[:-1]
    found = set()
    for signs in itertools.product((1, -1), repeat=sum(len(b) for _, b in hidden)):
        forms, rows, k = np.hstack([np.eye(d), np.zeros((d, 1))]), [], 0
        for W, b in hidden:
            z = np.array(W, float) @ forms
            z[:, -1] += np.array(b, float)
            s = np.array(signs[k : k + len(b)])
            rows.append(s[:, None] * z)
            forms, k = np.where(s[:, None] > 0, z, 0), k + len(b)
        rows = np.vstack(rows)
        if (np.abs(rows).sum(axis=1) == 0).any():
            continue  # an identical zero has no sign; the caller avoids it
        A = np.hstack([-rows[:, :-1], np.ones((len(rows), 1))])
        result = linprog([0] * d + [-1], A, rows[:, -1], bounds=[(None, None)] * d + [(None, 1)])
        if -result.fun > 1e-7:
            found.add(signs)
    return found


def arrangement_count(normals, offsets) -> int:
    """Regions of a hyperplane arrangement by Whitney's theorem: Σ (−1)^{|B| − rank B} over central subsets B."""
    planes = {
        tuple(np.array([*n, c]) // (math.gcd(*n, c) * (1 if next(v for v in n if v) > 0 else -1)))
        for n, c in zip(normals, offsets, strict=True)
        if any(n)
    }
    total = 1
    for size in range(1, len(planes) + 1):
        for chosen in itertools.combinations(sorted(planes), size):
            rows = np.array(chosen, float)
            rank = np.linalg.matrix_rank(rows[:, :-1])
            if np.linalg.matrix_rank(rows) == rank:
                total += (-1) ** (size - rank)
    return total
