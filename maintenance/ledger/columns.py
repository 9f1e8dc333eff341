"""Column types that keep enums typed between the code and the database."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import TypeVar

from sqlalchemy import Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator

W = TypeVar("W", bound=StrEnum)
G = TypeVar("G", bound=IntEnum)


class Word(TypeDecorator[W]):
    """A StrEnum stored as its word."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: type[W]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: W | None, dialect: Dialect) -> str | None:
        return None if value is None else self.kind(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> W | None:
        return None if value is None else self.kind(value)


class Grade(TypeDecorator[G]):
    """An IntEnum stored as its number."""

    impl = Integer
    cache_ok = True

    def __init__(self, kind: type[G]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: G | None, dialect: Dialect) -> int | None:
        return None if value is None else int(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> G | None:
        return None if value is None else self.kind(value)
