"""Owns how the tests of the examples find their files."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"


def program(name: str, file: str = "main.py") -> Any:
    """The program of an example, imported anew."""
    spec = spec_from_file_location(f"example_{name}", EXAMPLES / name / file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
