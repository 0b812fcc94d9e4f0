"""Owns how a limit is written on the command line: ``github=max=5,rate=100/s,burst=20,shared``."""

from __future__ import annotations

import re
from typing import Any

import click

from ..scheduler.limits.limit import Limit
from ..types.errors import nearest
from ..types.limits import NAME

RULES = ("max", "rate", "burst", "breaker", "shared")
_NEXT = re.compile(r",(?=\s*[a-z_-]+\s*(?:=|,|$))")
"""A comma before another rule; that within ``breaker=5 in 1m, 30s`` is not."""


def read_limits(given: tuple[str, ...]) -> dict[str, Limit]:
    """The limits of ``--limit``, each NAME=RULE,…; raises click.BadParameter for what is wrong with one."""
    limits: dict[str, Limit] = {}
    for text in given:
        name, equals, rules = text.partition("=")
        if not equals or NAME.fullmatch(name) is None:
            raise click.BadParameter(
                f"{text!r} is not NAME=RULE,…, such as github=max=5,rate=100/s"
            )
        if name in limits:
            raise click.BadParameter(f"{name} is given twice")
        try:
            limits[name] = Limit(name=name, **_rules(rules))
        except ValueError as exc:
            raise click.BadParameter(f"{name}: {exc}") from None
    return limits


def _rules(text: str) -> dict[str, Any]:
    """The arguments of a limit; raises ValueError."""
    rules: dict[str, Any] = {}
    for pair in _NEXT.split(text):
        rule, equals, value = (part.strip() for part in pair.partition("="))
        if rule not in RULES:
            near = nearest(rule, RULES)
            hint = f"did you mean {near!r}?" if near else f"expected {', '.join(RULES)}"
            raise ValueError(f"a limit has no {rule!r}; {hint}")
        if rule in rules:
            raise ValueError(f"{rule} is given twice")
        if bool(equals) is (rule == "shared"):
            raise ValueError(
                "shared has no value" if equals else f"{rule} has no value; write {rule}=…"
            )
        rules[rule] = _value(rule, value)
    return rules


def _value(rule: str, text: str) -> Any:
    if rule == "shared":
        return True
    if rule not in ("max", "burst"):
        return text
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text) else text
