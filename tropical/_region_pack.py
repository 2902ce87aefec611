"""Arrays of limbs for the compiled enumeration of regions, from a `Program`."""

from typing import NamedTuple

import numpy as np

from tropical._region_program import Gates, Linear, Program

__all__ = ["MAX_LIMBS", "Operand", "PackedGates", "PackedLinear", "limbs_of", "pack", "unpack"]

MAX_LIMBS = 64  # of csrc/integers.h


class Operand(NamedTuple):
    """The weights on one step, column after column: entries start[j] to start[j + 1] are those of scalar j."""

    step: int
    start: np.ndarray
    rows: np.ndarray
    weights: np.ndarray
    weight_limbs: int
    negative: np.ndarray


class PackedLinear(NamedTuple):
    size: int
    limbs: int
    bias: np.ndarray
    operands: list[Operand]


class PackedGates(NamedTuple):
    size: int
    limbs: int
    branches: tuple[int, ...]
    first_gate: int


def pack(program: Program) -> tuple[np.ndarray, list]:
    """The limbs of step 0, and every step with the limbs that its forms and their differences need."""
    highest = [_largest(program.inputs)]
    steps: list = [PackedLinear(len(program.inputs), _limbs_for(highest[0]), np.zeros(0, np.uint64), [])]
    for k, step in enumerate(program.steps[1:], start=1):
        if isinstance(step, Linear):
            highest.append(
                max(
                    (
                        abs(bias) + sum(abs(w) * highest[operand] for operand, _, w in row)
                        for row, bias in zip(step.rows, step.bias, strict=True)
                    ),
                    default=0,
                )
            )
        else:
            highest.append(max(highest[b] for b in step.branches))
        limbs = _limbs_for(highest[k])
        if isinstance(step, Gates):
            steps.append(PackedGates(step.size, limbs, step.branches, program.first_gate[k]))
        else:
            bias = to_limbs(step.bias, limbs)
            steps.append(PackedLinear(step.size, limbs, bias, _operands(program, step)))
    return to_limbs([a for form in program.inputs for a in form], steps[0].limbs), steps


def _operands(program: Program, step: Linear) -> list[Operand]:
    by_operand: dict[int, list[tuple[int, int, int]]] = {}
    for i, row in enumerate(step.rows):
        for operand, j, weight in row:
            by_operand.setdefault(operand, []).append((j, i, weight))
    packed = []
    for operand, triples in by_operand.items():
        triples.sort()
        columns = np.array([j for j, _, _ in triples])
        source = program.steps[operand]
        size = source.size if source is not None else len(program.inputs)
        start = np.searchsorted(columns, np.arange(size + 1)).astype(np.int32)
        magnitudes = [abs(w) for _, _, w in triples]
        weight_limbs = -(-max(magnitudes).bit_length() // 64)
        packed.append(
            Operand(
                operand,
                start,
                np.array([i for _, i, _ in triples], np.int32),
                to_limbs(magnitudes, weight_limbs),
                weight_limbs,
                np.array([w < 0 for _, _, w in triples], np.int8),
            )
        )
    return packed


def _largest(forms) -> int:
    return max((abs(a) for form in forms for a in form), default=0)


def _limbs_for(highest: int) -> int:
    """Enough for differences of numbers up to that size."""
    return -(-((2 * highest).bit_length() + 1) // 64)


def limbs_of(form: list[int]) -> tuple[int, np.ndarray]:
    """A form by itself: how many limbs its integers need, and those."""
    limbs = _limbs_for(max(map(abs, form)))
    return limbs, to_limbs(form, limbs)


def to_limbs(numbers: list[int], limbs: int) -> np.ndarray:
    """Each number in two's complement; one that needs all bits of its limbs has none left for the sign."""
    mask = (1 << 64 * limbs) - 1
    joined = b"".join((n & mask).to_bytes(8 * limbs, "little") for n in numbers)
    return np.frombuffer(joined, dtype="<u8").astype(np.uint64)


def unpack(data: bytes, limbs: int) -> tuple[int, ...]:
    """The integers that bytes of limbs hold."""
    size = 8 * limbs
    return tuple(int.from_bytes(data[k : k + size], "little", signed=True) for k in range(0, len(data), size))
