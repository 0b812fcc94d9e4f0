"""Owns ``flowscript prove``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..types.masking import Masker
from .console import is_lively
from .given import read_config, read_input
from .loading import load_or_exit, roots_option
from .run import read_environment, read_secrets
from .run_options import run_options
from .saying import say, write_json
from .stores import suspend_option
from .test import choose, read_or_exit

if TYPE_CHECKING:
    from ..program.loading import Flow
    from ..testing import Case, Report

ROOM = 20
"""How many nodes are named at most."""
GIVEN = ("config", "given", "secret", "env", "max_concurrency", "place", "base")


@click.command("prove", short_help="Disturb a workflow at every point, and check the promises.")
@click.argument("file", type=click.Path(dir_okay=False))
@click.option(
    "--cases",
    "path",
    type=click.Path(dir_okay=False),
    help="The file of cases to prove; FILE's .test.yaml, if there is one.",
)
@click.option("--case", "names", multiple=True, metavar="NAME", help="Prove this case only.")
@click.option("--keyword", "-k", metavar="TEXT", help="Prove the cases with TEXT in their names.")
@click.option("--no-cases", is_flag=True, help="Leave the cases out; stand-ins play every node.")
@run_options
@click.option(
    "--seed",
    metavar="N",
    type=int,
    default=0,
    show_default=True,
    help="The seed of the first order of tasks, and of what is sampled.",
)
@click.option(
    "--seeds",
    metavar="N",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How many orders of tasks each point is tried with.",
)
@click.option(
    "--most",
    metavar="N",
    type=click.IntRange(min=1),
    default=20_000,
    show_default=True,
    help="How many points are tried at most; beyond that they are sampled.",
)
@click.option(
    "--pairs",
    metavar="N",
    type=click.IntRange(min=0),
    default=500,
    show_default=True,
    help="How many pairs of points are tried at most.",
)
@click.option(
    "--beside",
    metavar="N",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="How many other runs of the workflow go on beside each, with the same limits.",
)
@click.option(
    "--crash",
    is_flag=True,
    help="Prove the durable run: its process dies at every commit and after every effect, and goes on.",
)
@suspend_option("--crash")
@roots_option
@click.pass_context
def prove_command(
    ctx: click.Context,
    /,
    file: str,
    path: str | None,
    names: tuple[str, ...],
    keyword: str | None,
    no_cases: bool,
    roots: tuple[str, ...],
    seed: int,
    **options: Any,
) -> None:
    """Disturb a workflow at every point, and check what is promised; the results are JSON on standard output.

    It runs in virtual time, with the stubs of its test cases: cancelled at each step, with an error before, in
    and after each wait of each node, with each time limit passing, and with pairs of those. With --crash it
    has a store that forgets, and its process dies at every point instead.
    """
    if options["suspend_after"] is not None and not options["crash"]:
        raise click.UsageError("--suspend-after is for durable runs, which --crash proves")
    if options["beside"] and options["crash"]:
        raise click.UsageError("--beside is for runs that go on; with --crash each dies alone")
    given = {name: options.pop(name) for name in GIVEN}
    flow = load_or_exit(file, roots)
    cases = _cases(ctx, flow, file, path, names, keyword, no_cases)
    if cases is None:
        proofs = [_prove(flow, _case_without(flow, file, given, seed), None, seed, options)]
    else:
        _refuse_given(ctx)
        proofs = [_prove(flow, case, case.name, seed, options) for case in cases]
    found = sum(len(proof["violations"]) for proof in proofs)
    points, runs = (sum(proof[what] for proof in proofs) for what in ("points", "runs"))
    verdict = "every promise held" if not found else f"{found} violation{'' if found == 1 else 's'}"
    say(f"{points} points tried in {runs} runs: {verdict}")
    summary = {"proofs": proofs, "points": points, "runs": runs, "violations": found}
    write_json(json.dumps(summary, indent=2, ensure_ascii=False))
    sys.exit(1 if found else 0)


def _cases(
    ctx: click.Context,
    flow: Flow,
    file: str,
    path: str | None,
    names: tuple[str, ...],
    keyword: str | None,
    no_cases: bool,
) -> list[Case] | None:
    """The cases to prove; None where there are none, and none are asked for."""
    from ..testing import beside

    asked = path is not None or bool(names) or keyword is not None
    if no_cases:
        if asked:
            raise click.UsageError(
                "--no-cases leaves the cases out: it does not go with their options"
            )
        return None
    if not asked and not Path(beside(file)).exists():
        return None
    return choose(read_or_exit(flow, file, path), names, keyword)


def _refuse_given(ctx: click.Context) -> None:
    """What a run is given is in its case; giving something else beside it is wrong use."""
    for option in ctx.command.params:
        source = ctx.get_parameter_source(option.name or "")
        if option.name in GIVEN and source is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(
                f"{option.opts[0]} is not for proofs of cases, which say it themselves; "
                "leave the cases out with --no-cases"
            )


def _case_without(flow: Flow, file: str, given: dict[str, Any], seed: int) -> Case:
    """A case of what the command line gives, in which nothing is stubbed yet."""
    from ..testing import Case, Expected

    return Case(
        name=file,
        expected=Expected(),
        input=read_input(given["given"]),
        config=read_config(flow.document, given["config"]),
        secrets=read_secrets(flow.document, given["secret"]),
        env=read_environment(given["env"]),
        max_concurrency=given["max_concurrency"],
        base=None if given["base"] is None else Path(given["base"]),
        seed=seed,
    )


def _prove(
    flow: Flow, case: Case, name: str | None, seed: int, options: dict[str, Any]
) -> dict[str, Any]:
    """Prove one case, report it on standard error, and return the report for tools."""
    from ..testing import prove_case
    from ..testing.case_proof import real_nodes, stand_in

    say(flow.name if name is None else f"{flow.name}: {name}")
    real = real_nodes(flow, case)
    if real:
        say(f"  for real, in each run: {_listed(real)}")
    case, unsaid = stand_in(flow, case)
    if unsaid:
        nodes = _listed([f"{node} ({kind})" for node, kind in unsaid.items()])
        say(f"  played by stand-ins, which take 1 s and give null: {nodes}")
        say(f"  {_advice(name)}")
    with _progress() as progress:
        report = prove_case(flow, case, seed=seed, progress=progress, **options)
    masker = Masker(case.secrets.values())
    told = masker.value({"case": name, **report.as_dict()})
    say(masker.text(_indented(report)))
    if report.undisturbed.startswith("failed") and case.expected.error is None:
        say(f"  {_on_failure(bool(unsaid), name)}")
    return dict(told)


def _advice(case: str | None) -> str:
    if case is None:
        return "a file of test cases says what they give instead: see `flowscript test`"
    return "stubs in the case say what they give instead"


def _on_failure(stand_ins: bool, case: str | None) -> str:
    """What a proof of a run is worth that fails by itself."""
    what = "a run that fails is proved like any other, but what follows the failure was not tried"
    if stand_ins:
        return f"{what}; is it the null of a stand-in? A stub in a test case gives what is needed"
    return f"{what}; see `flowscript {'run' if case is None else 'test'}`"


def _listed(nodes: list[str]) -> str:
    more = len(nodes) - ROOM
    return ", ".join(nodes[:ROOM]) + (f" and {more} more" if more > 0 else "")


def _indented(report: Report) -> str:
    return "\n".join(f"  {line}".rstrip() for line in report.render().splitlines())


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None] | None]:
    """What shows how far a proof is, where standard error is a terminal."""
    if not is_lively(sys.stderr):
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("  runs"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as progress:
        task = progress.add_task("runs", total=None)
        yield lambda done, planned: progress.update(task, completed=done, total=planned)
