"""Owns which ``<retry>`` of a node decides over an error, and how often each has been used."""

from __future__ import annotations

from ..expression import truthy
from ..expression.scope import Overlay, Scope
from ..program.compiled import Step
from ..runtimes.control.types import RetryConfig
from ..types.deferred import dataclass
from ..types.describing import describe, is_retryable


@dataclass(slots=True, eq=False)
class Rule:
    """One ``<retry>``; ``used`` counts the further attempts that were made by it."""

    config: RetryConfig
    used: int = 0

    @property
    def is_spent(self) -> bool:
        return self.used >= self.config.max


class Retries:
    """The ``<retry>``s of one execution of a node, each with its own count.

    The first whose ``when`` holds decides; once that is spent, none after it is asked. The settings of each
    are computed once, when it is first asked; what they raise passes through.
    """

    def __init__(self, step: Step, scope: Scope) -> None:
        self._step = step
        self._scope = scope
        self._rules: list[Rule] = []
        self.last: int | None = None
        """The number of the rule that decided last, from 0; None where none did."""

    def decide(self, error: Exception, attempt: int) -> Rule | None:
        """By which rule the node is to be tried again after its ``attempt``-th attempt (from 1), if by any."""
        self.last = None
        settings = self._step.retry or ()
        for number, compute in enumerate(settings):
            if number == len(self._rules):
                self._rules.append(Rule(compute(self._scope)))
            rule = self._rules[number]
            if rule.is_spent and number == len(settings) - 1:
                return None  # whatever its `when` says
            if self._applies(rule.config, error, attempt):
                self.last = None if rule.is_spent else number
                return None if rule.is_spent else rule
        return None

    def use(self, number: int) -> None:
        """Count an attempt that the rule of that number had asked for in an earlier process."""
        settings = self._step.retry or ()
        while len(self._rules) <= number:
            self._rules.append(Rule(settings[len(self._rules)](self._scope)))
        self._rules[number].used += 1

    def _applies(self, config: RetryConfig, error: Exception, attempt: int) -> bool:
        if config.when == "retryable":
            return is_retryable(error)
        view = describe(error, self._step.label)
        bound = {**view, "error": view, "$error": view, "$attempt": attempt}
        return truthy(config.when(Overlay(self._scope, bound)))
