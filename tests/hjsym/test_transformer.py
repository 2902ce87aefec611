"""Transformer blocks: numbers against torch, symbols against numbers, the co-states of the flow by differences."""

import numpy as np
import pytest
import sympy

from hjsym.errors import UnsupportedLayerError
from hjsym.systems import TransformerBlock
from tropical.errors import BudgetExceeded, InputError, ShapeError


def block(d=2, m=3, seed=0, **options) -> TransformerBlock:
    rng = np.random.default_rng(seed)
    square = [rng.normal(size=(d, d)) / 2 for _ in range(4)]
    return TransformerBlock(
        *square,
        rng.normal(size=(m, d)),
        rng.normal(size=m),
        rng.normal(size=(d, m)),
        rng.normal(size=d),
        **options,
    )


@pytest.mark.parametrize(
    "options", [{}, {"norm": False, "heads": 2}, {"causal": True, "gate": "gelu", "norm": False}], ids=str
)
def test_the_hamiltonian_is_momenta_times_rates(options):
    b = block(**options)
    system = b.system(2)
    x, p = np.random.default_rng(1).normal(size=(2, 4))
    found = system.lambdify()(x, p, 0.0)
    np.testing.assert_allclose(float(found), (p * b.rate(x.reshape(2, 2)).ravel()).sum(), rtol=1e-12)
    assert system.label == "structural" and system.is_linear_in_p


@pytest.mark.parametrize("gate", ["relu", "gelu"])
def test_blocks_of_torch(gate):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    layer = torch.nn.TransformerEncoderLayer(
        4, 2, 6, activation=gate, norm_first=True, batch_first=True, dropout=0.0
    )
    layer = layer.double().eval()
    x = torch.randn(3, 5, 4, dtype=torch.double)
    b = TransformerBlock.from_torch(layer)
    with torch.no_grad():
        np.testing.assert_allclose(b(x.numpy()), layer(x).numpy(), rtol=1e-12, atol=1e-12)
        mask = torch.nn.Transformer.generate_square_subsequent_mask(5, dtype=torch.double)
        causal = TransformerBlock(
            *(getattr(b, n) for n in ("query", "key", "value", "out", "W1", "b1", "W2", "b2")),
            2,
            gate,
            causal=True,
        )
        np.testing.assert_allclose(causal(x.numpy()), layer(x, src_mask=mask).numpy(), rtol=1e-12, atol=1e-12)
    with pytest.raises(UnsupportedLayerError, match="after eval"):
        TransformerBlock.from_torch(layer.train())
    layer = torch.nn.TransformerEncoderLayer(4, 2, 6, activation=torch.cos, norm_first=True).eval()
    with pytest.raises(UnsupportedLayerError, match="cos is not read"):
        TransformerBlock.from_torch(layer)


def test_small_weights_are_near_the_flow():
    """Halving all that moves the tokens quarters the distance between the block and its flow."""

    def defect(scale):
        b = block(norm=False)
        small = TransformerBlock(
            b.query, b.key, b.value, b.out * scale, b.W1, b.b1, b.W2 * scale, b.b2 * scale, norm=False
        )
        return small.system(2).defect(np.array([0.3, -0.2, 0.5, 1.0]))

    assert 3.5 < defect(0.02) / defect(0.01) < 4.5


def test_permuted_tokens_have_permuted_rates():
    b, x = block(d=4, heads=2), np.random.default_rng(2).normal(size=(5, 4))
    np.testing.assert_allclose(b.rate(x[::-1]), b.rate(x)[::-1], rtol=1e-12)


def test_bad_blocks():
    with pytest.raises(BudgetExceeded, match="symbols for the weights"):
        block(d=4).system(17, symbolic=True)
    with pytest.raises(InputError, match="tokens is 0"):
        block().system(0)
    with pytest.raises(InputError, match="divisor of 2"):
        block(heads=3)
    with pytest.raises(InputError, match="activation"):
        block(gate="step")
    with pytest.raises(ShapeError, match="key has shape"):
        TransformerBlock(np.eye(2), np.eye(3), *[np.eye(2)] * 3, [0, 0], np.eye(2), [0, 0])
    with pytest.raises(InputError, match="not finite"):
        TransformerBlock(np.eye(2) * np.nan, *[np.eye(2)] * 4, [0, 0], np.eye(2), [0, 0])
    assert isinstance(block().system(1).H, sympy.Expr)
