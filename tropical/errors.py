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
    """Base of every error raised on purpose by `tropical` and `hjsym`.

    >>> import tropical
    >>> try:
    ...     tropical.Polynomial([[1.0]], [float("nan")])
    ... except TropicalError as error:
    ...     print(type(error).__name__)
    InputError
    """


class InputError(TropicalError, ValueError):
    """A value that the operation is not defined for.

    >>> from tropical import Semiring
    >>> Semiring(eps=-1.0)
    Traceback (most recent call last):
        ...
    tropical.errors.InputError: eps is -1.0; pass a finite temperature >= 0 (0 is tropical)
    """


class ShapeError(InputError):
    """An array whose shape does not fit.

    >>> from tropical import variables
    >>> x, y = variables(2)
    >>> (x + y)([1.0, 2.0, 3.0])
    Traceback (most recent call last):
        ...
    tropical.errors.ShapeError: x has shape (3,) but there are 2 variables; pass points of shape (..., 2)
    """


class SemiringMismatchError(InputError):
    """Two operands over different semirings.

    >>> from tropical import MIN_PLUS, variables
    >>> try:
    ...     variables(1)[0] + variables(1, MIN_PLUS)[0]
    ... except SemiringMismatchError as error:
    ...     print(error)
    one polynomial is over max-plus, the other over min-plus; deform one of them first
    """


class DivergenceError(InputError):
    """A closure A ⊕ A² ⊕ … that has no value.

    Attributes
    ----------
    cycle : list of int
        Nodes of a cycle that gains on each round, its first node not repeated; None at ε > 0.
    weight : float or Fraction
        The weight of that cycle; None at ε > 0.

    Examples
    --------
    >>> from tropical import star
    >>> try:
    ...     star([[0.0, 2.0], [-1.0, 0.0]])
    ... except DivergenceError as error:
    ...     print(error.cycle, error.weight)
    [0, 1] 1.0
    """

    def __init__(self, message: str, cycle=None, weight=None):
        super().__init__(message, cycle, weight)
        self.cycle, self.weight = cycle, weight

    def __str__(self) -> str:
        return self.args[0]


class WorkerError(TropicalError, RuntimeError):
    """Executors that were made one after another and broke before their work was done.

    >>> issubclass(WorkerError, TropicalError)
    True
    """


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

    Examples
    --------
    >>> from tropical import Circuit
    >>> hidden = Circuit.identity(2).affine([[1, 2], [3, 4]]) + 0
    >>> try:
    ...     (hidden.affine([[5, 7], [1, 1]]) + 0).affine([[2, 3]]).expand(limit=10)
    ... except BudgetExceeded as error:
    ...     print(error.reached, error.limit)
    25 10
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
