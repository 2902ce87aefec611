"""The report: one HTML file that asks nothing of the network, in the reader's light or dark theme.

Pictures are images in data URIs, so that a policy can forbid everything else; all text is escaped.
"""

import base64
import hashlib
import math
import platform
from collections.abc import Sequence
from html import escape

import numpy as np
import scipy

from hjsym.paper.row import Measurement
from hjsym.paper.store import FinishedRow

__all__ = ["page", "verdict"]

_STYLE = """
:root{color-scheme:light dark;--ink:#222;--soft:#5b6068;--paper:#fff;--panel:#f5f6f8;--line:#d5d9de;--good:#00704f;
--bad:#b3400a;--skip:#6b7078}
@media(prefers-color-scheme:dark){:root{--ink:#ddd;--soft:#a2a8b0;--paper:#15171a;--panel:#1e2125;--line:#3a3f46;
--good:#3ecf9f;--bad:#ff8a4c;--skip:#9aa0a8}}
body{margin:0 auto;max-width:68rem;padding:1.5rem;font:16px/1.5 system-ui,sans-serif;color:var(--ink);
background:var(--paper)}
h1{line-height:1.2}h2{margin-top:3rem;border-bottom:1px solid var(--line)}h3{margin:2.2rem 0 .3rem}
.soft{color:var(--soft);font-size:.9rem}.pass{color:var(--good)}.fail{color:var(--bad);font-weight:600}
.skip{color:var(--skip)}.panel{background:var(--panel);border-radius:.5rem;padding:.1rem 1rem;margin:1rem 0}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem;min-width:100%}
th,td{border-bottom:1px solid var(--line);padding:.25rem .6rem;text-align:left;vertical-align:top}
th{font-weight:600}td.number,th.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
figure{margin:1.2rem 0}img{max-width:100%;height:auto}figcaption{color:var(--soft);font-size:.9rem}
ul.rows{columns:2;padding-left:1.2rem}a{color:inherit}
@media(max-width:40rem){ul.rows{columns:1}}
"""
_POLICY = "default-src 'none'; img-src data:; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'"
_PAPER = "Miñoza, Legara, Monterola, “The Hamilton–Jacobi theory of deep learning”, arXiv:2605.28983 (2026)"
_SIGNS = {"near": "", "at most": "≤ ", "at least": "≥ "}


def page(rows: Sequence[FinishedRow], *, fast: bool, seed: int, pictures: bool) -> str:
    """The whole document."""
    experiments = [row for row in rows if not row.claim]
    refuted = [row for row in rows if row.claim]
    parts = [_summary(rows, fast, seed, pictures), _contents(experiments, refuted)]
    if experiments:
        parts += ["<h2>The paper’s experiments</h2>", *map(_section, experiments)]
    if refuted:
        parts += [
            "<h2>Where the paper is wrong</h2>",
            "<p>Each claim stands beside a counterexample, computed when this report was made, and what holds "
            "instead. A row passes where the counterexample refutes the claim as said.</p>",
            *map(_section, refuted),
        ]
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY.format(digest)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><title>A reproduction of arXiv:2605.28983</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def _summary(rows: Sequence[FinishedRow], fast: bool, seed: int, pictures: bool) -> str:
    counts = {word: sum(verdict(row)[1] == word for row in rows) for word in ("pass", "fail", "skip")}
    figures = sum(m.kind != "shown" for row in rows for m in row.measurements)
    text = (
        f"{counts['pass']} rows pass, {counts['fail']} fail, {counts['skip']} skipped; {figures} figures compared. "
        f"{'Fast run' if fast else 'Full run'}, seed {seed}, {sum(row.seconds for row in rows):.0f} s of work; "
        f"Python {platform.python_version()}, NumPy {np.__version__}, SciPy {scipy.__version__}."
    )
    missing = (
        "" if pictures else "<p>matplotlib is not installed, so plots are left out; install hjsym[plot].</p>"
    )
    return (
        "<h1>The Hamilton–Jacobi theory of deep learning: a reproduction</h1>"
        f"<p>{escape(_PAPER)}: every experiment with the figure the paper states, ours, and the difference.</p>"
        f'<p class="soft">{escape(text)}</p>{missing}'
    )


