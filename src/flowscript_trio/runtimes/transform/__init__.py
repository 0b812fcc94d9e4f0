"""Owns the transforms: importing it registers template, map, filter and reduce."""

from ..registry import registry
from .lists import FilterRuntime, MapRuntime, ReduceRuntime
from .template import TemplateRuntime

for _runtime in (TemplateRuntime(), MapRuntime(), FilterRuntime(), ReduceRuntime()):
    registry.register(_runtime.type, _runtime)
