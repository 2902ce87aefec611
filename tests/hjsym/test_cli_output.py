"""How the command line prints and stops: tables, JSON, control characters, completion, interrupts, imports."""

import importlib
import io
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import redirect_stdout
from fractions import Fraction

import numpy as np
import pytest

import hjsym
from hjsym._printable import printable
from hjsym.cli import main, make_parser
from hjsym.hopf import LSELayer
from hjsym.reports.machine import as_json
from hjsym.reports.report import Report
from tropical.errors import InputError

COMMANDS = (
    "compile",
    "inspect",
    "regions",
    "conjugate",
    "diagram",
    "explain",
    "page",
    "paper",
    "selftest",
    "completion",
)
ESCAPE = "\x1b]0;owned\x07\x1b[31m\u202enet\r\n"


def child(code: str, *arguments, **options) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-P", "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,
    )  # fmt: skip


@pytest.fixture(scope="module")
def layer(tmp_path_factory):
    path = tmp_path_factory.mktemp("layer") / "layer.npz"
    LSELayer([[1.0], [0.5], [-1.0]], [0.0, 1.0, 0.2], 0.5).save(path)
    return path


def report() -> Report:
    made = Report({"name": ESCAPE, "points": np.array([[1, np.inf], [np.nan, -0.5]])})
    made.heading(f"a heading of {ESCAPE}")
    made.line("a line with [red]no markup[/red]")
    made.table(["name", "value"], [[ESCAPE, "1.5"], ["b", "-22"]])
    made.check("held", 1e-17, 1e-12)
    made.check("missed", 0.5, 0.0)
    return made


# ---- text and JSON -----------------------------------------------------------------------------------


def test_plain_text_aligns_numbers_on_the_right_and_names_on_the_left():
    made = Report()
    made.table(["name", "value"], [["long name", "1.5"], ["b", "-22"]])
    made.check("held", 0.25, 0.5)
    assert str(made).split("\n") == [
        "  name        value",
        "  long name     1.5",
        "  b             -22",
        f"  {'held':58}   2.50e-01   ok, ≤ 0.5 needed",
    ]


def test_no_control_character_reaches_the_terminal():
    text = str(report())
    assert all(c == "\n" or c.isprintable() for c in text)
    assert r"\x1b]0;owned\x07\x1b[31m\u202enet\r\n" in text
    assert printable("name\udc80") == r"name\udc80"


def test_rich_prints_the_same_words_without_markup_or_escapes_of_files():
    console = pytest.importorskip("rich.console")
    from hjsym.reports.pretty import show

    out = io.StringIO()
    show(report(), console.Console(file=out, force_terminal=True, width=150, highlight=False))
    text = out.getvalue()
    assert "\x1b[" in text  # its own colours
    bare = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert all(c == "\n" or c.isprintable() for c in bare)
    words = bare.split()
    assert set(str(report()).split()) - set(words) <= {"─" * n for n in range(200)}
    assert "[red]no" in words and "✓" in words and "✗" in words


def test_json_is_one_object_of_finite_numbers():
    made = json.loads(as_json(report(), "test"), parse_constant=pytest.fail)
    assert list(made) == ["command", "version", "holds", "name", "points", "checks"]
    assert made["holds"] is False and made["name"] == ESCAPE
    assert made["points"] == [[1.0, None], [None, -0.5]]
    assert made["checks"][1] == {"what": "missed", "value": 0.5, "limit": 0.0, "holds": False}
    made = as_json(Report({"a": Fraction(1, 4), "b": np.float32(0.5), "c": np.bool_(True), "d": 2**70}), "x")
    assert json.loads(made)["a"] == 0.25 and f'"c": true, "d": {2**70}' in made
    with pytest.raises(TypeError, match="set has no place"):
        as_json(Report({"a": {1}}), "x")


def test_a_check_of_nan_fails():
    made = Report()
    made.check("lost", math.nan, 1.0)
    assert not made.holds and json.loads(as_json(made, "x"))["checks"][0]["value"] is None