def _contents(experiments: Sequence[FinishedRow], refuted: Sequence[FinishedRow]) -> str:
    lines = "".join(
        f'<li><a href="#{escape(row.name)}">{escape(row.title)}</a> {_mark(row)}</li>'
        for row in (*experiments, *refuted)
    )
    return f'<div class="panel"><ul class="rows">{lines}</ul></div>'


def verdict(row: FinishedRow) -> tuple[str, str]:
    """What came of a row, as a word and as a class of the style."""
    if row.skipped:
        return "skipped", "skip"
    return ("passes", "pass") if row.passes else ("fails", "fail")


def _mark(row: FinishedRow) -> str:
    word, kind = verdict(row)
    return f'<span class="{kind}">{word}</span>'


def _section(row: FinishedRow) -> str:
    parts = [f'<section id="{escape(row.name)}"><h3>{escape(row.title)} {_mark(row)}</h3>']
    if row.claim:
        parts.append(f"<p><b>The claim.</b> {escape(row.claim)}</p>")
        parts.append(f"<p><b>What holds.</b> {escape(row.truth)}</p>")
    parts.append(f'<p class="soft">{escape(row.source)} ({escape(row.name)}, {row.seconds:.1f} s)</p>')
    if row.skipped:
        parts.append(f'<p class="skip">{escape(row.skipped)}</p>')
    if row.error:
        parts.append(f'<p class="fail">{escape(row.error)}</p>')
    if row.measurements:
        parts.append(_table(row.measurements))
    parts += [f"<p>{escape(remark)}</p>" for remark in row.remarks]
    parts += [_figure(*picture) for picture in row.pictures]
    return "\n".join(parts) + "</section>"


def _table(measurements: Sequence[Measurement]) -> str:
    heads = ("quantity", "stated", "ours", "difference", "allowed", "", "why")
    numeric = range(1, 5)
    head = "".join(f"<th{_number(k in numeric)}>{escape(h)}</th>" for k, h in enumerate(heads))
    before = (None, *measurements)
    lines = "".join(
        _line(m, last is None or last.reason != m.reason)
        for m, last in zip(measurements, before, strict=False)
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>'


def _number(numeric: bool) -> str:
    return ' class="number"' if numeric else ""


def _line(m: Measurement, reasoned: bool) -> str:
    """A row of the table; a reason that the row above has is left out."""
    if m.kind == "shown":
        verdict, cells = "", ("", _digits(m.ours, 0), "", "")
    else:
        verdict = '<span class="pass">✓</span>' if m.passes else '<span class="fail">✗</span>'
        stated = _SIGNS[m.kind] + _digits(m.stated, m.tolerance)
        cells = (
            stated,
            _digits(m.ours, m.tolerance),
            _gap(m.difference),
            _gap(m.tolerance) if m.kind == "near" else "",
        )
    numbers = "".join(f'<td class="number">{escape(cell)}</td>' for cell in cells)
    why = escape(m.reason) if reasoned else ""
    return f'<tr><td>{escape(m.quantity)}</td>{numbers}<td>{verdict}</td><td class="soft">{why}</td></tr>'


def _gap(value: float) -> str:
    return f"{value:.1e}" if value else "0"


def _digits(value: float, tolerance: float) -> str:
    """As many digits as the tolerance lets mean something, at most 15."""
    if not math.isfinite(value) or (value == int(value) and abs(value) < 1e6):
        return f"{value:g}"
    if not tolerance:
        return f"{value:.4g}"
    wanted = math.ceil(math.log10(abs(value))) - math.floor(math.log10(tolerance))
    return f"{value:.{min(15, max(3, wanted))}g}"


def _figure(title: str, caption: str, svg: str) -> str:
    data = base64.b64encode(svg.encode()).decode()
    return (
        f'<figure><img alt="{escape(title)}" src="data:image/svg+xml;base64,{data}">'
        f"<figcaption><b>{escape(title)}.</b> {escape(caption)}</figcaption></figure>"
    )
