"""Owns what is known about an expression's value before it is evaluated, and of the calls in it."""

from .inference import Faults, Inference, Names
from .signatures import Misfit, misfits

__all__ = ["Faults", "Inference", "Misfit", "Names", "misfits"]
