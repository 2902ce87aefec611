"""The HTML of a page: template, style, scripts and data in one file, under a policy that allows nothing else.

Style and scripts are allowed by their hashes alone; the data is JSON in which no character can end its element.
"""

import base64
import hashlib
import json
from html import escape
from importlib.resources import files

__all__ = ["SCRIPTS", "as_json", "document"]

# In the order in which they are read; each has one topic and says which.
SCRIPTS = (
    "numerics.js", "layer.js", "entropy.js", "network.js",  # mathematics
    "svg.js", "numbers.js", "chart.js", "map.js", "square.js", "tables.js",  # pictures
    "model.js", "curves.js", "attribution.js", "landscape.js", "plane.js", "texts.js", "controls.js", "main.js",
)  # fmt: skip
_POLICY = "default-src 'none'; script-src {}; style-src {}; base-uri 'none'; form-action 'none'"
_ESCAPED = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def document(title: str, data: dict) -> str:
    """The whole page."""
    folder = files("hjsym.page")
    style = folder.joinpath("page.css").read_text(encoding="utf-8")
    scripts = [folder.joinpath("scripts", name).read_text(encoding="utf-8") for name in SCRIPTS]
    parts = {
        "policy": _POLICY.format(" ".join(map(_hashed, scripts)), _hashed(style)),
        "title": escape(title),
        "style": style,
        "data": as_json(data),
        "scripts": "\n".join(f"<script>{script}</script>" for script in scripts),
    }
    text = folder.joinpath("template.html").read_text(encoding="utf-8")
    # Names of parts stand between pairs of these; what is put in is not looked at again.
    pieces = text.split("@@")
    return "".join(parts[piece] if k % 2 else piece for k, piece in enumerate(pieces))


def as_json(data: dict) -> str:
    """JSON that may stand in a script element: doubles to the last bit, and no <, >, & or line separator.

    >>> as_json({"name": "</script>", "x": 0.1})
    '{"name":"\\\\u003c/script\\\\u003e","x":0.1}'
    """
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(_ESCAPED)


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
