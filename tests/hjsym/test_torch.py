"""Torch modules against torch itself, per layer and whole, traced and exported."""

import numpy as np
import pytest

import hjsym
from hjsym.errors import UnsupportedLayerError
from tropical.errors import InputError

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

IMAGE, LINE, VECTOR = (4, 6, 5), (3, 8), (6,)


def settled(module):
    """In double precision and evaluation mode, with running statistics that are not the initial ones."""
    torch.manual_seed(0)
    module = module.double().eval()
    for tensor in module.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(torch.rand_like(tensor) + 0.25 if tensor.ndim == 1 else torch.randn_like(tensor))
    return module


def check(module, shape, source=None, count=4):
    """load and compile give torch's values."""
    points = np.random.default_rng(3).normal(size=(count, *shape)) * 2
    with torch.no_grad():
        expected = module(torch.from_numpy(points)).reshape(count, -1).numpy()
    network = hjsym.load(module if source is None else source, shape)
    flat = points.reshape(count, -1)
    np.testing.assert_allclose(network(flat), expected, rtol=1e-12, atol=1e-12)
    f = hjsym.compile(network)
    scores = np.subtract(*f.parts(flat))
    np.testing.assert_allclose(scores if f.head is None else f.head(scores), expected, rtol=1e-11, atol=1e-11)
    return network


MODULES = [
    (nn.Linear(6, 3), VECTOR),
    (nn.Linear(6, 3, bias=False), VECTOR),
    (nn.Linear(5, 2), IMAGE),
    (nn.Conv1d(3, 2, 3, padding=2, dilation=2), LINE),
    (nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2), IMAGE),
    (nn.Conv2d(4, 2, 3, padding="same", bias=False), IMAGE),
    (nn.Conv2d(4, 2, (2, 3), padding="valid"), IMAGE),
    (nn.Conv3d(2, 2, 2), (2, 3, 3, 2)),
    (nn.BatchNorm1d(6), VECTOR),
    (nn.BatchNorm1d(3, affine=False), LINE),
    (nn.BatchNorm2d(4, eps=0.125), IMAGE),
    (nn.MaxPool1d(3, stride=2, padding=1), LINE),
    (nn.MaxPool2d((2, 3), stride=(1, 2), padding=(1, 1), ceil_mode=True), IMAGE),
    (nn.MaxPool2d(2, dilation=2), IMAGE),
    (nn.AvgPool1d(2), LINE),
    (nn.AvgPool2d((2, 3), stride=2, padding=1, ceil_mode=True), IMAGE),
    (nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False), IMAGE),
    (nn.AvgPool2d(2, divisor_override=3), IMAGE),
    (nn.AdaptiveAvgPool2d(1), IMAGE),
    (nn.AdaptiveAvgPool2d((3, None)), IMAGE),
    (nn.AdaptiveMaxPool2d((2, 1)), IMAGE),
    (nn.AdaptiveAvgPool2d((3, 4)), IMAGE),
    (nn.AdaptiveMaxPool2d((3, 4)), IMAGE),
    (nn.ConvTranspose1d(3, 2, 3, stride=2, padding=1, output_padding=1), LINE),
    (nn.ConvTranspose2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2), IMAGE),
    (nn.Conv2d(4, 2, 3, padding=1, padding_mode="reflect"), IMAGE),
    (nn.Conv1d(3, 2, 3, padding=2, padding_mode="circular"), LINE),
    (nn.ReflectionPad2d((1, 0, 2, 1)), IMAGE),
    (nn.ReplicationPad1d(2), LINE),
    (nn.Upsample(scale_factor=2), IMAGE),
    (nn.Upsample(size=(7, 3), mode="bilinear"), IMAGE),
    (nn.Upsample(scale_factor=2, mode="bicubic", align_corners=True), IMAGE),
    (nn.UpsamplingNearest2d(scale_factor=3), IMAGE),
    (nn.PixelShuffle(2), IMAGE),
    (nn.PixelUnshuffle(1), IMAGE),
    (nn.ChannelShuffle(2), IMAGE),
    (nn.Threshold(0.5, 0.5), VECTOR),
    (nn.RReLU(), VECTOR),
    (nn.utils.parametrizations.weight_norm(nn.Linear(6, 3)), VECTOR),
    (nn.ReLU(), VECTOR),
    (nn.LeakyReLU(0.3), VECTOR),
    (nn.PReLU(), IMAGE),
    (nn.PReLU(4), IMAGE),
    (nn.ReLU6(), VECTOR),
    (nn.Hardtanh(-0.5, 1.5), VECTOR),
    (nn.Hardsigmoid(), VECTOR),
    (nn.Softshrink(0.75), VECTOR),
    (nn.Softplus(beta=2.5, threshold=60), VECTOR),
    (nn.Identity(), VECTOR),
    (nn.Dropout(0.5), VECTOR),
    (nn.Dropout2d(), IMAGE),
    (nn.Flatten(), IMAGE),
    (nn.Flatten(2), IMAGE),
    (nn.Unflatten(1, (2, 3)), VECTOR),
    (nn.ZeroPad2d((1, 0, 2, 1)), IMAGE),
    (nn.ConstantPad1d((1, 2), -1.5), LINE),
    (nn.Sequential(nn.Linear(6, 3), nn.Sigmoid()), VECTOR),
    (nn.Sequential(nn.Linear(6, 3), nn.Softmax(dim=1)), VECTOR),
    (nn.Sequential(nn.Linear(6, 3), nn.LogSoftmax(dim=-1)), VECTOR),
]


