"""What can go wrong. Each message says what was got, what was needed and what to do."""

__all__ = [
    "BudgetExceeded",
    "DivergenceError",
    "InputError",
    "SemiringMismatchError",
    "ShapeError",
    "TropicalError",
    "WorkerError",
]


class TropicalError(Exception):
    """Base of every error raised on purpose by `tropical` and `hjsym`."""


class InputError(TropicalError, ValueError):
    """A value that the operation is not defined for."""


class ShapeError(InputError):
    """An array whose shape does not fit."""


class SemiringMismatchError(InputError):
    """Two operands over different semirings."""


class DivergenceError(InputError):
    """A closure A ⊕ A² ⊕ … that has no value.

    Attributes
    ----------
    cycle : list of int
        Nodes of a cycle that gains on each round, its first node not repeated; None at ε > 0.
    weight : float or Fraction
        The weight of that cycle; None at ε > 0.
    """

    def __init__(self, message: str, cycle=None, weight=None):
        super().__init__(message, cycle, weight)
        self.cycle, self.weight = cycle, weight

    def __str__(self) -> str:
        return self.args[0]


class WorkerError(TropicalError, RuntimeError):
    """Executors that were made one after another and broke before their work was done."""


class BudgetExceeded(TropicalError):
    """A result too large to build, known before building it.

    Attributes
    ----------
    stage : str
        What would have been built.
    reached : int
        The size it would have had.
    limit : int
        The size allowed.
    hint : str
        What to do instead.
    result : object
        What there is all the same, where the caller says so; else None.
    """

    def __init__(self, stage: str, reached: int, limit: int, hint: str, result: object = None):
        super().__init__(stage, reached, limit, hint)
        self.stage, self.reached, self.limit, self.hint, self.result = stage, reached, limit, hint, result

    def __str__(self) -> str:
        return f"{self.stage}: {describe_size(self.reached)}, the limit is {self.limit:,}; {self.hint}"


def describe_size(n: int) -> str:
    """The exact integer while it is readable, then its leading digits and length.

    >>> describe_size(12345), describe_size(2**200)
    ('12,345', '1.6069·10^60 (61 digits)')
    """
    if n < 10**15:
        return f"{n:,}"
    # Decimal digits of an integer of many thousand bits would trip the interpreter's conversion limit.
    from decimal import Decimal

    text = f"{Decimal(n):.4e}"
    mantissa, exponent = text.split("e")
    return f"{mantissa}·10^{int(exponent)} ({int(exponent) + 1:,} digits)"
