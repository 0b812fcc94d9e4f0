"""Owns ``python -m flowscript_trio``."""

from .cli import main

main()
