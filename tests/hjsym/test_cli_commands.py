"""What the commands say about models, against figures computed otherwise, and the examples of their help."""

import json
import math
import shlex
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax

import hjsym
from hjsym import selftest
from hjsym.cli import main, make_parser
from hjsym.datasets import load_dataset
from hjsym.hopf import LSELayer
from hjsym.layers import Add, Affine, Relu, Softplus
from hjsym.network import Network, Node
from tropical.errors import BudgetExceeded

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "examples" / "models"
DOCUMENTED = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
RELU, LSE = MODELS / "digits-relu.onnx", MODELS / "digits-lse.npz"
W, B, EPS = np.array([[1.0, 2.0], [0.5, -1.0], [-1.0, -0.25]]), np.array([0.0, 1.0, 0.25]), 0.5


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    """Small models: a layer with labels, a ReLU network, a convex one, a residual one and a soft one."""
    folder = tmp_path_factory.mktemp("models")
    LSELayer(W, B, EPS, labels=[0, 1, 1]).save(folder / "layer.npz")
    LSELayer(W[:, :1], B, EPS).to_network().save(folder / "line.json")
    pairs = [
        ([[2.0, 1.0], [-1.0, 1.5], [0.5, -2.0]], [0.25, -0.5, 0.0]),
        ([[1.0, -1.0, 0.5], [0.5, 1.0, -1.0]], [0.0, 0.125]),
    ]
    hjsym.load(pairs).save(folder / "relu.json")
    hjsym.load([([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]], [0.0, 0.0, 0.5]), ([[1.0, 1.0, 2.0]], [0.0])]).save(
        folder / "convex.npz"
    )
    V = np.array([[0.5, -1.0], [0.25, 0.5]])
    nodes = (Node(Affine(V, [0.5, 0.0]), (0,)), Node(Relu(), (1,)), Node(Affine(V.T, [0.0, 1.0]), (2,)))
    Network(2, (*nodes, Node(Add([1, 0.5]), (0, 3)))).save(folder / "residual.json")
    Network.sequential(2, [Affine(W, B), Softplus(0.5), Affine([[1.0, -1.0, 2.0]], [0.1])]).save(
        folder / "soft.json"
    )
    return folder


def ask(capsys, *arguments) -> dict:
    """The object that a command prints, which holds."""
    code = main([*map(str, arguments), "--json"])
    printed = capsys.readouterr()
    assert code == 0 and not printed.err, printed.err
    found = json.loads(printed.out, parse_constant=pytest.fail)
    assert found["command"] == arguments[0] and found["holds"] and all(c["holds"] for c in found["checks"])
    assert [key for key in keys(found) if f"`{key}`" not in DOCUMENTED] == []
    return found


def keys(value) -> set[str]:
    """All keys of an object and the objects in it, but those that are names of fields of an equation."""
    if isinstance(value, list):
        return set().union(*map(keys, value))
    if not isinstance(value, dict):
        return set()
    inner = (keys(v) for k, v in value.items() if k not in ("fields", "residuals"))
    return set(value).union(*inner)


def refuse(capsys, *arguments) -> str:
    """The one line on stderr of a command that is given bad input."""
    code = main([*map(str, arguments)])
    printed = capsys.readouterr()
    assert (
        (code, printed.out) == (2, "") and printed.err.count("\n") == 1 and printed.err.startswith("hjsym: ")
    )
    return printed.err


def examples() -> list:
    parser = make_parser()
    (commands,) = (a.choices for a in parser._actions if isinstance(a.choices, dict))
    lines = [line.strip() for command in commands.values() for line in command.epilog.splitlines()]
    lines = [line for line in lines if line.startswith("hjsym ") and "|" not in line]
    slow = [pytest.mark.slow]
    return [pytest.param(line, marks=slow if "conjugate examples" in line else []) for line in lines]


@pytest.mark.parametrize("example", examples())
def test_examples_of_help_run(example, capsys, monkeypatch, tmp_path):
    if "completion" in example:
        pytest.importorskip("shtab")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "models").symlink_to(MODELS)
    assert main(shlex.split(example)[1:]) == 0
    printed = capsys.readouterr()
    assert printed.out.strip() and "FAILED" not in printed.out
    assert ("examples/output" in example) == (tmp_path / "examples" / "output").exists()


# ---- compile and inspect -----------------------------------------------------------------------------