@pytest.mark.parametrize("module, shape", MODULES, ids=lambda v: repr(v)[:60])
def test_modules(module, shape):
    check(settled(module), shape)


class Function(nn.Module):
    """A module whose forward is one function of the input and a constant."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        self.register_buffer("c", torch.linspace(-1.5, 2, 6).double())

    def forward(self, x):
        return self.function(x, self.c)


FUNCTIONS = {
    "relu": (lambda x, c: F.relu(x), VECTOR),
    "torch.relu": (lambda x, c: torch.relu(x), VECTOR),
    "method relu": (lambda x, c: x.relu(), VECTOR),
    "abs": (lambda x, c: abs(x) + x.abs() + torch.abs(x), VECTOR),
    "add": (lambda x, c: x + c + 1 + torch.add(x, c, alpha=2), VECTOR),
    "sub": (lambda x, c: 3 - x - (c - x.relu()), VECTOR),
    "mul": (lambda x, c: 2 * x * c, VECTOR),
    "div": (lambda x, c: x / (c + 4) / 2, VECTOR),
    "constants are folded": (lambda x, c: x * (c * 2 + 1).abs(), VECTOR),
    "neg": (lambda x, c: -x, VECTOR),
    "residual": (lambda x, c: x + F.relu(x * c), VECTOR),
    "maximum": (lambda x, c: torch.maximum(x, -x * c), VECTOR),
    "maximum with a constant": (lambda x, c: torch.maximum(x, c), VECTOR),
    "minimum": (lambda x, c: torch.minimum(x * c, x), VECTOR),
    "max over an axis": (lambda x, c: torch.max(x, dim=2)[0] + x.max(2).values, IMAGE),
    "min over an axis": (lambda x, c: x.min(dim=1, keepdim=True)[0], IMAGE),
    "amax": (lambda x, c: x.amax(dim=(1, 3)), IMAGE),
    "mean": (lambda x, c: x.mean(dim=[2, 3]), IMAGE),
    "sum": (lambda x, c: torch.sum(x, dim=1, keepdim=True), IMAGE),
    "logsumexp": (lambda x, c: torch.logsumexp(x, dim=1, keepdim=True), VECTOR),
    "clamp": (lambda x, c: x.clamp(-1, 0.5) + torch.clamp(x, min=0.25), VECTOR),
    "hardtanh": (lambda x, c: F.hardtanh(x) + F.relu6(x) + F.leaky_relu(x, 0.2), VECTOR),
    "linear": (lambda x, c: F.linear(x, c.reshape(1, 6)), VECTOR),
    "matmul": (lambda x, c: x @ c.reshape(6, 1), VECTOR),
    "max_pool2d": (lambda x, c: F.max_pool2d(x, 2, stride=1), IMAGE),
    "avg_pool2d": (lambda x, c: F.avg_pool2d(x, (2, 1)), IMAGE),
    "view": (lambda x, c: x.view(x.size(0), -1), IMAGE),
    "reshape by shape": (lambda x, c: x.reshape(x.shape[0], x.shape[2], -1), IMAGE),
    "view -1": (lambda x, c: x.view(-1, 20, 6), IMAGE),
    "flatten": (lambda x, c: torch.flatten(x, 1) + x.flatten(1), IMAGE),
    "permute": (lambda x, c: x.permute(0, 3, 1, 2), IMAGE),
    "transpose": (lambda x, c: x.transpose(1, -1).contiguous(), IMAGE),
    "cat": (lambda x, c: torch.cat([x, -x], dim=1) + torch.cat((x, x), 1), IMAGE),
    "slices": (lambda x, c: x[:, 1:, ::2, -1] + x[:, :3, 1::2, 0], IMAGE),
    "ellipsis": (lambda x, c: x[..., 2], IMAGE),
    "chunk": (lambda x, c: x.chunk(2, dim=1)[0] - torch.chunk(x, 2, 1)[1], IMAGE),
    "split": (lambda x, c: x.split([2, 4], dim=1)[1], VECTOR),
    "squeeze": (lambda x, c: x.unsqueeze(2).squeeze(-1).unsqueeze(-2), VECTOR),
    "pad": (lambda x, c: F.pad(x, (1, 2, 0, 1), value=0.5), IMAGE),
    "pad by reflection": (lambda x, c: F.pad(x, (1, 2, 0, 1), mode="reflect"), IMAGE),
    "interpolate": (
        lambda x, c: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False),
        IMAGE,
    ),
    "interpolate, nearest": (lambda x, c: F.interpolate(x, size=(3, 9)), IMAGE),
    "flip and roll": (lambda x, c: torch.flip(x, [2]) + torch.roll(x, 1, -1), IMAGE),
    "conv_transpose": (lambda x, c: F.conv_transpose2d(x, c[:4].reshape(4, 1, 1, 1), stride=2), IMAGE),
    "threshold": (lambda x, c: F.threshold(x, -1.0, -1.0), VECTOR),
    "dropout": (lambda x, c: F.dropout(x, 0.5, False), VECTOR),
    "softplus": (lambda x, c: F.softplus(x, 0.5, 100), VECTOR),
}


@pytest.mark.parametrize("function, shape", FUNCTIONS.values(), ids=FUNCTIONS)
def test_functions(function, shape):
    check(Function(function).eval(), shape)


class Block(nn.Module):
    """A small residual network with everything in it."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.pool = nn.MaxPool2d(2)
        self.body = nn.Sequential(nn.Linear(24, 8), nn.ReLU6(), nn.Dropout(), nn.Linear(8, 3))

    def forward(self, x):
        y = F.relu(self.norm(self.conv(x))) + x
        y = torch.flatten(self.pool(y), 1)
        return self.body(y)


