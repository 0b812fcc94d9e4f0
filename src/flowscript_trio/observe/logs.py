"""Owns the filter that keeps secrets out of log lines, those of other libraries too."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from ..types.exceptions import class_name, traceback_of
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
        except Exception as exc:
            message = self._unfit(record, exc)
        shown = (record.msg, record.args)
        if masker.hides(message):
            record.msg, record.args = masker.text(message), None
        elif masker.value(shown) is not shown:  # error trackers show them all
            record.msg, record.args = message, None
        if record.exc_info and not record.exc_text:
            record.exc_text = _EXCEPTION.formatException(record.exc_info)
        if record.exc_text and masker.hides(record.exc_text):
            record.exc_text, record.exc_info = masker.text(record.exc_text), None
        for name, value in list(vars(record).items()):
            if name not in ("msg", "args", "exc_info", "exc_text"):
                setattr(record, name, masker.value(value))
        return True

    def _unfit(self, record: logging.LogRecord, error: Exception) -> str:
        """The message of a record whose arguments do not fit, which logging reports when it formats the line.

        That report shows the error; where that could say a secret, the line says instead that there are arguments.
        """
        try:
            message = str(record.msg)
        except Exception:
            message = record.msg = f"(a message that cannot be shown: {class_name(record.msg)})"
        told = _EXCEPTION.formatException((type(error), error, traceback_of(error)))
        if self._masker.hides(told):
            message = record.msg = f"{message} (arguments that cannot be shown)"
            record.args = None
        return message
