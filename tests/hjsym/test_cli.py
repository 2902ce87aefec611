"""The command line on the stored networks: what it prints, what it writes, how it fails."""

import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import hjsym
from hjsym.cli import main
from hjsym.datasets import load_dataset
from hjsym.hopf import LSELayer
from tropical import InputError

MODELS = Path(__file__).resolve().parents[2] / "examples" / "models"
RELU, LSE = MODELS / "digits-relu.onnx", MODELS / "digits-lse.npz"


def run(capsys, *arguments) -> tuple[int, str, str]:
    code = main([str(a) for a in arguments])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_compile_report(capsys, tmp_path):
    code, out, err = run(capsys, "compile", RELU, "--exact-points", 2, "--figures", tmp_path / "new")
    assert (code, err) == (0, "")
    assert "FAILED" not in out
    f = hjsym.compile(RELU)
    for part in ("2,778 parameters", str(f.P.monomial_count()[0]), "active monomial of P", "proved bound"):
        assert part in out
    assert re.search(r"rational arithmetic, 2 points +0 +ok", out)
    pictures = sorted(p.name for p in (tmp_path / "new").iterdir())
    assert pictures == ["digits-relu-attribution.png", "digits-relu-eps-sweep.png"]
    assert (tmp_path / "new" / pictures[0]).read_bytes().startswith(b"\x89PNG")


def test_inspect_report(capsys, tmp_path):
    code, out, err = run(
        capsys, "inspect", LSE, "--time", 0.5, "--point", 7, "--latex", "--figures", tmp_path
    )
    assert (code, err) == (0, "")
    assert "FAILED" not in out
    for part in ("F_s = |∇F|² + 0.5 ΔF", r"\partial_s F", "initial data: 80 atoms", "labelled 7", "entropy"):
        assert part in out
    layer, point = LSELayer.load(LSE), load_dataset("digits")[0][7]
    assert f"H(π) = {layer.polynomial.entropy(point):.6f}" in out
    assert len(list(tmp_path.iterdir())) == 2


def test_stored_networks_are_small_and_good():
    images, digits = load_dataset("digits")
    assert all(p.stat().st_size < 1_000_000 for p in (RELU, LSE))
    assert (hjsym.compile(RELU)(images).argmax(axis=1) == digits).mean() > 0.97
    assert (LSELayer.load(LSE).class_probabilities(images).argmax(axis=1) == digits).mean() > 0.97


def test_model_without_data_set_is_checked_at_random_points(capsys, tmp_path):
    LSELayer([[1.0, 2.0], [0.5, -1.0]], [0.0, 1.0], 0.5).save(tmp_path / "layer.npz")
    for command in ("compile", "inspect"):
        arguments = [command, tmp_path / "layer.npz"]
        code, out, err = run(capsys, *arguments)
        if command == "compile":  # log-sum-exp has no exact form
            assert (code, out) == (2, "")
            assert "at a temperature ε > 0" in err
        else:
            assert code == 0
            assert "1,000 standard normal points" in out


def save_model(path: Path, weight: np.ndarray, **properties: str) -> Path:
    nodes = [helper.make_node("Gemm", ["x", "W"], ["y"], transB=1)]
    graph = helper.make_graph(
        nodes, "g",
        [helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["n", weight.shape[1]])],
        [helper.make_tensor_value_info("y", TensorProto.DOUBLE, ["n", weight.shape[0]])],
        [numpy_helper.from_array(weight, "W")],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, properties)
    onnx.save(model, path)
    return path


def nan_weights(folder: Path) -> Path:
    return save_model(folder / "nan.onnx", np.array([[1.0, np.nan]]))


def wrong_data_set(folder: Path) -> Path:
    return save_model(folder / "m.onnx", np.ones((1, 2)), dataset="digits")


def unknown_data_set(folder: Path) -> Path:
    return save_model(folder / "m.onnx", np.ones((1, 2)), dataset="../../etc/passwd")


def text_file(folder: Path) -> Path:
    path = folder / "model.onnx"
    path.write_text("this is not a model")
    return path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (nan_weights, r"weight\[0, 1\] is nan"),
        (wrong_data_set, "of 64 columns but takes 2"),
        (unknown_data_set, "is unknown; known is 'digits'"),
        (text_file, "not an ONNX model or is truncated"),
        (lambda folder: folder / "missing.onnx", "is not a file"),
        (lambda folder: folder / "model.txt", "neither .onnx nor .npz"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(capsys, tmp_path, make, message):
    code, out, err = run(capsys, "compile", make(tmp_path), "--figures", tmp_path / "pictures")
    assert (code, out) == (2, "")
    assert re.search(message, err)
    assert err.count("\n") == 1
    assert not (tmp_path / "pictures").exists()


def test_point_out_of_range(capsys):
    code, _, err = run(capsys, "inspect", LSE, "--point", 99999)
    assert code == 2
    assert "points 0 to 1,796" in err


def test_usage_error_exits_with_2(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["compile"])
    assert stop.value.code == 2
    assert "model" in capsys.readouterr().err


def test_failed_check_exits_with_1(capsys, monkeypatch):
    """A compiled form that is not the network must be noticed."""
    from hjsym.reports import compiled

    original = compiled.compile
    wrong = hjsym.compile([(np.ones((10, 64)), np.zeros(10))])
    monkeypatch.setattr(compiled, "compile", lambda n, exact=False: original(n, exact) if exact else wrong)
    code, out, _ = run(capsys, "compile", RELU, "--exact-points", 1)
    assert code == 1
    assert "FAILED" in out


def test_unknown_data_set_by_name():
    with pytest.raises(InputError, match="known is 'digits'"):
        load_dataset("cifar")
