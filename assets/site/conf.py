"""Configuration of the documentation site; `README.md` beside this file says how to build it."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(_HERE))

project = "swarm_nca"
author = "the authors of swarm_nca"
release = tomllib.loads((_HERE.parents[1] / "pyproject.toml").read_text("utf-8"))["project"][
    "version"
]
version = release

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "parts.docstrings",
    "parts.executed",
    "parts.files",
    "parts.links",
    "parts.play",
    "parts.public_names",
    "parts.readmes",
    "parts.sources",
]
exclude_patterns = ["README.md"]

html_theme = "furo"
html_title = f"swarm_nca {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
# No font, script or picture of the site comes from the network.
html_theme_options = {"source_edit_link": "", "source_view_link": "", "top_of_page_buttons": []}

myst_heading_anchors = 4
smartquotes = False  # "--set" keeps its two hyphens
nitpicky = False
default_role = "py:obj"  # `name` in a docstring links to the object of that name
suppress_warnings = ["epub.unknown_project_files"]

autodoc_default_options = {"members": True, "show-inheritance": True, "member-order": "bysource"}
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # an attribute is described once, in its class
napoleon_use_rtype = False
napoleon_custom_sections = [("Fields", "params_style")]
add_module_names = False
python_maximum_signature_line_length = 88
