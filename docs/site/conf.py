"""Settings of the site, in Sphinx's names."""

from __future__ import annotations

import sys
from pathlib import Path

import calibvcs

sys.path.insert(0, str(Path(__file__).parent))

project = "calibvcs"
version = release = calibvcs.__version__
html_title = f"calibvcs {version}"
extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc", "plain_pages", "command_line", "nouns"]
root_doc = "index"
exclude_patterns = ["site"]
html_theme = "furo"
html_copy_source = False
html_show_sphinx = False
smartquotes = False  # commands are copied
html_show_copyright = False
highlight_language = "none"
default_role = "py:obj"  # single backticks in docstrings
myst_heading_anchors = 4
autodoc_member_order = "groupwise"
autodoc_typehints = "none"  # the docstrings say it in words
numpydoc_show_class_members = False
suppress_warnings = ["myst.header"]
