"""Owns the command: measures the workloads and shows the ratios."""

from __future__ import annotations

import json
from pathlib import Path

import click

from . import (
    blocks,
    checkpoints,
    clusters,
    costs,
    data,
    databases,
    documents,
    durable,
    expressions,
    holdups,
    limits,
    matching,
    observing,
    peers,
    places,
    processes,
    sequences,
    streams,
)
from .measuring import NOISE, Measured, Workload, measure, noise

FAMILIES = {
    "blocks": blocks.workloads,
    "checkpoints": checkpoints.workloads,
    "sequences": sequences.workloads,
    "clusters": clusters.workloads,
    "data": data.workloads,
    "databases": databases.workloads,
    "documents": documents.workloads,
    "durable": durable.workloads,
    "expressions": expressions.workloads,
    "limits": limits.workloads,
    "matching": matching.workloads,
    "claims": costs.claims,
    "holds": costs.holds,
    "holdups": holdups.workloads,
    "observing": observing.workloads,
    "processes": processes.workloads,
    "streams": streams.workloads,
    "peers": peers.workloads,
    "places": places.workloads,
}


def render(measured: Measured) -> str:
    """One line of the table."""
    work = measured.workload
    per = "B" if work.name.startswith("memory") else "µs"
    factor = (1 if per == "B" else 1e6) / work.count
    engine, hand = measured.engine * factor, measured.hand * factor
    reach = "" if work.reach is None else f"{work.reach:.2f}"
    aim = "" if work.aim is None else f"{work.aim:.2f}"
    verdict = "" if work.reach is None or measured.ratio <= work.reach else "  not reached"
    span = f"{min(measured.ratios):.2f} to {max(measured.ratios):.2f}"
    return (
        f"{work.name:<62}{measured.ratio:>6.2f}  {span:<15}{reach:>5}{aim:>6}"
        f"{engine:>11.2f}{hand:>11.2f} {per}{verdict}"
    )


TOO_NOISY = 3
"""The status of a run that gives no verdict."""
HEADING = f"{'workload':<62}{'ratio':>6}  {'least to most':<15}{'reach':>5}{'aim':>6}{'engine':>11}{'by hand':>11}"


@click.command()
@click.option("--rounds", type=click.IntRange(min=1), default=7, show_default=True)
@click.option(
    "--scale", type=float, default=1.0, show_default=True, help="How large the workloads are."
)
@click.option("--family", "families", multiple=True, type=click.Choice(list(FAMILIES)))
@click.option("--keyword", "-k", default="", help="The workloads with this in their names.")
@click.option("--json", "path", type=click.Path(path_type=Path), help="Write the figures here.")
def main(
    rounds: int, scale: float, families: tuple[str, ...], keyword: str, path: Path | None
) -> None:
    """The engine against hand-written trio: ratios of medians, one round of each in turn.

    Ends with status 3 where the machine is too noisy for a verdict.
    """
    results, noises = [], {}
    click.echo(HEADING)
    for family in families or FAMILIES:
        chosen = [work for work in FAMILIES[family](scale) if keyword in work.name]
        for work in chosen:
            results.append(measure(work, rounds))
            click.echo(render(results[-1]))
        if chosen:
            noises[family] = noise(chosen[0], rounds)
    if not families or {"peers", "expressions", "durable"} & set(families):
        for name in [*peers.missing(), *expressions.missing(), *durable.missing()]:
            click.echo(f"{name} is not installed (the extra peers brings it)")
    quiet = all(share <= NOISE for share in noises.values())
    found = ", ".join(f"{family} {share:.1%}" for family, share in noises.items())
    click.echo(
        f"noise: the same code against itself differs by: {found or 'nothing was measured'}"
        + ("" if quiet else f"; this is too noisy for a verdict (at most {NOISE:.0%})")
    )
    if path is not None:
        figures = {"noise": noises, "quiet": quiet, "results": [r.as_dict() for r in results]}
        path.write_text(json.dumps(figures, indent=2) + "\n")
    if not quiet:
        raise SystemExit(TOO_NOISY)


__all__ = ["Workload"]
if __name__ == "__main__":
    main()
