"""What the estimators share: settings of the descent, and seeds."""

import numpy as np
from sklearn.utils import check_random_state

from hjsym.training.schedule import Schedule

__all__ = ["schedule_of", "seed_of"]


def schedule_of(estimator) -> Schedule:
    """The settings of the descent that an estimator has among its parameters."""
    return Schedule(**{name: getattr(estimator, name) for name in Schedule.__dataclass_fields__})


def seed_of(random_state):
    """A seed for NumPy's generators from what scikit-learn takes as `random_state`, and from a Generator."""
    if random_state is None or isinstance(random_state, np.random.Generator):
        return random_state
    return int(check_random_state(random_state).randint(2**31 - 1))
