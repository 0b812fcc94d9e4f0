"""Owns ``flowscript test``."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from ..types.errors import nearest
from ..types.printing import one_line
from .loading import load_or_exit, roots_option
from .reports import render_problems
from .saying import columns_of_terminal, say, write_json

if TYPE_CHECKING:
    from ..program.loading import Flow
    from ..testing import Case, CaseResult


@click.command("test", short_help="Run a workflow's test cases in virtual time.")
@click.argument("file", type=click.Path(dir_okay=False))
@click.option(
    "--cases",
    "path",
    type=click.Path(dir_okay=False),
    help="The file of cases; FILE's .test.yaml unless given.",
)
@click.option(
    "--case",
    "names",
    multiple=True,
    metavar="NAME",
    help="Run this case only; may be given several times.",
)
@click.option("--keyword", "-k", metavar="TEXT", help="Run the cases with TEXT in their names.")
@roots_option
def test_command(
    file: str,
    path: str | None,
    names: tuple[str, ...],
    keyword: str | None,
    roots: tuple[str, ...],
) -> None:
    """Run a workflow's test cases in virtual time; the results go to standard output as JSON."""
    from ..testing import run_cases

    flow = load_or_exit(file, roots)
    cases = choose(read_or_exit(flow, file, path), names, keyword)
    results = []
    for case in cases:
        results += run_cases(flow, [case])
        say(render(results[-1]))
    failed = sum(not result.passed for result in results)
    say(f"{len(results) - failed} passed, {failed} failed")
    described = [result.as_dict() for result in results]
    summary = {"cases": described, "passed": len(results) - failed, "failed": failed}
    write_json(json.dumps(summary, indent=2, ensure_ascii=False))
    sys.exit(1 if failed else 0)


def read_or_exit(flow: Flow, file: str, path: str | None) -> tuple[Case, ...]:
    """The cases of a workflow; prints what is wrong with their file and exits with 2 where there are none."""
    from ..testing import CasesInvalid, beside, read_cases

    place = path or str(beside(file))
    try:
        return read_cases(place, flow)
    except OSError as exc:
        raise click.UsageError(f"{place}: {exc.strerror or exc}") from None
    except CasesInvalid as exc:
        say(render_problems(exc.problems, columns_of_terminal()))
        sys.exit(2)


def choose(cases: tuple[Case, ...], names: tuple[str, ...], keyword: str | None) -> list[Case]:
    """The cases that are asked for, in the order of their file; none at all is wrong use."""
    known = [case.name for case in cases]
    for name in names:
        if name not in known:
            near = nearest(name, known)
            hint = f"; did you mean {near!r}?" if near else ""
            raise click.UsageError(f"there is no case {name!r}{hint}")
    chosen = [
        case
        for case in cases
        if (not names or case.name in names) and (keyword or "").lower() in case.name.lower()
    ]
    if not chosen:
        raise click.UsageError(f"no case is chosen; there are {', '.join(map(repr, known))}")
    return chosen


def render(result: CaseResult) -> str:
    """A result for people: its line, and what differed."""
    if result.passed:
        took = "" if result.duration is None else f" ({round(result.duration, 3):g} s)"
        return f"ok      {one_line(result.name)}{took}"
    heading = f"FAILED  {one_line(result.name)}" + (
        f"  {result.location}" if result.location else ""
    )
    return "\n".join([heading, *(f"        {line}" for line in result.problems)])
