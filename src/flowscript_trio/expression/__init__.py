"""Owns the expression language: text → compiled callable over a scope. Knows no node and no trio."""

from .encoding import encode_json, to_text, written_text
from .errors import ExpressionSyntaxError
from .expressions import (
    SPECIAL_NAMES,
    Expression,
    ParsedExpression,
    function_names,
    parse_expression,
)
from .lexer import LONGEST_NAME, RESERVED_WORDS, BoundNames
from .members import NODE_MEMBERS
from .parsed_template import ParsedTemplate, parse_template
from .survey import Reference
from .template import Template
from .values import Function, call, equals, is_function, truthy

__all__ = [
    "LONGEST_NAME",
    "NODE_MEMBERS",
    "RESERVED_WORDS",
    "SPECIAL_NAMES",
    "BoundNames",
    "Expression",
    "ExpressionSyntaxError",
    "Function",
    "ParsedExpression",
    "ParsedTemplate",
    "Reference",
    "Template",
    "call",
    "encode_json",
    "equals",
    "function_names",
    "is_function",
    "parse_expression",
    "parse_template",
    "to_text",
    "truthy",
    "written_text",
]
