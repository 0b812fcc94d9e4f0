"""Owns what is known about an expression's value before it is evaluated, and of the calls in it."""

from .constants import NOT_CONSTANT, known_value
from .inference import Faults, Inference, Names
from .signatures import Misfit, misfits

__all__ = [
    "NOT_CONSTANT",
    "Faults",
    "Inference",
    "Misfit",
    "Names",
    "known_value",
    "misfits",
]
