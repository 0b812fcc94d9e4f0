"""The configuration of the documentation."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "flowscript-trio"
author = "the flowscript-trio contributors"
copyright = "2026, the flowscript-trio contributors"
extensions = [
    *("myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.intersphinx"),
    "sphinx_copybutton",
    *("leftovers", "searchable"),
]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
html_theme = "furo"
myst_heading_anchors = 3
suppress_warnings = ["misc.highlighting_failure"]
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
# A button copies what is typed: neither the prompt nor what the command says.
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True
# What others call their pages is kept here, as far as these pages name it: a build needs no network.
intersphinx_mapping = {
    "python": ("https://docs.python.org/3/", "inventories/python.txt"),
    "trio": ("https://trio.readthedocs.io/en/stable/", "inventories/trio.txt"),
}
