"""Text that is safe to print, whatever file it came from."""

__all__ = ["printable"]


def printable(text: object) -> str:
    r"""The text with every character that does not print written out: terminal escapes, line ends, bidirectional marks.

    >>> printable("layer \x1b[31m1\n")
    'layer \\x1b[31m1\\n'
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
