"""Owns an error as Python prints it, with its traceback and all that is behind it, past whatever its class does.

Python's own printing asks each error, and takes whatever is raised meanwhile, a Ctrl-C as well, for a text that
cannot be made. So it is given stand-ins, which say what the errors have said.
"""

from __future__ import annotations

import traceback
from typing import Any

from .exceptions import (
    all_of,
    cause_of,
    class_name,
    context_of,
    hides_context,
    inner_of,
    is_a,
    message_of,
    module_of,
    qualified_name,
    traceback_of,
)
from .looking import notes_of, text_of


def printed(error: BaseException, with_notes: bool = True) -> str:
    """An error with its traceback, and those that it groups and came from; its own notes only if asked for."""
    told: dict[int, BaseException] = {}
    errors = all_of(error)
    for each in errors:
        told[id(each)] = _stand_in_for(each, told)
    for each in errors:
        stand_in = told[id(each)]
        cause, context = cause_of(each), context_of(each)
        stand_in.__cause__ = None if cause is None else told[id(cause)]
        stand_in.__context__ = None if context is None else told[id(context)]
        stand_in.__suppress_context__ = hides_context(each)
        for note in notes_of(each) if with_notes or each is not error else ():
            stand_in.add_note(note)
    return "".join(traceback.format_exception(told[id(error)]))


def _stand_in_for(error: BaseException, told: dict[int, BaseException]) -> BaseException:
    """A plain error of the same name that says the same; ``told``: what stands for those that a group groups."""
    text = text_of(error)
    about = {
        "__module__": module_of(error),
        "__qualname__": qualified_name(error),
        "__str__": lambda self: text,
    }
    stand_in: BaseException
    if is_a(error, BaseExceptionGroup):
        made: Any = type(class_name(error), (BaseExceptionGroup,), about)
        stand_in = made(message_of(error), [told[id(each)] for each in inner_of(error)])
    else:
        stand_in = type(class_name(error), (BaseException,), about)()
    return stand_in.with_traceback(traceback_of(error))