def test_compile_as_data(capsys, models):
    found = ask(capsys, "compile", models / "relu.json", "--at", "0.5,-1")
    assert found["network"] == {
        "inputs": 2, "outputs": 2, "parameters": 17,
        "layers": ["Affine 2 → 3", "Relu", "Affine 3 → 2"],
    }  # fmt: skip
    assert found["point"] == {"index": 0, "label": None, "of": "the point given", "x": [0.5, -1.0]}
    # h = (0.25, 0, 2.25) at the point, so that f = (0.25 + 1.125, 0.125 − 2.25 + 0.125)
    assert found["piece"]["scores"] == [1.375, -2.0] and found["piece"]["output"] == 0
    assert found["piece"]["slope"] == [2.25, 0.0] and found["piece"]["intercept"] == 0.25
    assert found["monomials"][0]["P"].isdigit() and len(found["sweep"]) == 9
    assert set(found["sweep"][0]) == {"eps", "deviation", "bound", "ratio"}


def test_points_from_files(capsys, models, tmp_path):
    points = np.array([[0.5, -1.0], [2.0, 3.0]])
    np.save(tmp_path / "points.npy", points)
    np.savetxt(tmp_path / "points.csv", points, delimiter=",")
    for name in ("points.npy", "points.csv"):
        found = ask(capsys, "compile", models / "relu.json", "--input", tmp_path / name, "--point", 1)
        assert found["point"] == {"index": 1, "label": None, "of": f"the 2 points of {name}", "x": [2.0, 3.0]}


def test_inspect_layer_as_data(capsys, models):
    found = ask(capsys, "inspect", models / "layer.npz", "--time", 2, "--at", "0.5,1")
    assert found["layer"] == {
        "neurons": 3, "variables": 2, "eps": 0.5, "kappa": 1.0, "viscosity": 0.5, "accuracy": None
    }  # fmt: skip
    g = -B - 2 * (W**2).sum(axis=1)  # g = −b − t|W|², y = 2tW
    lowest = found["kernel"]["atoms"][0]
    assert (lowest["atom"], lowest["g"], lowest["y"]) == (0, g[0], (4 * W[0]).tolist())
    assert (
        found["plane_wave"]["latex"] == r"\partial_s F = |\nabla F|^2 + 0.5\,\Delta F, \qquad F(x, 0) = f(x)"
    )
    assert main(["inspect", str(models / "layer.npz")]) == 0
    assert "LaTeX" not in capsys.readouterr().out


def test_inspect_network_writes_its_solutions_out(capsys, models):
    found = ask(capsys, "inspect", models / "relu.json", "--at=-0.5,1")
    assert [s["label"] for s in found["systems"]] == ["exact", "exact"]
    assert found["systems"][0]["H"] == "p1**2 + p2**2" and set(found["systems"][0]["fields"]) == {
        "V_P",
        "V_Q",
    }
    assert set(found["systems"][0]["residuals"]) == {"V_P", "V_Q"}
    # h = (0.25, 1.5, 0): 2 of 3 units are on, and output 1 = 0.125 + 1.5 + 0.125 is the largest
    assert found["costates"]["output"] == 1 and found["costates"]["value"] == 1.75
    assert found["costates"]["gradient"] == [0.0, 2.0]


def test_inspect_writes_long_maxima_out(capsys, tmp_path):
    """Which SymPy would compare term by term, for minutes, if they were built anew."""
    rng = np.random.default_rng(0)
    hjsym.load([(rng.normal(size=(20, 2)), rng.normal(size=20)), (np.ones((1, 20)), [0.0])]).save(
        tmp_path / "f.npz"
    )
    found = ask(capsys, "inspect", tmp_path / "f.npz")
    pieces = [int(c["what"].split()[4]) for c in found["checks"] if "pieces" in c["what"]]
    assert (
        len(pieces) == 2
        and max(pieces) == hjsym.compile(tmp_path / "f.npz").essential()[0].slopes.shape[0] > 50
    )
    assert "draws log-sum-exp layers" in refuse(capsys, "inspect", tmp_path / "f.npz", "--figures", tmp_path)


def test_inspect_a_residual_and_a_soft_network(capsys, models):
    found = ask(capsys, "inspect", models / "residual.json")
    assert [s["label"] for s in found["systems"]] == ["structural"]
    found = ask(capsys, "inspect", models / "soft.json", "--at", "0.25,0.5")
    assert found["systems"] == []
    z = W @ [0.25, 0.5] + B
    slope = np.array([1.0, -1.0, 2.0]) * (1 / (1 + np.exp(-z / 0.5)))
    assert np.allclose(found["costates"]["gradient"], slope @ W, rtol=1e-12)


