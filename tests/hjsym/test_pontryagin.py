"""Co-states against difference quotients in Fractions, central differences and torch's autograd; what is wrong
about the wrong pairing; symplectic steps."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hjsym
from hjsym import layers
from hjsym.errors import UnsupportedLayerError
from hjsym.network import Network, Node
from tropical.errors import InputError, ShapeError
from tropical.sparse import SparseMatrix

SEED = np.random.default_rng(5)


def random_affine(outputs, inputs, rng):
    return layers.Affine(rng.normal(size=(outputs, inputs)), rng.normal(size=outputs))


def residual_network(depth=6, size=4, h=0.3, gate=None, seed=0):
    """x ↦ x + h·W₂ gate(W₁x + b₁), `depth` times, then one number."""
    rng, nodes = np.random.default_rng(seed), []
    for _ in range(depth):
        state = len(nodes)
        nodes.append(Node(random_affine(size, size, rng), (state,)))
        nodes.append(Node(gate or layers.Softplus(0.5), (state + 1,)))
        nodes.append(Node(random_affine(size, size, rng), (state + 2,)))
        nodes.append(Node(layers.Add((1.0, h)), (state, state + 3)))
    nodes.append(Node(random_affine(1, size, rng), (len(nodes),)))
    return Network(size, tuple(nodes))


def every_layer():
    """A network with each kind of layer, soft and hard, in ten nodes and more."""
    rng = np.random.default_rng(3)
    sparse = SparseMatrix((5, 4), [0, 1, 2, 3, 4, 4], [0, 1, 2, 3, 0, 1], rng.normal(size=6))
    nodes = [
        Node(layers.Affine(sparse, rng.normal(size=5)), (0,)),
        Node(layers.prelu(rng.uniform(0.1, 0.5, 5)), (1,)),
        Node(layers.Scale(rng.normal(size=5), rng.normal(size=5)), (2,)),
        Node(layers.Maximum([[0, 1], [2, 3], [4, 0]], eps=0.7), (3,)),
        Node(layers.Maximum([[0, 4], [1, 2], [3, 3]]), (3,)),
        Node(layers.Concat(2), (4, 5)),
        Node(layers.Gather([5, 0, 1, 0]), (6,)),
        Node(layers.PiecewiseLinear([-1.0, 0.5], [0.2, 1.0, -0.5], 0.1, eps=0.4), (7,)),
        Node(layers.Identity(), (8,)),
        Node(layers.Add((0.5, -2.0)), (9, 7)),
        Node(random_affine(3, 4, rng), (10,)),
    ]
    return Network(4, tuple(nodes))


def with_weight(network, k, name, value):
    layer = network.nodes[k].layer
    changed = type(layer)(**{**layer.arguments(), name: value})
    nodes = list(network.nodes)
    nodes[k] = Node(changed, nodes[k].inputs)
    return Network(network.input_size, tuple(nodes))


def central(f, array, h=1e-5):
    """Central differences of a number by each entry of an array."""
    result = np.zeros(array.shape)
    for place in np.ndindex(array.shape):
        step = np.zeros(array.shape)
        step[place] = h
        result[place] = (f(array + step) - f(array - step)) / (2 * h)
    return result


HEADS = [None, layers.Sigmoid(), layers.Softmax(), layers.LogSoftmax()]


def headed(network, head):
    last = len(network.nodes)
    return network if head is None else Network(network.input_size, (*network.nodes, Node(head, (last,))))


@pytest.mark.parametrize("head", HEADS, ids=str)
def test_every_gradient_is_that_of_central_differences(head):
    network = headed(every_layer(), head)
    x, p = SEED.normal(size=(3, 4)), SEED.normal(size=(3, network.output_size))
    run = hjsym.pontryagin(network, x, p)
    np.testing.assert_allclose(run.costates[0], central(lambda v: (network(v) * p).sum(), x), atol=1e-8)
    checked = 0
    for k, gradients in enumerate(run.gradients):
        for name, gradient in gradients.items():
            stored = getattr(network.nodes[k].layer, name)
            dense = np.asarray(stored, dtype=float)
            expected = central(lambda v, k=k, n=name: (with_weight(network, k, n, v)(x) * p).sum(), dense)
            if isinstance(stored, SparseMatrix):
                expected = expected * (dense != 0)
            np.testing.assert_allclose(np.asarray(gradient), expected, atol=2e-8)
            checked += 1
    assert checked == 2 + 3 + 2 + 2  # affine, PReLU, scale, affine


@given(data=st.data())
@settings(max_examples=60)
def test_over_fractions_a_costate_is_the_difference_quotient(data, networks_with_points):
    network, points = data.draw(networks_with_points())
    exact, h = network.to_exact(), Fraction(-1, 10**12)  # bends are taken on their left side
    x = np.array(points[0], dtype=object)
    p = np.array([Fraction(k + 2, 3) for k in range(network.output_size)], dtype=object)
    run = hjsym.pontryagin(exact, x, p)
    direction = np.array(
        data.draw(st.lists(st.integers(-3, 3), min_size=len(x), max_size=len(x))), dtype=object
    )
    right, left = ((p * (exact(x + s * direction) - exact(x))).sum() / s for s in (-h, h))
    if right == left:  # not at a bend
        assert (run.costates[0] * direction).sum() == right


def test_of_torch():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)

    class Block(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = torch.nn.Linear(6, 8), torch.nn.Linear(8, 6)

        def forward(self, x):
            return x + 0.5 * self.b(torch.nn.functional.softplus(self.a(x)))

    convolution = torch.nn.Sequential(
        torch.nn.Unflatten(1, (1, 6)),
        torch.nn.Conv1d(1, 2, 3),
        torch.nn.ReLU(),
        torch.nn.MaxPool1d(2),
        torch.nn.Flatten(),
    )
    model = torch.nn.Sequential(Block(), Block(), convolution, torch.nn.Linear(4, 3)).double().eval()
    x, target = (
        torch.randn(7, 6, dtype=torch.double, requires_grad=True),
        torch.randn(7, 3, dtype=torch.double),
    )
    ((model(x) - target) ** 2).sum().backward()
    run = hjsym.pontryagin(model, x.detach().numpy(), lambda y: 2 * (y - target.numpy()), input_shape=(6,))
    np.testing.assert_allclose(run.costates[0], x.grad.numpy(), rtol=1e-12, atol=1e-12)
    found = [g for g in run.gradients if "weight" in g]
    linear = [model[0].a, model[0].b, model[1].a, model[1].b, None, model[3]]
    assert len(found) == len(linear)
    for gradients, layer in zip(found, linear, strict=True):
        if layer is not None:  # a convolution's weights stand in many places of a sparse matrix
            np.testing.assert_allclose(gradients["weight"], layer.weight.grad.numpy(), rtol=1e-12, atol=1e-12)
            np.testing.assert_allclose(gradients["bias"], layer.bias.grad.numpy(), rtol=1e-12, atol=1e-12)


def test_steps_are_residual_blocks_and_single_layers():
    network = residual_network(depth=2)
    run = hjsym.pontryagin(network, np.ones(4), [1.0])
    assert [(s.start, s.stop) for s in run.steps] == [(0, 4), (4, 8), (8, 9)]
    assert [x.shape for x in run.states] == [(4,), (4,), (4,), (1,)]
    assert [p.shape for p in run.costates] == [(4,), (4,), (4,), (1,)]
    assert run.rates[-1] is None and run.drifts[1] is None
    np.testing.assert_allclose(run.rates[0], run.costates[1] @ (run.states[1] - run.states[0]))
    np.testing.assert_allclose(run.hamiltonians[1], run.costates[2] @ run.states[2])


def test_the_wrong_pairing_is_wrong_by_the_size_of_a_step():
    for h in (0.1, 0.01):
        network = residual_network(h=h)
        run = hjsym.pontryagin(network, np.ones(4), [1.0])
        right, wrong = run.gradients[0]["weight"], run.wrongly_paired_gradients()[0]["weight"]
        error = np.abs(right - wrong).max() / np.abs(right).max()
        assert 0.1 * h < error < 10 * h
        assert run.wrongly_paired_gradients()[-1] is run.gradients[-1]  # a step to another size has no p_l


def test_the_hamiltonian_of_an_autonomous_flow_drifts_in_third_order():
    def drift(depth):
        rng = np.random.default_rng(1)
        W, b = rng.normal(size=(3, 3)), rng.normal(size=3)
        nodes = []
        for _ in range(depth):
            state = len(nodes)
            nodes.append(Node(layers.Affine(W, b), (state,)))
            nodes.append(Node(layers.Softplus(1.0), (state + 1,)))
            nodes.append(Node(layers.Add((1.0, 1 / depth)), (state, state + 2)))
        run = hjsym.pontryagin(Network(3, tuple(nodes)), [0.3, -0.2, 0.5], [1.0, 2.0, -1.0])
        return max(map(abs, run.drifts))

    assert 6 < drift(20) / drift(40) < 9 and 7 < drift(40) / drift(80) < 8.5


@pytest.mark.parametrize("gate", [layers.Softplus(0.5), layers.Relu(), layers.clip(-1, 1)], ids=str)
def test_steps_are_symplectic(gate):
    run = hjsym.pontryagin(residual_network(gate=gate), np.ones(4) / 3, [1.0])
    assert all(run.symplectic_defect(k) < 1e-14 for k in range(6))


@pytest.mark.parametrize(
    "head", [layers.Sigmoid(), layers.LogSoftmax(), layers.Maximum(np.array([[0, 1], [1, 2], [2, 0]]), 0.4)]
)
def test_the_linearised_flow_is_the_difference_of_flows(head):
    """Co-states of two terminal gradients and two starts, by themselves, beside the linearised map."""
    rng = np.random.default_rng(2)
    network = Network.sequential(3, [random_affine(3, 3, rng), head])
    single = Network(3, (*network.nodes, Node(layers.Add((1.0, 0.5)), (0, 2))))
    x, p, h = rng.normal(size=3), rng.normal(size=3), 1e-6
    run = hjsym.pontryagin(single, x, p)
    assert len(run.steps) == 1
    dx, dp_out = rng.normal(size=3), rng.normal(size=3)
    moved, back = ((hjsym.pontryagin(single, x + s * dx, p + s * dp_out)) for s in (h, -h))
    dp = (moved.costates[0] - back.costates[0]) / (2 * h)
    found = run.flow(0, dx, dp)
    np.testing.assert_allclose(found[0], (moved.states[1] - back.states[1]) / (2 * h), atol=1e-8)
    np.testing.assert_allclose(found[1], dp_out, atol=1e-8)


def test_a_value_that_the_output_does_not_read_has_no_adjoint():
    network = Network(2, (Node(layers.Relu(), (0,)), Node(layers.Affine([[1.0, 2.0]], [0.0]), (0,))))
    run = hjsym.pontryagin(network, [1.0, 1.0], [1.0])
    assert run.adjoints[1].tolist() == [0, 0] and run.adjoints[0].tolist() == [1, 2]


def test_bad_input_is_refused_before_any_work():
    network = residual_network(depth=1)
    with pytest.raises(ShapeError, match=r"terminal has shape \(3,\) but the outputs have \(1,\)"):
        hjsym.pontryagin(network, np.ones(4), [1.0, 2.0, 3.0])
    with pytest.raises(InputError, match="finite"):
        hjsym.pontryagin(network, np.ones(4), [np.nan])
    run = hjsym.pontryagin(network, np.ones((2, 4)), [1.0])
    with pytest.raises(ShapeError, match="one point"):
        run.flow(0, np.ones(4), np.ones(4))
    run = hjsym.pontryagin([([[1.0, 1.0], [1.0, 1.0]], [0, 0])], np.ones(2), [1.0, 0.0])
    with pytest.raises(InputError, match="singular"):
        run.flow(0, np.ones(2), np.ones(2))
    with pytest.raises(InputError, match="step 1 maps 4 variables to 1"):
        hjsym.pontryagin(network, np.ones(4), [1.0]).symplectic_defect(1)


def test_a_layer_without_a_rule_is_named():
    class Odd(layers.Layer):
        def __call__(self, x):
            return x

    with pytest.raises(UnsupportedLayerError, match="Odd"):
        _ = hjsym.pontryagin(Network.sequential(2, [Odd()]), [1.0, 2.0], [1.0, 0.0]).costates