def test_names_in_a_file_are_written_out(capsys, tmp_path):
    path = tmp_path / "a\x1b[31m\n.npz"
    LSELayer([[1.0]], [0.0], 0.5).save(path)
    assert main(["explain", str(path)]) == 0
    out = capsys.readouterr().out
    assert r"a\x1b[31m\n.npz" in out and "\x1b" not in out
    assert main(["explain", str(tmp_path / "b\x1b[31m\n.npz")]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "\x1b" not in err


@pytest.mark.parametrize(
    ("terminal", "environment", "coloured"),
    [(True, {}, True), (True, {"NO_COLOR": "1"}, False), (True, {"TERM": "dumb"}, False), (False, {}, False)],
)
def test_colours_are_for_terminals_that_want_them(layer, monkeypatch, terminal, environment, coloured):
    pytest.importorskip("rich")

    class Out(io.TextIOWrapper):
        def isatty(self):
            return terminal

    out = Out(io.BytesIO(), encoding="utf-8")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"TERM": "xterm"} | environment).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["conjugate", "abs(x)"]) == 0
    assert ("\x1b[" in out.buffer.getvalue().decode()) == coloured


def test_a_terminal_without_rich_gets_plain_text(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "rich.console", None)
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda self: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert main(["conjugate", "abs(x)"]) == 0
    assert "───" in capsys.readouterr().out


# ---- help, imports, completion -----------------------------------------------------------------------


def test_help_and_usage_errors_import_nothing_heavy():
    code = (
        "import sys, hjsym.cli\n"
        "for arguments in (['--help'], ['regions', '--help'], ['compile'], ['nothing']):\n"
        "    try: hjsym.cli.main(arguments)\n"
        "    except SystemExit as stop: print(stop.code, file=sys.stderr)\n"
        "print(sorted({'numpy', 'sympy', 'scipy', 'networkx', 'tropical', 'rich'} & set(sys.modules)))\n"
    )
    out, err = child(code).communicate(timeout=60)
    assert out.endswith("[]\n"), out
    assert [line for line in err.splitlines() if line.isdigit()] == ["0", "0", "2", "2"]


def test_functions_of_the_name_of_their_module_stay_functions(monkeypatch):
    for name in ("compile", "pontryagin"):
        module = importlib.import_module(f"hjsym.{name}")
        monkeypatch.setattr(hjsym, name, module)  # what importing it does
        assert getattr(hjsym, name) is getattr(module, name)
    assert [name for name in hjsym.__all__ if not hasattr(hjsym, name)] == []
    assert hjsym.layers.__name__ == "hjsym.layers" and not hasattr(hjsym, "nothing")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_example_in_its_help(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    out = capsys.readouterr().out
    assert f"  hjsym {command}" in out.partition("examples:")[2]
    assert "--json" in out or command == "completion"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_know_every_command_and_option(shell, capsys):
    pytest.importorskip("shtab")
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for word in (*COMMANDS, "max-regions", "figures"):
        assert word in script


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_completion_in_bash(capsys, tmp_path):
    pytest.importorskip("shtab")
    assert main(["completion", "bash"]) == 0
    (tmp_path / "completion.sh").write_text(capsys.readouterr().out)
    (tmp_path / "model.onnx").touch()

    def complete(*words: str) -> set[str]:
        script = (
            'source completion.sh; COMP_WORDS=(hjsym "$@"); COMP_CWORD=$#; COMPREPLY=();'
            "$(complete -p hjsym | sed 's/.*-F \\([^ ]*\\).*/\\1/'); printf '%s\\n' \"${COMPREPLY[@]}\""
        )
        done = subprocess.run(
            ["bash", "-c", script, "bash", *words], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return set(done.stdout.split())

    assert set(COMMANDS) <= complete("")
    assert complete("ex") == {"explain"}
    assert "--max-regions" in complete("regions", "--max")
    assert "model.onnx" in complete("explain", "mo")


def test_completion_without_shtab_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["completion", "bash"]) == 2
    assert "install hjsym[terminal]" in capsys.readouterr().err


# ---- how it stops ------------------------------------------------------------------------------------

SLOW_PICTURE = """
import signal, sys, time
import matplotlib.figure
from hjsym.cli import main

signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's background jobs have not

def half(self, path, **options):
    with open(path, "wb") as file:
        file.write(b"half a picture")
    print("ready", flush=True)
    time.sleep(60)

matplotlib.figure.Figure.savefig = half
sys.exit(main(sys.argv[1:]))
"""


def test_an_interrupt_leaves_no_partial_file(layer, tmp_path):
    old = tmp_path / "layer-attribution.png"
    old.write_bytes(b"the picture of yesterday")
    running = child(SLOW_PICTURE, "explain", layer, "--figures", tmp_path)
    assert running.stdout.readline() == "ready\n"
    assert len(list(tmp_path.iterdir())) == 2
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out, err) == (130, "", "hjsym: interrupted\n")
    assert list(tmp_path.iterdir()) == [old] and old.read_bytes() == b"the picture of yesterday"