def test_inspect_a_network_too_large_to_write_out(capsys):
    found = ask(capsys, "inspect", RELU)
    assert [(s["label"], s["H"]) for s in found["systems"]] == [("exact", None)]
    images, labels = load_dataset("digits")
    assert found["point"]["label"] == labels[0] == found["costates"]["output"]
    want = hjsym.compile(RELU).affine_at(images[0], [0])[0][0]
    assert np.allclose(found["costates"]["gradient"], want, rtol=1e-12)


def test_a_point_on_a_bend_fails_no_check(capsys, models):
    for command in ("inspect", "explain", "compile"):
        ask(capsys, command, models / "convex.npz", "--at", "0,0")


# ---- regions -----------------------------------------------------------------------------------------


def test_regions_by_brute_force(capsys, models):
    found = ask(capsys, "regions", models / "relu.json", "--box=-3,3", "--decision", "--top", 50)
    f = hjsym.load(models / "relu.json")
    grid = np.array(list(product(np.linspace(-3, 3, 601) + 1e-4, repeat=2)))
    hidden, scores = f.values(grid)[1], f(grid)
    assert found["counts"]["activation"] == len(np.unique(hidden > 0, axis=0)) == len(found["largest"])
    assert sum(r["volume"] for r in found["largest"]) == pytest.approx(36, rel=1e-12)
    assert found["bounded"] == found["counts"]["activation"]
    for region in found["largest"]:
        want = f(np.array(region["witness"]))
        assert np.allclose(np.array(region["slope"]) @ region["witness"] + region["intercept"], want)
    assert {c["class"] for c in found["decision"]["classes"]} == set(scores.argmax(axis=1))


def test_regions_of_everything_and_of_a_line(capsys, models):
    found = ask(capsys, "regions", models / "convex.npz")
    assert found["domain"] == {"variables": 2, "slice": None, "box": None}
    assert found["counts"]["activation"] == 7 and found["bounded"] == 1  # three lines in general position
    assert any(r["volume"] is None for r in found["largest"])
    found = ask(capsys, "regions", RELU, "--slice", "3,7", "--jobs", 2)
    images = load_dataset("digits")[0]
    s = np.linspace(-0.25, 1.25, 20_001)[:, None]
    hidden = (
        np.concatenate(hjsym.load(RELU).values(images[3] + s * (images[7] - images[3]))[2:5:2], axis=1) > 0
    )
    assert found["counts"]["activation"] == 1 + (hidden[1:] != hidden[:-1]).any(axis=1).sum()


def test_regions_refuse(capsys, models, tmp_path):
    assert "points 0 to 999" in refuse(capsys, "regions", models / "relu.json", "--slice", "0,5000")
    assert "have 1 variables" in refuse(
        capsys, "regions", models / "relu.json", "--slice", "0,1", "--figures", tmp_path / "new"
    )
    assert "look at a --slice" in refuse(capsys, "regions", models / "relu.json", "--max-regions", 2)
    assert "one output" in refuse(capsys, "regions", models / "convex.npz", "--decision")
    assert "--jobs is 0" in refuse(capsys, "regions", models / "convex.npz", "--jobs", 0)
    assert "linearly dependent" in refuse(capsys, "regions", models / "relu.json", "--slice", "1,1")
    for wrong in (["--box", "1"], ["--box", "a,b"], ["--slice", "0.5,1"]):
        with pytest.raises(SystemExit) as stop:
            main(["regions", str(models / "relu.json"), *wrong])
        assert stop.value.code == 2 and "with commas between them" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


# ---- conjugates --------------------------------------------------------------------------------------


def test_conjugate_of_a_formula(capsys, tmp_path):
    found = ask(capsys, "conjugate", "x^2/2 + abs(x)", "--at", "0.5", "--at=-3", "--figures", tmp_path)
    assert found["convex"] and found["exact"] and found["variables"] == 1
    assert [(v["y"], v["value"], v["maximiser"]) for v in found["values"]] == [
        ([0.5], 0, [0]),
        ([-3], 2, [-2]),
    ]
    assert (tmp_path / "conjugate.png").read_bytes().startswith(b"\x89PNG")
    found = ask(capsys, "conjugate", "abs(x)**p/p", "--variables", "x")
    assert found["conditions"] == ["p > 1"] and found["values"] == []
    assert found["formula"] == "(p - 1)*Abs(y)**(p/(p - 1))/p"
    found = ask(capsys, "conjugate", "max(x, y)", "--variables", "x")  # (s − 1)y for s in [0, 1]: y is taken
    assert found["formula"] == "s*y - y" and found["domain"] == "Interval(0, 1)"
    found = ask(capsys, "conjugate", "x*y")  # no bound from below: the hull is −∞
    assert found["convex"] is False and all(v["value"] is None for v in found["values"])
    found = ask(capsys, "conjugate", "x", "--domain=-1,2", "--at", "3")
    assert found["values"][0]["value"] == 4  # sup of 3x − x on [−1, 2]


