"""Owns the parser: documents → syntax trees. The only room that asks lxml and YAML about documents."""

from .declared import convert
from .document import Parsed, parse
from .files import read
from .hidden import control_in
from .limits import ReadLimits
from .yamlproblem import YamlProblem

__all__ = [
    "Parsed",
    "ReadLimits",
    "YamlProblem",
    "control_in",
    "convert",
    "parse",
    "read",
]
