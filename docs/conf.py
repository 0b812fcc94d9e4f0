"""The configuration of the documentation."""

project = "flowscript-trio"
author = "the flowscript-trio contributors"
copyright = "2026, the flowscript-trio contributors"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
html_theme = "furo"
myst_heading_anchors = 3
suppress_warnings = ["misc.highlighting_failure"]