def test_conjugate_of_models(capsys, models):
    found = ask(capsys, "conjugate", models / "layer.npz", "--at", "0.1,0.2", "--at", "5,5")
    best = minimize(lambda x: EPS * logsumexp((W @ x + B) / EPS) - x @ [0.1, 0.2], [0.0, 0.0], tol=1e-12)
    assert found["values"][0]["value"] == pytest.approx(-best.fun, abs=1e-8)
    assert found["values"][1] == {"y": [5, 5], "value": None, "maximiser": [None, None], "gap": None}
    found = ask(capsys, "conjugate", models / "convex.npz", "--at", "0.25,-0.5")
    grid = np.array(
        list(product(np.linspace(-4, 4, 257), repeat=2))
    )  # holds the corners of f, which are dyadic
    f = hjsym.load(models / "convex.npz")
    assert found["values"][0]["value"] == (grid @ [0.25, -0.5] - f(grid)[:, 0]).max()
    assert "is not convex" in refuse(capsys, "conjugate", models / "relu.json")
    assert "outputs 0 to 0" in refuse(capsys, "conjugate", models / "convex.npz", "--output", 3)
    assert "are for formulas" in refuse(capsys, "conjugate", models / "layer.npz", "--variables", "x")


def test_conjugate_refuses(capsys, tmp_path):
    assert "is no function" in refuse(capsys, "conjugate", "__import__('os').system('true')")
    assert "no variable 'z'" in refuse(capsys, "conjugate", "x", "--variables", "z")
    assert "has no variable" in refuse(capsys, "conjugate", "5")
    assert "pass 1" in refuse(capsys, "conjugate", "x**2", "--at", "1,2")
    assert "pass low < high" in refuse(capsys, "conjugate", "x**2", "--domain", "3,1")
    assert "draws functions of one" in refuse(capsys, "conjugate", "x + y", "--figures", tmp_path / "new")
    assert "is not a file" in refuse(capsys, "conjugate", tmp_path / "none.npz")


# ---- the square and explanations ---------------------------------------------------------------------


def test_diagram(capsys, models, tmp_path):
    found = ask(capsys, "diagram", models / "line.json", "--time", 2, "--figures", tmp_path)
    assert len(found["arrows"]) == 9 == len(found["checks"]) and found["t"] == 2
    assert found["limit_bound"] == pytest.approx(0.5 * math.log(3))
    assert all(a["error"] <= a["bound"] for a in found["arrows"])
    assert [Path(p).name for p in found["pictures"]] == ["line-square.png"]
    found = ask(capsys, "diagram", models / "line.json", "--eps", 0.01)
    assert found["layer"]["eps"] == 0.01
    assert "needs Affine → LogSumExp" in refuse(capsys, "diagram", models / "relu.json")


def test_an_arrow_that_fails_fails_the_command(capsys, models, monkeypatch):
    monkeypatch.setattr("hjsym.square.arrows._ULP", 0.0)
    assert main(["diagram", str(models / "line.json")]) == 1
    assert "FAILED" in capsys.readouterr().out


def test_explain_a_layer(capsys, models):
    x = np.array([0.5, -0.25])
    found = ask(capsys, "explain", models / "layer.npz", "--at", "0.5,-0.25", "--top", 2)
    z = W @ x + B
    pi, f = softmax(z / EPS), EPS * logsumexp(z / EPS)
    heaviest = np.argsort(-pi)[:2]
    rows = found["attribution"]["atoms"]
    assert [row["atom"] for row in rows] == heaviest.tolist()
    assert np.allclose([row["weight"] for row in rows], pi[heaviest], rtol=1e-13)
    losses = [f - EPS * logsumexp(np.delete(z, j) / EPS) for j in heaviest]
    assert np.allclose([row["loss"] for row in rows], losses, rtol=1e-12)
    assert found["attribution"]["classes"][0] == {"class": 1, "weight": pytest.approx(pi[1:].sum())}
    assert [c["norm"] for c in found["certificates"]] == ["2", "inf", "1"]
    radius, rng = found["certificates"][0]["radius"], np.random.default_rng(0)
    around = rng.normal(size=(2000, 2))
    around = x + radius * 0.999 * around / np.linalg.norm(around, axis=1, keepdims=True)
    assert (
        (softmax((around @ W.T + B) / EPS, axis=1)[:, 1:].sum(axis=1) > 0.5) == (pi[1:].sum() > 0.5)
    ).all()
    cold = ask(capsys, "explain", models / "layer.npz", "--at", "0.5,-0.25", "--eps", 0.01)
    assert cold["attribution"]["eps"] == 0.01
    assert "one output 0" in refuse(capsys, "explain", models / "layer.npz", "--output", 1)


