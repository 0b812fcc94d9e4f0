"""Owns tests of YAML files: read as YAML 1.2 has it, and written so that every reader reads the same."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

import flowscript_trio as fs
from flowscript_trio.runtimes.file.yaml import decode_yaml, encode_yaml

EXAMPLES = int(os.environ.get("FLOWSCRIPT_TEST_ROUND_TRIPS", "200"))
"""Values that go there and back; by hand: 10000."""

_ODD = (
    "1e3 0o10 695e051 0192118 yes No ON off y ~ null .inf -.INF 0x1F 0b11 1_000 12:30 1:2:3 2026-01-01 << = "
    "- ? : :a a: #x 'q \" --- ... !x &a *a {a [a % @ ` | > +1 -1 .5 5. 1. -0 0 \x85 \u2028 \u2029 \ufeff \x7f"
)
LIES = _ODD.split(" ")
TEXTS = st.one_of(
    st.sampled_from(LIES),
    st.text(max_size=20),
    st.lists(st.sampled_from([*LIES, " ", "\n", "\t", "\r", "a", "é"]), max_size=8).map("".join),
)
# Whole numbers that a double cannot tell apart are written as JavaScript prints them.
FLOATS = st.floats(allow_nan=False, allow_infinity=False).filter(
    lambda x: not x.is_integer() or abs(x) < 2**53
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), FLOATS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


def ruamel(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


@settings(max_examples=EXAMPLES, deadline=None)
@given(VALUES)
def test_a_value_comes_back_as_it_was_from_every_reader(value: Any) -> None:
    text = encode_yaml(value)
    assert decode_yaml(text, "a.yaml") == value
    assert yaml.safe_load(text) == value  # YAML 1.1
    assert ruamel(text) == value  # YAML 1.2


@pytest.mark.parametrize("text", LIES)
def test_a_text_that_looks_like_something_else_comes_back_as_a_text(text: str) -> None:
    for value in (text, {text: text}, [text], {"a": f"{text}\n{text}"}):
        written = encode_yaml(value)
        assert decode_yaml(written, "a") == yaml.safe_load(written) == ruamel(written) == value


@pytest.mark.parametrize(
    "text",
    [
        "a: 1e3\nb: 0o10\nc: 010\nd: 0x1F\ne: -.5\nf: 1.\ng: +7\nh: .inf",
        "a: yes\nb: No\nc: on\nd: 12:30\ne: ~\nf: True\ng: NULL\nh:\ni: 'true'",
        "a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\ne: {<<: [{c: 4}, *x]}\n",
        "- |\n  a\n  b\n- >\n  c\n  d\n- \"e\\\n  f\\x41\"\n- 'g''h'\n",
        "a: !!str 1\nb: !!float 1\nd: !!int '3'\n",
        "a: [x, {y: z}]\n? b\n: c\n",
        "a: 'x\u2028y\u2029z'\n",
        "",
        "# nothing\n",
    ],
)
def test_a_file_is_read_as_another_reader_of_yaml_1_2_reads_it(text: str) -> None:
    assert decode_yaml(text, "a.yaml") == ruamel(text)


def test_keys_and_dates_are_texts_as_they_are_written() -> None:
    text = "on: push\n200: ok\n1.5: y\nno: x\nnull: n\n? 'q'\n: 2026-01-02\n2026-01-02: 2026-01-02T10:00:00Z\n"
    assert decode_yaml(text, "a") == {
        "on": "push",
        "200": "ok",
        "1.5": "y",
        "no": "x",
        "null": "n",
        "q": "2026-01-02",
        "2026-01-02": "2026-01-02T10:00:00Z",
    }


def test_what_only_yaml_1_1_knows_is_text() -> None:
    text = "a: 0b1\nb: 1_000\nc: 1:30\nd: ! 2\ne: 'x\u2028y\x85z'\n"
    found = decode_yaml(text, "a")
    assert found == {"a": "0b1", "b": "1_000", "c": "1:30", "d": "2", "e": "x\u2028y\x85z"}


def test_binary_is_bytes() -> None:
    assert decode_yaml("a: !!binary |\n  AP\n  8=\n", "a") == {"a": b"\x00\xff"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1: a\n'1': b\n", "a:2:1: not valid YAML: the key '1' is given twice"),
        ("? [a]\n: b\n", "a:1:3: not valid YAML: a key must be text"),
        ("a: !!set {x}\n", "a:1:4: not valid YAML: the tag !!set is not known"),
        ("a: !Ref x\n", "a:1:4: not valid YAML: the tag !Ref is not known"),
        ("a: !!int x\n", "'x' is not what its tag says, !!int"),
        ("a: !!binary x\n", "!!binary takes base64"),
        ("a: *x\n", "a:1:4: not valid YAML: there is no anchor for the alias *x"),
        ("a: {<<: 1}\n", "<< takes a mapping"),
        ("a: 1\n---\nb: 2\n", "a:2:1: not valid YAML: there is a second document"),
        ("a: " + "1" * 5000, "an integer has more than 4,000 digits"),
        ("a: 0x" + "1" * 5000, "an integer has more than 4,000 digits"),
        ("[" * 201 + "]" * 201, "nests deeper than 200 levels"),
        ("a: \x00", "U+0000 is not allowed"),
    ],
)
def test_what_is_not_valid_is_an_error_with_its_place(text: str, message: str) -> None:
    with pytest.raises(fs.FlowScriptError) as caught:
        decode_yaml(text, "a")
    assert message in str(caught.value)


def test_what_a_yaml_file_cannot_hold_is_refused() -> None:
    value: Any = 1
    for _ in range(200):
        value = [value]
    assert decode_yaml(encode_yaml(value), "a") == value
    with pytest.raises(fs.FlowScriptError, match="nests deeper than 200 levels"):
        encode_yaml([value])


async def test_half_of_a_surrogate_pair_is_refused_and_touches_no_file(tmp_path: Path) -> None:
    flow = fs.loads('<workflow name="w"><sink:file id="f" path="a.yaml"/></workflow>')
    with pytest.raises(fs.FlowScriptError, match="half of a surrogate pair"):
        await fs.run(flow, base=tmp_path, input=["\ud800"])
    assert os.listdir(tmp_path) == []


def test_a_merge_of_merges_is_bounded() -> None:
    lines = ["a0: &a0 {" + ", ".join(f"k{n}: x" for n in range(10)) + "}"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(fs.FlowScriptError, match="more than 10,000,000 values"):
        decode_yaml("\n".join(lines), "a")
