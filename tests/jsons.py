"""Owns random values of JSON, whose texts are full of what JSON is written with."""

from __future__ import annotations

from hypothesis import strategies as st

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('ab"\\,:[]{}\n é😀', max_size=12),
    lambda inner: (
        st.lists(inner, max_size=8)
        | st.dictionaries(st.text('ab,"', max_size=3), inner, max_size=5)
        | st.lists(st.fixed_dictionaries({"id": inner, "n": inner}), max_size=8)
    ),
    max_leaves=40,
)