def test_explain_a_network(capsys, models):
    found = ask(capsys, "explain", models / "relu.json", "--at", "0.5,-1", "--output", 1)
    # h = (0.25, 0, 2.25): f_1 = 0.5·(2, 1)·x − (0.5, −2)·x + const, whose slope is (0.5, 2.5)
    inputs = {row["input"]: row for row in found["attribution"]["inputs"]}
    assert found["attribution"]["value"] == -2 and [inputs[k]["slope"] for k in (0, 1)] == [0.5, 2.5]
    f = hjsym.load(models / "relu.json")
    assert inputs[1]["loss"] == -2 - f([0.5, 0.0])[1] and inputs[0]["loss"] == -2 - f([0.0, -1.0])[1]
    assert "outputs 0 to 1" in refuse(capsys, "explain", models / "relu.json", "--output", 2)
    assert "--top is 0" in refuse(capsys, "explain", models / "relu.json", "--top", 0)
    warm = ask(capsys, "explain", models / "relu.json", "--at", "0.5,-1", "--eps", 0.1)
    assert warm["attribution"]["value"] != -2


def test_a_network_of_fractions(capsys, models):
    third = Fraction(1, 3)
    hjsym.load([([[third, -1]], [0]), ([[2]], [third])]).save(models / "exact.json")
    for command in ("compile", "inspect", "explain"):
        ask(capsys, command, models / "exact.json", "--at", "3,-1")
    found = ask(capsys, "regions", models / "exact.json")
    assert [r["slope"] for r in found["largest"]] == [[[2 / 3, -2.0]], [[0.0, 0.0]]]


def test_soft_networks_have_no_pieces(capsys, models):
    for command in ("compile", "regions"):
        assert "at a temperature ε > 0" in refuse(capsys, command, models / "soft.json")
    assert "--exact-points is -1" in refuse(capsys, "compile", models / "relu.json", "--exact-points", -1)
    assert "--seed is -1" in refuse(capsys, "diagram", models / "line.json", "--seed", -1)


def test_bad_points(capsys, models):
    for arguments, message in (
        (["--at", "1,2,3"], "has 3 coordinates but the model takes 2"),
        (["--at", "1,a"], "pass numbers with commas"),
        (["--at", "nan,1"], "points must be finite"),
        (["--point", "1000"], "points 0 to 999"),
        (["--input", models / "gone.npy"], "is not a file"),
    ):
        assert message in refuse(capsys, "explain", models / "relu.json", *arguments)
    with pytest.raises(SystemExit):
        main(["explain", str(models / "relu.json"), "--at", "1,2", "--input", "x.npy"])


def test_a_safetensors_file_needs_its_description(capsys, tmp_path):
    assert ".json" in refuse(capsys, "explain", tmp_path / "weights.safetensors")


def test_paper_as_data(capsys, tmp_path):
    assert main(["paper", "--out", str(tmp_path), "--only", "softplus-relu", "--fast", "--json"]) == 0
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert "1/1 rows" in printed.err and not {key for key in keys(found) if f"`{key}`" not in DOCUMENTED}
    (row,) = found["rows"]
    assert row["verdict"] == "passes" and row["measurements"][0]["stated"] == pytest.approx(math.log(2))


def test_selftest_as_data(capsys, monkeypatch):
    monkeypatch.setattr(selftest, "_CHECKS", {"matrices": selftest._products})
    found = ask(capsys, "selftest")
    assert found["results"][0] | {"seconds": 0} == {
        "name": "matrices", "holds": True, "seconds": 0, "detail": "37 × 37"
    }  # fmt: skip
    monkeypatch.setattr(selftest, "_CHECKS", {"division": lambda: str(1 / 0)})
    assert main(["selftest"]) == 1
    assert "ZeroDivisionError: division by zero" in capsys.readouterr().out


def test_the_budget_is_told_in_options():
    from hjsym.reports.regions import Where

    def find(f, domain, **options):
        raise BudgetExceeded("linear regions", 3, 2, "raise max_regions, or take partial=True")

    with pytest.raises(BudgetExceeded, match="raise --max-regions"):
        Where().search(find, None, None)
