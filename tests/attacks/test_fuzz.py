"""Every reader on files that are changed at random; `make fuzz` does it for longer, and guided."""

import importlib.util
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

_SPEC = importlib.util.spec_from_file_location("fuzz", Path(__file__).with_name("fuzz.py"))
fuzz = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(fuzz)


@pytest.fixture(scope="module", params=fuzz.READERS)
def reader(request, tmp_path_factory):
    """Its name, what reads bytes, and good ones."""
    kind = request.param
    return kind, fuzz.target(kind, tmp_path_factory.mktemp("fuzz")), fuzz.seeds(kind)


def test_good_files_are_read(reader):
    _, read, good = reader
    for data in good:
        assert read(data) is not None


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**64))
def test_changed_files(reader, seed):
    kind, read, good = reader
    rng = random.Random(seed)
    read(fuzz.changed_file(kind, rng.choice(good), rng))
