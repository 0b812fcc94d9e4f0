"""Owns when a command looks for garbage: not while it starts, and never among what it has imported."""

from __future__ import annotations

import gc

_is_kept_from_collecting = False


def start_without_collecting() -> None:
    """Put off all collections until ``collect_from_here``.

    What a start imports stays, so searching it for garbage finds nothing; it took a third of a start.
    """
    global _is_kept_from_collecting
    _is_kept_from_collecting = True
    gc.disable()


def collect_from_here() -> None:
    """Collect again, but only among what is made from now on; so the last collection, at the exit, is short, too.

    Called again, it leaves out what was imported meanwhile. A process that did not start without collecting, such
    as a test that calls a command, is left as it is.
    """
    if _is_kept_from_collecting:
        gc.freeze()
        gc.enable()
