"""Out of memory at every allocation in turn: a MemoryError, nothing leaked, nothing written.

Python's own allocators are made to fail, from which the core takes its scratch. Above the core NumPy is not
proof against this (some of its functions report failure without an exception), so the core is called itself. The
enumeration of regions makes Python's integers as it goes: thousands of allocations, of which each has to fail once.
Its other allocations are C's, and fail where a build for tests is told so (csrc/memory.h), which counts blocks too.
"""

import gc
import tracemalloc

import numpy as np
import pytest

from tropical import Box, Circuit, Polyhedron, Polynomial, PolynomialMap, Semiring, _core, _regions
from tropical._region_program import compile_program
from tropical._region_search import Search
from tropical._regions import Walk
from tropical.circuit import soft_max

faults = pytest.importorskip("_testcapi", reason="a Python without its test modules cannot make memory fail")

MARK = -77
MOST = 200  # allocations of one call; they are some twenty


@pytest.fixture(autouse=True)
def no_garbage_collection():
    # Where a collection starts within the call, its own callbacks run out of memory, and say so.
    gc.disable()
    yield
    gc.enable()


def arrays(dtype) -> dict:
    rng = np.random.default_rng(0)
    soft = Semiring(1, 0.5)
    small = [Polynomial(rng.normal(size=(n, 3)).astype(dtype), np.zeros(n, dtype), soft) for n in (2, 5)]
    ((layer, _),) = PolynomialMap(small)._together(np.dtype(dtype))
    return {
        "p": Polynomial(rng.normal(size=(70, 3)).astype(dtype), np.zeros(70, dtype), soft)._packed,
        "deep": Polynomial(rng.normal(size=(5, 100)).astype(dtype), np.zeros(5, dtype), soft)._packed,
        "x": rng.normal(size=(90, 3)).astype(dtype),
        "x_deep": rng.normal(size=(90, 100)).astype(dtype),
        "A": rng.normal(size=(2, 5, 5)).astype(dtype),
        "f": rng.normal(size=(2, 30, 3)).astype(dtype),
        "nodes": np.arange(30.0),
        "x_one": np.zeros(3, dtype),
        "layer": layer,
        "rows": _core.SparseRows(
            np.arange(4), np.array([0, 1, 4], np.int32), rng.normal(size=3).astype(dtype), 5
        ),
        "one": np.ones(1, np.int64),
    }


# what is called, with the inputs a and an output to fill; and the shape of that
CALLS = {
    "at": (lambda a, out: a["p"].at(a["x_one"]), (0,)),
    "few points": (lambda a, out: a["p"].fill(a["x"], False, values=out), (90,)),
    "many points": (lambda a, out: a["p"].fill(a["x"], True, values=out), (90,)),
    "entropy": (lambda a, out: a["p"].fill(a["x"], True, entropy=out), (90,)),
    "gradient": (lambda a, out: a["p"].fill(a["x"], True, gradient=out), (90, 3)),
    "weights": (lambda a, out: a["p"].fill(a["x"], False, weights=out), (90, 70)),
    "many variables": (lambda a, out: a["deep"].fill(a["x_deep"], True, values=out), (90,)),
    "hessian": (lambda a, out: a["p"].fill_hessian(a["x"], out), (90, 3, 3)),
    "layer": (lambda a, out: a["layer"].fill(a["x"], True, out), (90, 2)),
    "gate": (lambda a, out: _core.gate([a["x"], a["x"][:1]], out, 1, 0.5), (90, 3)),
    "reduce": (lambda a, out: _core.reduce(a["x"], 1, 0.5, out), (90,)),
    "matmul": (lambda a, out: _core.matmul(a["A"], a["A"], out, 1), (2, 5, 5)),
    "legendre": (lambda a, out: _core.legendre(a["f"], a["nodes"], a["nodes"], out), (2, 30, 3)),
    "hopf_lax": (lambda a, out: _core.hopf_lax(a["f"], None, 0.5, 1, out), (2, 30, 3)),
    "pull": (lambda a, out: a["rows"].pull(a["one"], a["x"][:1], out), (2, 5, 3)),
    "hopf_cole": (lambda a, out: _core.SoftTransform(a["f"], 0.5, 0.5, 40.0, 64, out).fill(), (2, 30, 3)),
}
OWN_SCRATCH = CALLS.keys() - {
    "reduce",
    "pull",
    "legendre",
    "hopf_lax",
    "hopf_cole",
}  # none, or arrays of NumPy


def fails_at(call, k: int) -> str | None:
    """The message of its MemoryError if the k-th allocation from here on fails, None where it has fewer."""
    message = None
    faults.set_nomemory(k, k + 1)
    try:
        call()
    except MemoryError as error:
        message = error
    except SystemError as error:  # from NumPy, which makes the arrays of a result
        if str(error) != "error return without exception set":
            raise
        message = error
    finally:
        faults.remove_mem_hooks()
    return None if message is None else str(message)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CALLS)
def test_each_allocation_may_fail(name, dtype):
    function, shape = CALLS[name]
    inputs, out = arrays(dtype), np.full(shape, MARK, dtype)

    def call():
        function(inputs, out)

    call()
    want = out.copy()
    out[...] = MARK
    messages = []
    while len(messages) < MOST and (message := fails_at(call, len(messages) + 1)) is not None:
        messages.append(message)
        assert (out == MARK).all(), messages
    assert len(messages) < MOST
    assert np.array_equal(out, want)  # the call that had enough
    assert any("bytes of scratch" in message for message in messages) == (name in OWN_SCRATCH)


