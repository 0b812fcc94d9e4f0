from __future__ import annotations

import sysconfig

import trio

from flowscript_trio.execution import executor
from flowscript_trio.expression import cursor
from flowscript_trio.watchdog.stacks import describe_stack
from flowscript_trio.watchdog.watcher import Spot

TRIO = trio.lowlevel.current_task.__code__.co_filename
LIBRARY = f"{sysconfig.get_path('purelib')}/lib.py"
BORDER = Spot(executor.__file__, 9, "_call")
STEP = Spot(TRIO, 9, "unrolled_run")


def spots(*names: str) -> tuple[Spot, ...]:
    """Frames by name: ``lib_…`` of a library, ``fs_…`` of the engine, others of the node's own code."""
    found = []
    for line, name in enumerate(names, 1):
        file = {"lib": LIBRARY, "fs": cursor.__file__}.get(name.partition("_")[0], "mine.py")
        found.append(Spot(file, line, name))
    return tuple(found)


def functions(*stack: Spot) -> str | None:
    words = describe_stack(stack)
    return words and " < ".join(word.partition(" ")[0] for word in words.split(", called by "))


def test_only_the_frames_within_the_call_of_the_runtime_are_told() -> None:
    words = describe_stack((*spots("inner", "outer"), BORDER, *spots("fs_walk"), STEP))
    assert words == "inner (mine.py:1), called by outer (mine.py:2)"


def test_the_frames_of_a_task_of_the_runtimes_own_end_at_trio() -> None:
    assert functions(*spots("lib_read", "child"), STEP, *spots("main")) == "lib_read < child"


def test_of_libraries_the_innermost_frames_are_told_and_what_called_them() -> None:
    names = [f"lib_{n}" for n in range(6)]
    shown = functions(*spots(*names, "deep", "between", "outer"), BORDER)
    assert shown == "lib_0 < lib_1 < lib_2 < … < deep < … < outer"


def test_a_runtime_that_is_a_library_is_told_by_both_its_ends() -> None:
    assert functions(*spots("lib_a", "lib_b", "lib_c"), BORDER) == "lib_a < … < lib_c"


def test_of_the_engines_own_code_the_innermost_frame_is_told() -> None:
    assert functions(*spots("fs_reduce", "fs_evaluate"), BORDER, STEP) == "fs_reduce"
    assert functions(BORDER, STEP) == "_call"


def test_who_called_the_run_is_not_told() -> None:
    walk = Spot(executor.__file__, 9, "close")
    assert functions(*spots("aclose"), walk, *spots("main"), STEP) == "aclose"
    assert functions(walk, *spots("main"), STEP) == "close"


def test_nothing_is_told_where_there_is_no_stack() -> None:
    assert describe_stack(()) is None