def test_a_residual_network_traced_and_exported():
    module = settled(Block())
    names = [n.name for n in check(module, IMAGE).nodes]
    assert "conv" in names and "body.3" in names
    example = torch.zeros(2, *IMAGE, dtype=torch.float64)
    check(module, IMAGE, torch.export.export(module, (example,)))


def test_exact_compilation_of_a_float_module():
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(1, 2, 2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(2, 2)
    ).eval()
    f = hjsym.compile(module, exact=True, input_shape=(1, 3, 3))
    x = np.random.default_rng(0).integers(-4, 5, size=(3, 9)) / 4
    assert (f(x) == f.network(x)).all()
    with torch.no_grad():
        expected = module.double()(torch.from_numpy(x.reshape(3, 1, 3, 3))).numpy()
    np.testing.assert_allclose(f(x).astype(float), expected, rtol=1e-13, atol=1e-13)


def test_the_first_linear_layer_says_the_shape():
    assert hjsym.load(nn.Sequential(nn.Linear(6, 3), nn.ReLU())).input_size == 6
    with pytest.raises(InputError, match="pass input_shape="):
        hjsym.load(nn.Sequential(nn.Conv2d(1, 1, 2)))


REFUSED = {
    "training dropout": (
        nn.Sequential(nn.Linear(6, 2), nn.Dropout()),
        VECTOR,
        r"node 2 '_1' \(Dropout\).*eval",
    ),
    "training norm": (nn.BatchNorm1d(6), VECTOR, r"BatchNorm1d.*model\.eval"),
    "hardswish": (
        nn.Sequential(nn.Linear(6, 2), nn.Hardswish()),
        VECTOR,
        "Hardswish is not.*quadratic between",
    ),
    "gelu": (nn.GELU(), VECTOR, "GELU is not piecewise linear: it is curved"),
    "layer norm": (nn.LayerNorm(6), VECTOR, "LayerNorm.*divides by the standard deviation"),
    "transposed": (nn.ConvTranspose2d(4, 1, 2, padding=9), IMAGE, "transposed convolution of shape"),
    "threshold": (nn.Threshold(0.5, 0.0), VECTOR, "value 0 below it jumps"),
    "training slopes": (nn.RReLU(), VECTOR, r"RReLU.*model\.eval"),
    "flipped samples": (Function(lambda x, c: torch.tile(x, (2, 1))), VECTOR, "tile is not supported"),
    "powers": (nn.LPPool2d(2, 2), IMAGE, "LPPool2d is not piecewise linear: it takes roots"),
    "batch": (Function(lambda x, c: x.flatten()), IMAGE, "flatten over axis 0"),
    "samples": (Function(lambda x, c: x[0]), IMAGE, "chooses among samples"),
    "product": (Function(lambda x, c: x * x.relu()), VECTOR, "product of two values"),
    "quotient": (Function(lambda x, c: c / x), VECTOR, "division by a value"),
    "tanh": (Function(lambda x, c: torch.tanh(x)), VECTOR, "tanh is not piecewise linear"),
    "control flow": (Function(lambda x, c: x if x.sum() > 0 else -x), VECTOR, r"cannot trace.*torch\.export"),
    "returned indices": (nn.AdaptiveMaxPool2d(2, return_indices=True), IMAGE, "returns indices"),
}


@pytest.mark.parametrize("module, shape, message", REFUSED.values(), ids=REFUSED)
def test_refused(module, shape, message):
    with pytest.raises(UnsupportedLayerError, match=message):
        hjsym.load(module.train(), shape)


def test_a_tensor_is_no_network():
    with pytest.raises(UnsupportedLayerError, match="torch Tensor"):
        hjsym.load(torch.zeros(2))
