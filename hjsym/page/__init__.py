"""One self-contained HTML page on a slice of a model, with a slider for the temperature ε.

Python gathers what the page shows, a topic a file; the page computes every value itself, in double precision, from
the weights of the slice that are written into it (`scripts/`).
"""

from hjsym.page.write import Page, write_page

__all__ = ["Page", "write_page"]
