"""The record of a run as a mapping of executions by their paths."""

from __future__ import annotations

import pytest

import flowscript_trio as fs


async def test_an_execution_is_found_under_its_path_and_nothing_under_another() -> None:
    flow = fs.loads(
        '<workflow name="w"><foreach id="each" collection="[1, 2]"><set id="s" var="v" value="{{item}}"/>'
        "</foreach></workflow>"
    )
    record = (await fs.run(flow)).record
    assert [result.output for result in record["each[1]/s"]] == [2]
    assert "each[1]/s" in record
    assert "each[2]/s" not in record
    with pytest.raises(KeyError, match=r"'each\[2\]/s' is kept; did you mean 'each\[[01]\]/s'\?"):
        record["each[2]/s"]
    assert len(record) == len(list(record)) == 3
