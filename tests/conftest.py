"""Checks that the tests meet the installed packages, not the source folders; hypothesis settings."""

from pathlib import Path

import hypothesis

import tropical

hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
# for runs whose subject is the compiled code, not the laws: pytest --hypothesis-profile=quick
hypothesis.settings.register_profile("quick", hypothesis.settings.get_profile("ci"), max_examples=15)
hypothesis.settings.load_profile("ci")

REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_sessionstart(session):
    installed = Path(tropical.__file__).resolve()
    if installed.is_relative_to(REPOSITORY / "tropical"):
        raise SystemExit(f"tests import {installed}, the source folder; run `make test`")
