"""Owns how what the walk records becomes bytes: values and errors, with secrets by their names."""

from __future__ import annotations

import pickle
from typing import Any


class Coding:
    def __init__(self, secrets: Any) -> None:
        self.secrets = dict(secrets)

    def encode(self, value: Any) -> bytes:
        return pickle.dumps(value)

    def decode(self, data: bytes) -> Any:
        return pickle.loads(data)

    def encode_error(self, error: BaseException) -> bytes:
        return pickle.dumps(error)

    def decode_error(self, data: bytes) -> BaseException:
        return pickle.loads(data)
