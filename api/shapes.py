"""Shapes many answers share: instants as ISO text, severities by name, words in two languages, pages."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from plant.errors import BadInput
from plant.instants import iso, parse_instant
from plant.severity import Severity

T = TypeVar("T")

PAGE = 100
LONGEST_PAGE = 1_000

_EARLIEST = 0
_LATEST = parse_instant("2200-01-01T00:00:00Z")


def _instant(value: object) -> object:
    """ISO-8601 text as ms; a `+` that a query string has made a space is taken for what it was."""
    if not isinstance(value, str):
        return value
    try:
        return parse_instant(value.replace(" ", "+") if value.count("T") == 1 else value)
    except BadInput as error:
        raise ValueError(str(error)) from None


def _within_reach(value: int) -> int:
    if not _EARLIEST <= value < _LATEST:
        raise ValueError("expected a time between 1970 and 2200")
    return value


_DATE_TIME = WithJsonSchema({"type": "string", "format": "date-time"})

Instant = Annotated[int, PlainSerializer(iso, return_type=str), _DATE_TIME]
"""ms UTC inside, `2026-11-23T08:15:00Z` in JSON."""

AskedInstant = Annotated[int, BeforeValidator(_instant), AfterValidator(_within_reach), _DATE_TIME]
"""An instant in a query: ISO-8601, taken as UTC when it names no zone."""

SeverityName = Annotated[
    Literal["P1", "P2", "P3", "P4"],
    BeforeValidator(lambda value: value.name if isinstance(value, Severity) else value),
]


class Shape(BaseModel):
    """An answer; made from our dataclasses by their attributes."""

    model_config = ConfigDict(from_attributes=True)


class Ask(BaseModel):
    """A request's query or body: what it does not know it refuses."""

    model_config = ConfigDict(extra="forbid")


class RowsAsk(Ask):
    """Asks for a page of a list that is ordered by row number, newest first."""

    cursor: str | None = Field(None, pattern=r"^[0-9]{1,18}$", description="`next` of the page before")
    limit: int = Field(PAGE, ge=1, le=LONGEST_PAGE)


class KeysAsk(Ask):
    """Asks for a page of a list that is ordered by a name."""

    cursor: str | None = Field(None, max_length=500, description="`next` of the page before")
    limit: int = Field(PAGE, ge=1, le=LONGEST_PAGE)


class Words(Shape):
    """One text in both languages."""

    zh: str
    en: str


class Page(Shape, Generic[T]):
    """Some items and where to go on. New items never move the ones still to come."""

    items: list[T]
    next: str | None = Field(description="send it as `cursor` for the items after these; null: there are none")


def page_after(found: Iterable[T], name: Callable[[T], str], ask: KeysAsk) -> tuple[Sequence[T], str | None]:
    """The items after the cursor in the order of their names, and the cursor for those that follow."""
    ordered = sorted(found, key=name)
    start = 0 if ask.cursor is None else bisect_right(ordered, ask.cursor, key=name)
    items = ordered[start : start + ask.limit]
    return items, name(items[-1]) if start + ask.limit < len(ordered) else None
