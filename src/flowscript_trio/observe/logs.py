"""Owns the filter that keeps secrets out of log lines, those of other libraries too."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from ..types.masking import Masker

_EXCEPTION = logging.Formatter()


class SecretFilter(logging.Filter):
    """A :class:`logging.Filter` that puts ``***`` in place of secrets in whatever is logged.

    It masks the message, its arguments, extra attributes and tracebacks. Put it on a handler, where it sees the
    lines of every logger (httpx logs the URL of each request); on a logger it sees that logger's own alone.

    Args:
        secrets: the texts to hide, or a mapping whose values are hidden: what :func:`run` is given.

    It waits for nothing, so no cancellation is behind it.
    """

    def __init__(self, secrets: Mapping[str, str] | Iterable[str]) -> None:
        super().__init__()
        texts = secrets.values() if isinstance(secrets, Mapping) else secrets
        self._masker = Masker(texts)

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask a record in place; it is never dropped."""
        masker = self._masker
        try:
            message = record.getMessage()
        except (
            Exception
        ):  # its arguments do not fit, which logging reports when it formats the line
            record.args = masker.value(record.args)
            message = str(record.msg)
        if masker.hides(message):
            record.msg, record.args = masker.text(message), None
        elif masker.value(record.args) is not record.args:  # error trackers show them all
            record.msg, record.args = message, None
        if record.exc_info and not record.exc_text:
            record.exc_text = _EXCEPTION.formatException(record.exc_info)
        if record.exc_text and masker.hides(record.exc_text):
            record.exc_text, record.exc_info = masker.text(record.exc_text), None
        for name, value in list(vars(record).items()):
            if name not in ("msg", "args", "exc_info", "exc_text"):
                setattr(record, name, masker.value(value))
        return True
