"""So many dependencies of bare ``$context`` that not all are told one by one: the order stays."""

from __future__ import annotations

from typing import Any

import pytest

import flowscript_trio as fs

SETS = '<set id="s{0}" var="v{0}" value="{{{{ {0} }}}}"/>'
READS = '<transform:template id="r{0}" template="{{{{ len(keys($context)) }}}}"/>'


def flow(*elements: str) -> fs.Flow:
    return fs.loads(f'<workflow name="w">{"".join(elements)}</workflow>')


@pytest.mark.parametrize("count", [20, 300])
async def test_who_reads_all_variables_sees_those_set_before_and_none_set_later(
    count: int,
) -> None:
    elements = [form.format(number) for number in range(count) for form in (SETS, READS)]
    run = await fs.run(flow(*elements), max_concurrency=1000)
    seen = [run.results[f"r{number}"].output for number in range(count)]
    assert seen == list(range(1, count + 1))


@pytest.mark.parametrize("count", [20, 300])
async def test_readers_behind_many_setters_see_all_of_them(count: int) -> None:
    sets = [SETS.format(number) for number in range(count)]
    reads = [READS.format(number) for number in range(count)]
    later = [SETS.format(count + number) for number in range(count)]
    run = await fs.run(flow(*sets, *reads, *later), max_concurrency=1000)
    assert {run.results[f"r{number}"].output for number in range(count)} == {count}


def test_an_id_has_at_most_200_characters() -> None:
    def problems(length: int) -> list[Any]:
        try:
            flow(f'<set id="{"a-" * (length // 2)}" var="x" value="1"/>')
        except fs.WorkflowInvalid as exc:
            return [(problem.code, problem.expected) for problem in exc.problems]
        return []

    assert problems(200) == []
    assert problems(202) == [("malformed-id", "at most 200")]


async def test_a_long_name_with_hyphens_is_one_name() -> None:
    name = "a-" * 99 + "ab"
    run = await fs.run(
        flow(
            f'<set id="{name}" var="{name[:-3]}" value="{{{{ 1 }}}}"/>',
            f'<transform:template id="o" template="{{{{ [{name}, {name[:-3]}] }}}}"/>',
        )
    )
    assert run.results["o"].output == [1, 1]
