"""Judges how far the tests cover csrc/, from what a build with TROPICAL_COVERAGE=1 has counted.

    make coverage

A template is compiled once for each type and instruction set; a line or a branch of it is covered if some of these
copies runs it. Where that is impossible, a comment on the line says why,

    if (rare) /* uncovered: needs a processor without AVX2 */

and the line is listed. A comment on a line that is covered is an error too: it has outlived its reason.
"""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
MARK = "/* uncovered: "


class Place(NamedTuple):
    file: str
    line: int


def gcov_reports() -> list[dict]:
    """gcov's report on each object file: files, their lines, and those lines' branches."""
    # of the kernels, and of what Cython made of _regions.pyx, for the headers that are compiled into that
    folders = ROOT.glob("build-coverage/temp*/**/*.gcda")
    counts = sorted(p for p in folders if p.parent.name == "csrc" or p.stem == "_regions")
    if not counts:
        raise SystemExit("nothing was counted under build-coverage/; run `make coverage`")
    command = ["gcov", "--json-format", "--stdout", "--branch-probabilities", *map(str, counts)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line]


def merged(reports: list[dict]) -> dict[Place, list[int]]:
    """How often the copies of each line ran in all, followed by how often they took each branch on it."""
    copies = defaultdict(list)
    for report in reports:
        for file in report["files"]:
            for line in file["lines"] if file["file"].startswith("csrc/") else []:
                place = Place(file["file"], line["line_number"])
                copies[place].append([line["count"], *(branch["count"] for branch in line["branches"])])
    for place, counts in copies.items():
        if len(set(map(len, counts))) > 1:
            raise SystemExit(
                f"{place.file}:{place.line} has more branches in some copies than in others, so that they cannot "
                "be compared; write what depends on the type or the instruction set on a line of its own"
            )
    return {place: [sum(column) for column in zip(*counts, strict=True)] for place, counts in copies.items()}


def main() -> int:
    lines = merged(gcov_reports())
    texts = {file: (ROOT / file).read_text().splitlines() for file in {place.file for place in lines}}
    branches, excused, faults = 0, [], []
    for place, (runs, *taken) in sorted(lines.items()):
        text, name = texts[place.file][place.line - 1].strip(), f"{place.file}:{place.line}"
        branches += len(taken)
        missing = [str(k + 1) for k, count in enumerate(taken) if not count]
        if MARK in text:
            (faults if runs and not missing else excused).append(f"{name}: {text}")
        elif not runs:
            faults.append(f"{name} never runs: {text}")
        elif missing:
            faults.append(f"{name} never takes branch {', '.join(missing)} of {len(taken)}: {text}")
    print(f"csrc: {len(lines)} lines with {branches} branches; {len(excused)} lines are excused:")
    print(*excused, sep="\n")
    if faults:
        print(f"\n{len(faults)} lines are not covered, or are but say they are not:", *faults, sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
