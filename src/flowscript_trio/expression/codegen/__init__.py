"""Owns generating code: syntax trees → one Python function, made as ``ast`` nodes and never from text.

What is in a document reaches the code as constants only. Every local name, temporary and support
function has a name of ours, so that nothing of Python can be named from a document.

``slowpath`` is what the code calls at run time where its quick way does not fit, ``given`` what it can name,
``nodes`` what it is made of, and ``body`` what is written into. ``conditions``, ``containers``, ``loops``,
``operators``, ``calls`` and ``reading`` each write some kinds of trees; ``function`` brings them together;
``texts`` and ``transforms`` make functions of templates and for list transforms. Each imports only what is
named before it.
"""

from .function import generate, module_of
from .given import SUPPORT
from .nodes import SHORT
from .texts import generate_text, generate_words
from .transforms import ITEM_NAMES, Way, generate_item, generate_run

__all__ = [
    "ITEM_NAMES",
    "SHORT",
    "SUPPORT",
    "Way",
    "generate",
    "generate_item",
    "generate_run",
    "generate_text",
    "generate_words",
    "module_of",
]
