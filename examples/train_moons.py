"""Trains the small classifier of two moons that the tutorials read, and saves it without loss.

python examples/train_moons.py      writes examples/models/moons.json
"""

from pathlib import Path

from sklearn.datasets import make_moons
from sklearn.neural_network import MLPClassifier

import hjsym

X, y = make_moons(400, noise=0.15, random_state=0)
model = MLPClassifier((8, 8), solver="lbfgs", max_iter=500, alpha=0.01, random_state=1).fit(X, y)
print(f"{model.score(X, y):.3f} of the points right")
hjsym.load(model).save(Path(__file__).parent / "models" / "moons.json")
