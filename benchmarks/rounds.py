"""Runs the library and its peers in turn and prints a table in Markdown; the median round counts."""

import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from statistics import median

import tropical

Peer = tuple[Callable[[], object], float]  # what to run, and the factor to scale its time by


def seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def ratio(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:,.0f}"


def compare(
    cases: Iterable[tuple[str, Callable[[], object], dict[str, Peer]]],
    words: list[str],
    packages: tuple[str, ...],
    rounds: int = 3,
) -> None:
    """The cases whose name contains one of the words, or all; scaled times are marked ~."""
    print(
        ", ".join(
            [tropical.core_info()["instruction_set"] + " kernels", *(f"{n} {version(n)}" for n in packages)]
        )
    )
    print("\n| case | ours, ms | peers, as multiples of ours |\n|---|---|---|")
    for name, ours, peers in cases:
        if words and not any(word in name for word in words):
            continue
        times = {"ours": [], **{peer: [] for peer in peers}}
        for _ in range(rounds):
            times["ours"].append(seconds(ours))
            for peer, (run, factor) in peers.items():
                times[peer].append(seconds(run) * factor)
        own = median(times.pop("ours"))
        ratios = [
            f"{peer} {'~' if peers[peer][1] != 1 else ''}{ratio(median(several) / own)}"
            for peer, several in times.items()
        ]
        print(f"| {name} | {1e3 * own:.2f} | {', '.join(ratios) or '–'} |", flush=True)
