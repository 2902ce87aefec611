"""Draws the pictures of docs/gallery.md, by running its examples.

python examples/gallery.py [FOLDER]      writes them to FOLDER, to docs/pictures/gallery by default
"""

import doctest
import os
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
output = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "docs/pictures/gallery").resolve()
output.mkdir(parents=True, exist_ok=True)

with tempfile.TemporaryDirectory() as folder:
    (Path(folder) / "examples").symlink_to(ROOT / "examples", target_is_directory=True)
    before = Path.cwd()
    os.chdir(folder)
    try:
        result = doctest.testfile(str(ROOT / "docs/gallery.md"), module_relative=False)
    finally:
        os.chdir(before)
    pictures = sorted(Path(folder).glob("*.png"))
    for picture in pictures:
        shutil.copy(picture, output / picture.name)
print(f"{len(pictures)} pictures in {output}, {result.failed} of {result.attempted} examples failed")
