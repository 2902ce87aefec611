"""Formulas as MathML, by the converter of docutils: browsers draw it, with no script and nothing to fetch."""

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx


def _mathml(node: nodes.math | nodes.math_block, as_block: bool) -> str:
    # An opening bar has no space after it, which a browser cannot know of a bar.
    return tex2mathml(node.astext(), as_block=as_block).replace('<mo class="mathopen">', '<mo form="prefix">')


def _visit_inline(self, node: nodes.math) -> None:
    self.body.append(_mathml(node, as_block=False))
    raise nodes.SkipNode


def _visit_block(self, node: nodes.math_block) -> None:
    self.body.append(f'<div class="math">{_mathml(node, as_block=True)}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict:
    app.add_html_math_renderer("mathml", (_visit_inline, None), (_visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
