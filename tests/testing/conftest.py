"""Owns how the proofs of this folder find garbage quickly: they do not search what other tests have left."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="package")
def _only_new_objects_are_searched() -> Iterator[None]:
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