@pytest.mark.parametrize("name", CALLS)
def test_a_failed_call_leaks_nothing(name):
    function, shape = CALLS[name]
    inputs, out = arrays(np.float64), np.empty(shape)

    def fail_everywhere():
        for k in range(1, 40):
            fails_at(lambda: function(inputs, out), k)

    tracemalloc.start()
    try:
        fail_everywhere()
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(5):
            fail_everywhere()
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    # 200 failed calls: a leak of the smallest scratch, 32 bytes each time at one of them, would be seen
    assert grown < 5 * 32


# ---- linear regions ------------------------------------------------------------------------------------


def walk_of(f, domain=None, *, limit=100, leaves_out=False):
    """Calls that search for regions, from arrays made once."""
    search = Search.of(compile_program(f, domain), leaves_out)

    def call():
        walk = Walk(search.inputs, search.steps, search.outputs, search.branches, limit, leaves_out, None)
        part = walk.run(search.bounds)
        return part.winners.tolist(), part.numbers[:-1].tolist(), part.limbs.tolist(), part.given, part.lines

    return call


def walks(networks) -> dict:
    x = Circuit.identity(2, exact=True)
    twice = x.affine([[1, 0]])
    return {
        "lines and rays": walk_of(networks.rails(networks.seeded([2, 2, 1, 1]))),
        "a box": walk_of(networks.rails(networks.seeded([2, 2, 1])), Box(-1, 2)),
        "several branches, two of them equal": walk_of(
            soft_max([twice, x.affine([[0, 1]]), twice, twice + 0])
        ),
        "integers of several limbs": walk_of((x.affine([[2**70, 1]]) + 0).affine([[2**70]]) + 1),
    }


def prism():
    """Cut across its 17 sides: room for 16 new corners has to grow."""
    angles = np.arange(17) * 2 * np.pi / 17
    sides = [[round(100 * np.cos(a)), round(100 * np.sin(a)), 0] for a in angles]
    domain = Polyhedron([*sides, [0, 0, 1], [0, 0, -1]], [100] * 19)
    return walk_of(Circuit.identity(3, exact=True).affine([[0, 0, 1]]) + 0, domain)


def too_many_corners():
    """A gate of three branches, of which two are equal on a hyperplane that meets 5,544 edges of the domain."""
    x = Circuit.identity(12, exact=True)
    half = x.affine(np.full((1, 12), 2), [-11])
    return walk_of(soft_max([half, x.affine([[0] * 12]), half + -1]), Box(0, 1), leaves_out=True)


NETWORKS = ["lines and rays", "a box", "several branches, two of them equal", "integers of several limbs"]


def failures(call) -> list[str]:
    """The messages of all its failures, one allocation after another."""
    messages, fine = [], 0
    while fine < 20:  # CPython does without some, such as a longer list, but not without twenty in a row
        message = fails_at(call, len(messages) + fine + 1)
        messages += [] if message is None else [*[""] * fine, message]
        fine = fine + 1 if message is None else 0
    return messages


@pytest.mark.parametrize("name", [*NETWORKS, "many corners"])
def test_each_allocation_of_regions_may_fail(name, networks):
    call = prism() if name == "many corners" else walks(networks)[name]
    want = call()
    messages = failures(call)
    assert len(messages) > 100
    assert call() == want


@pytest.mark.parametrize("name", NETWORKS)
def test_regions_that_failed_leak_nothing(name, networks):
    call = walks(networks)[name]
    tracemalloc.start()
    try:
        count = len(failures(call))
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(2):
            failures(call)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    # CPython and Cython lose a short list at a few places, 13 bytes a call on average; one that loses the room of a cut
    # or a cell would lose a hundred
    assert grown < 2 * 32 * count


# ---- allocations of C ----------------------------------------------------------------------------------

for_tests = pytest.mark.skipif(_regions.blocks_held() is None, reason="only a build for tests makes C's fail")


def refusal(call, k: int) -> str | None:
    """The message of its MemoryError where the k-th allocation of C fails, after which all blocks are back; or None."""
    message = None
    _regions.fail_allocation(k)
    try:
        call()
    except MemoryError as error:
        message = str(error)  # the error itself would hold the search
    finally:
        _regions.fail_allocation(0)
    assert _regions.blocks_held() == 0
    return message


def refusals(call) -> list[str]:
    """All of them, one allocation after another."""
    messages: list[str] = []
    while (message := refusal(call, len(messages) + 1)) is not None:
        messages.append(message)
    return messages


@for_tests
@pytest.mark.parametrize("name", [*NETWORKS, "many corners"])
def test_each_allocation_of_c_may_fail(name, networks):
    call = prism() if name == "many corners" else walks(networks)[name]
    want = call()
    assert _regions.blocks_held() == 0
    messages = refusals(call)
    assert len(messages) > 40
    assert all(message.startswith("no memory for") for message in messages)
    assert call() == want


@for_tests
def test_room_for_what_a_limit_leaves_out_may_fail(networks):
    call = walk_of(networks.rails(networks.seeded([2, 4, 3, 1])), limit=2)
    assert len(call()[0]) == 2
    assert len(refusals(call)) > 40
    assert len(call()[0]) == 2


@for_tests
def test_room_for_a_cell_of_too_many_corners_may_fail():
    call = too_many_corners()
    fine, failing = 1 << 10, 1  # a second each: the last ones alone, which note what is left out
    while fine - failing > 1:
        middle = (fine + failing) // 2
        fine, failing = (middle, failing) if refusal(call, middle) is None else (fine, middle)
    assert all("regions" in refusal(call, k) for k in (failing - 1, failing))
    assert len(call()[0]) < 3
