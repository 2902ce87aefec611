"""Runs the library and its peers in turn and prints a table of ratios; the median round counts."""

import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from statistics import median

Peer = tuple[Callable[[], object], float]  # what to run, and the factor to scale its time by


def seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def compare(
    cases: Iterable[tuple[str, Callable[[], object], dict[str, Peer]]],
    words: list[str],
    packages: tuple[str, ...],
    rounds: int = 3,
) -> None:
    """The cases whose name contains one of the words, or all; scaled times are marked ~."""
    print(", ".join(f"{name} {version(name)}" for name in packages))
    for name, ours, peers in cases:
        if words and not any(word in name for word in words):
            continue
        times = {"ours": [], **{peer: [] for peer in peers}}
        for _ in range(rounds):
            times["ours"].append(seconds(ours))
            for peer, (run, factor) in peers.items():
                times[peer].append(seconds(run) * factor)
        own = median(times.pop("ours"))
        print(f"{name:52s}{1e3 * own:10.2f} ms")
        for peer, several in times.items():
            mark = "~" if peers[peer][1] != 1 else " "
            print(
                f"    {peer:48s}{mark}{1e3 * median(several):9.2f} ms {median(several) / own:9.2f} times ours"
            )
