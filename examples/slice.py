"""The decision regions of a network on the plane through three images of the digits.

python examples/slice.py [FOLDER] [K K K]      writes slice.png, to examples/output by default, for images 3, 6, 0
"""

import sys
from pathlib import Path

from matplotlib.figure import Figure

import hjsym
import tropical
from hjsym.datasets import load_dataset

output = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "output")
output.mkdir(parents=True, exist_ok=True)
images, _ = load_dataset("digits")
three = images[[int(k) for k in sys.argv[2:5]] or [3, 6, 0]]
f = hjsym.compile(Path(__file__).parent / "models" / "digits-conv.onnx")

ax = Figure(figsize=(6, 6), layout="constrained").add_subplot()
hjsym.plot_slice(f, three, ax, margin=0.2)
ax.figure.savefig(output / "slice.png", dpi=90)

plane = tropical.Slice.through(three, tropical.Box(-0.2, 1.2))
shapes = tropical.betti_numbers(f, plane)
print("components and holes:", {digit: numbers for digit, numbers in shapes.items() if numbers[0]})
