"""Owns the error of an answer that cannot be used."""

from __future__ import annotations

from typing import Literal

from ...types.errors import FlowScriptError

Reason = Literal["service", "malformed", "empty", "refused", "cut-off", "invalid"]


class AIError(FlowScriptError):
    """An AI service answered, but not with what was asked for.

    ``reason`` says why: ``service`` (it reports an error of its own under the status 200), ``malformed`` (its
    answer is not a chat completion, or larger than 8 MiB), ``empty`` (no choices, or no content), ``refused``
    (the model, or a filter), ``cut-off`` (the limit of tokens was reached), ``invalid`` (the answer does not
    fit the schema, and the repairs are spent). ``status`` is the status that the service reports, or None;
    ``retryable`` is True for 408, 425, 429, for 5xx but 501 and 505, and where the service broke off an answer
    that it had begun.

    Being cancelled while the service is asked raises ``trio.Cancelled``, never this.
    """

    def __init__(
        self, message: str, reason: Reason, status: int | None = None, *, retryable: bool = False
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.status = status
        self.retryable: bool = retryable or (
            status is not None
            and (status in (408, 425, 429) or (500 <= status <= 599 and status not in (501, 505)))
        )