def test_a_reader_that_goes_away_is_no_error(monkeypatch, capsys):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as out:
        monkeypatch.setattr(sys, "stdout", out)
        assert main(["conjugate", "abs(x)"]) == 141
    assert capsys.readouterr().err == ""


def test_output_that_cannot_hold_greek_is_no_error(monkeypatch):
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["conjugate", "abs(x)"]) == 0
    text = out.buffer.getvalue().decode()
    assert "f* = 0" in text and "?????" in text


def test_output_may_be_caught_as_text():
    with redirect_stdout(io.StringIO()) as out:
        assert main(["conjugate", "abs(x)"]) == 0
    assert "f* = 0" in out.getvalue()


def test_an_error_of_ours_is_not_hidden(monkeypatch):
    from hjsym.reports import conjugate

    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(conjugate, "conjugate_report", broken)
    with pytest.raises(ZeroDivisionError):
        main(["conjugate", "abs(x)"])


def test_values_that_start_with_a_minus_are_no_options(capsys):
    assert main(["conjugate", "-log(x)", "--at", "-1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["source"] == "-log(x)" and found["values"][0]["value"] == pytest.approx(-1)  # −1 − log(1)
    with pytest.raises(SystemExit) as stop:
        main(["conjugate", "x", "--nothing"])
    assert stop.value.code == 2


def test_the_parser_is_made_anew_each_time():
    assert make_parser() is not make_parser()


def test_points_files_that_are_no_tables(tmp_path):
    from hjsym.reports.examples import Asked, Examples

    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.save(tmp_path / "cube.npy", np.zeros((2, 2, 2)))
    np.save(tmp_path / "nan.npy", np.array([[1.0, np.nan]]))
    np.save(tmp_path / "three.npy", np.zeros((2, 3)))
    np.save(tmp_path / "none.npy", np.zeros((0, 2)))
    whole = (tmp_path / "three.npy").read_bytes()
    (tmp_path / "cut.npy").write_bytes(whole[:-9])
    (tmp_path / "huge.npy").write_bytes(whole.replace(b"(2, 3)", b"(9**9,3)"))
    (tmp_path / "text.csv").write_text("a,b\n1,2\n")
    (tmp_path / "ragged.csv").write_text("1,2\n3\n")
    (tmp_path / "good.csv").write_text("# x1, x2\n1,2\n3,4.5\n")
    for name in ("objects.npy", "cube.npy", "nan.npy", "three.npy", "none.npy", "cut.npy", "huge.npy",
                 "text.csv", "ragged.csv", "gone.csv", "good.txt"):  # fmt: skip
        with pytest.raises(InputError):
            Examples.of(Asked(file=tmp_path / name), None, 2)
    found = Examples.of(Asked(1, file=tmp_path / "good.csv"), "digits", 2)
    assert found.point.tolist() == [3.0, 4.5] and found.label is None
