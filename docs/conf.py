"""How Sphinx builds these pages: `make docs`, without network; warnings are errors."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

import hjsym

project = "hjsym and tropical"
author = "The hjsym developers"
copyright = "the hjsym developers, MIT licence"
version = release = hjsym.__version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "mathml",
    "reference",
    "plain_docstrings",
    "doctests_as_cells",
    "repository_pages",
    "counterexamples",
    "measurements",
    "optional_pages",
    "links",
]
exclude_patterns = ["_build", "_ext"]

myst_enable_extensions = ["dollarmath", "attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 3
myst_dmath_double_inline = True

autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False  # of SymPy and scikit-learn; those of our own base classes stand there
autosummary_generate = False
numpydoc_show_class_members = False
toc_object_entries_show_parents = "hide"
default_role = "py:obj"
add_module_names = False
html_math_renderer = "mathml"

html_theme = "furo"
html_title = "hjsym and tropical"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
pygments_style = "friendly"
pygments_dark_style = "monokai"
nb_execution_mode = "force"
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_output_stderr = "remove-warn"
nb_merge_streams = True
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1f5fa8", "color-brand-content": "#1f5fa8"},
    "dark_css_variables": {"color-brand-primary": "#7fb4f0", "color-brand-content": "#7fb4f0"},
}
