"""What functions made by a rule take over from those that they are made of."""

from hjsym.conjugate.base import ConvexFunction
from hjsym.conjugate.domains import Sublevel

__all__ = ["Combined", "Derived"]


class Derived(ConvexFunction):
    """Made of one `function`, of its variables unless it says otherwise, and as exact as that."""

    method = "rule"

    @property
    def variables(self) -> int:
        return self.function.variables

    @property
    def exact(self) -> bool:
        return self.function.exact

    @property
    def of_hull(self) -> bool:
        return self.function.of_hull

    @property
    def domain(self):
        return Sublevel(self)


class Combined(ConvexFunction):
    """Made of several `parts`, of the same variables unless it says otherwise, and as exact as all of them."""

    method = "rule"

    @property
    def variables(self) -> int:
        return self.parts[0].variables

    @property
    def exact(self) -> bool:
        return all(part.exact for part in self.parts)

    @property
    def of_hull(self) -> bool:
        return any(part.of_hull for part in self.parts)

    @property
    def domain(self):
        return Sublevel(self)
