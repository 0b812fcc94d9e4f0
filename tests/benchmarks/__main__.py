"""Owns the command: measures the workloads and shows the ratios."""

from __future__ import annotations

import json
from pathlib import Path

import click

from . import blocks, data, documents, peers, processes, sequences
from .measuring import NOISE, Measured, Workload, measure, noise

FAMILIES = {
    "blocks": blocks.workloads,
    "sequences": sequences.workloads,
    "data": data.workloads,
    "documents": documents.workloads,
    "processes": processes.workloads,
    "peers": peers.workloads,
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
    """The engine against hand-written trio: ratios of medians, one round of each in turn."""
    chosen = [work for name in families or FAMILIES for work in FAMILIES[name](scale)]
    results = []
    click.echo(HEADING)
    for work in chosen:
        if keyword in work.name:
            results.append(measure(work, rounds))
            click.echo(render(results[-1]))
    if not families or "peers" in families:
        for name in peers.missing():
            click.echo(f"{name} is not installed (the extra peers brings it)")
    restless = max((noise(result.workload, rounds) for result in results[:1]), default=0.0)
    quiet = restless <= NOISE
    click.echo(
        f"noise: the same code against itself differs by {restless:.1%}"
        + ("" if quiet else f"; this is too noisy for a verdict (at most {NOISE:.0%})")
    )
    if path is not None:
        figures = {"noise": restless, "quiet": quiet, "results": [r.as_dict() for r in results]}
        path.write_text(json.dumps(figures, indent=2) + "\n")


__all__ = ["Workload"]
if __name__ == "__main__":
    main()
