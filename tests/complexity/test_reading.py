"""Reading takes work that grows with the text, whatever stands in it: counted at one size and at twice that."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

import pytest

import flowscript_trio as fs

pytestmark = pytest.mark.slow


def w(body: str) -> str:
    return f'<workflow name="w">{body}</workflow>'


def many(element: str, count: int) -> str:
    return "".join(element.replace("#", str(number)) for number in range(count))


CONTEXT = '<set var="v#" value="{{ $context }}"/>'
READS = '<transform:template id="t#" template="{{ $context }}"/>'
SETS = '<set var="v#" value="1"/>'
HOSTILE: dict[str, tuple[Callable[[int], str], int]] = {
    "$context in every node": (lambda n: w(many(CONTEXT, n)), 1000),
    "setters, then $context": (lambda n: w(many(SETS, n) + many(READS, n)), 700),
    "$context, then setters": (lambda n: w(many(READS, n) + many(SETS, n)), 700),
    "$context between setters": (lambda n: w(many(SETS + READS, n)), 700),
    "each after the 200 before it": (
        lambda n: w(
            '<transform:template id="n0" template="x"/>'
            + "".join(
                f'<transform:template id="n{at}" template="x" after="'
                + ",".join(f"n{other}" for other in range(max(0, at - 200), at))
                + '"/>'
                for at in range(1, n)
            )
        ),
        400,
    ),
    "fallbacks in a row": (
        lambda n: w(
            "".join(
                f'<if id="n{at}" condition="true"><then><set var="v" value="1"/></then>'
                f'<on-error><fallback node="n{at + 1}"/></on-error></if>'
                for at in range(n)
            )
            + f'<if id="n{n}" condition="true"><then><set var="v" value="1"/></then></if>'
        ),
        400,
    ),
    "one handler of every node": (
        lambda n: w(
            many(
                '<transform:template id="t#" template="{{ v }}">'
                '<on-error><fallback node="h"/></on-error></transform:template>',
                n,
            )
            + '<set id="h" var="v" value="{{ v }}"/>'
        ),
        700,
    ),
    "a long expression of one hyphenated name": (
        lambda n: w(f'<set var="x-y" value="1"/><set var="z" value="{{{{ {"x-y-" * n}x }}}}"/>'),
        1500,
    ),
    "names with hyphens of every length": (
        lambda n: w(
            "".join(f'<set id="{"a-" * (at % 90)}b{at}" var="q{at}" value="1"/>' for at in range(n))
            + f'<set var="z" value="{{{{ {"a-" * n}b1 }}}}"/>'
        ),
        600,
    ),
    "unknown names that are near to known ones": (
        lambda n: w(
            many('<transform:template id="node_#_abcdefgh" template="{{ mode_#_abcdefgi }}"/>', n)
        ),
        800,
    ),
    "a name that is set again and again": (
        lambda n: w(many('<set var="v" value="{{ $context.v }}"/>', n)),
        1000,
    ),
    "members of a long chain": (
        lambda n: w(
            '<set id="n0" var="v0" value="{{ {a: {b: 1}} }}"/>'
            + "".join(
                f'<set id="n{at}" var="v{at}" value="{{{{ {{a: n{at - 1}.a, x{at}: n{at - 1}}} }}}}"/>'
                for at in range(1, n)
            )
        ),
        500,
    ),
    "members of a variable that is set again and again": (
        lambda n: w(many('<set var="v" value="{{ {a#: v.a#} }}"/>', n)),
        700,
    ),
    "members that cannot be there": (
        lambda n: w(
            '<set id="n" var="v" value="{{ {'
            + ", ".join(f"abcdefgh_{at}: 1" for at in range(20))
            + '} }}"/>'
            + many('<transform:template id="t#" template="{{ n.abcdefgi_# }}"/>', n)
        ),
        1200,
    ),
    "calls that cannot succeed": (
        lambda n: w(many('<set var="v#" value="{{ round(\'abc\') + upper(1, 2) }}"/>', n)),
        500,
    ),
    "objects of other keys in one list": (
        lambda n: w(
            '<set id="s" var="v" value="{{ [{'
            + "},{".join(f"a{at}: 1" for at in range(n))
            + '}] }}"/><set var="q" value="{{ s[0].zz }}"/>'
        ),
        400,
    ),
    "limits that are held and needed": (
        lambda n: w(
            many('<limit name="l#" max="2"/>', 200)
            + "".join(
                f'<if id="i{at}" condition="true" limit="l{at % 100}"><then>'
                f'<transform:template id="t{at}" template="x" limit="l{100 + at % 90} l{199 - at % 7}"/>'
                "</then></if>"
                for at in range(n)
            )
        ),
        500,
    ),
    "barriers": (
        lambda n: w(many(SETS + '<phase name="p#"><set var="w" value="1"/></phase>', n)),
        400,
    ),
}


def calls(text: str) -> int:
    count = 0

    def note(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        read(text)
    finally:
        sys.setprofile(None)
    return count


def read(text: str) -> None:
    with suppress(fs.WorkflowInvalid):
        fs.loads(text)


def peak(text: str) -> int:
    tracemalloc.start()
    try:
        read(text)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize(("measure", "most"), [(calls, 1.25), (peak, 1.5)])  # tables grow in steps
def test_twice_the_text_takes_twice_the_work(
    measure: Callable[[str], int], most: float, kind: str
) -> None:
    make, size = HOSTILE[kind]
    once, twice = make(size), make(2 * size)
    read(make(10))  # what is imported when it is first needed
    assert measure(twice) / measure(once) < most * len(twice) / len(once)
