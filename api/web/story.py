"""A ticket's timeline in words: what happened, when, by whom, and whether that was a person or the service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maintenance.ledger.rows import Happening, Photo, Phrase, TimelineRow
from maintenance.people import CLOCK, CONFIG, ENGINE, REPORTER
from maintenance.texts import (
    CAUSE_CODES,
    HAPPENINGS,
    MOVES,
    NOTICES,
    PHRASES,
    RESOLUTIONS,
    SEVERITIES,
    STATES,
    VERDICTS,
    WAITING_FOR,
)
from maintenance.ticket import Resolution, State, WaitingFor
from plant.catalogue import Text
from plant.severity import Severity

_SYSTEM = frozenset({ENGINE.name, CLOCK.name, CONFIG.name})
_REPORTER = Text("报修人", "Reporter")

_REASONS: Mapping[str, Text] = {
    "cleared before work began": Text("告警自行恢复", "cleared before work began"),
    "seen again": Text("故障再次出现", "the fault was seen again"),
    "came back within 4 h": Text("关闭后 4 小时内复发", "came back within 4 h"),
    "the conditions for a proof have not come": Text("验证所需工况未出现", "the conditions for a proof have not come"),
    "told after catching up": Text("补收数据后通知", "told after catching up"),
}
"""What the service itself writes as its reason; a person's reason stands as it was typed."""

_ENGINES_MOVES: Mapping[State, Text] = {
    State.VERIFYING: Text("转待验证", "To be verified"),
    State.IN_PROGRESS: Text("退回处理中", "Back in progress"),
    State.ACKNOWLEDGED: Text("退回已确认", "Back to acknowledged"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """One line: `what` in both languages, `detail` as well, `words` as somebody typed them."""

    at: int
    author: Text | None
    human: bool
    what: Text
    detail: Text | None
    words: str
    photo: Photo | None


def story(rows: Sequence[TimelineRow], photos: Sequence[Photo]) -> list[Told]:
    """The lines of a ticket, newest first."""
    by_hash = {photo.sha256: photo for photo in photos}
    return [_told(row, by_hash) for row in reversed(rows)]


def last_change(rows: Sequence[TimelineRow]) -> TimelineRow | None:
    """The line that made the ticket what it is now: a move or a person's change."""
    changed = (Happening.MOVED, Happening.ASSIGNED, Happening.JUDGED, Happening.DIAGNOSED, Happening.ESCALATED)
    return next((row for row in reversed(rows) if row.kind in changed), None)


def author_text(name: str) -> Text | None:
    """A person's name, or a word for who has none; None for the service itself."""
    if name in _SYSTEM:
        return None
    return _REPORTER if name == REPORTER.name else Text(name, name)


def _told(row: TimelineRow, photos: Mapping[str, Photo]) -> Told:
    human = row.author not in _SYSTEM
    detail, words = _detail(row)
    photo = photos.get(row.text) if row.kind is Happening.PHOTO else None
    return Told(row.at, author_text(row.author), human, _what(row, human=human), detail, words, photo)


def _what(row: TimelineRow, *, human: bool) -> Text:
    if row.kind is Happening.OPENED:
        return _opening(row.author, human=human)
    if row.kind is Happening.MOVED and row.target is not None:
        return MOVES[row.target] if human else _ENGINES_MOVES.get(row.target, MOVES[row.target])
    return HAPPENINGS[row.kind]


def _opening(author: str, *, human: bool) -> Text:
    if author == REPORTER.name:
        return Text("扫码报修", "Reported by the code on the machine")
    return Text("手工开单", "Opened by hand") if human else Text("自动开单", "Opened by the rule")


_WORDS: Mapping[Happening, Mapping[str, Text]] = {
    Happening.JUDGED: {verdict.value: text for verdict, text in VERDICTS.items()},
    Happening.DIAGNOSED: {cause.value: text for cause, text in CAUSE_CODES.items()},
    Happening.OVERDUE: {kind.value: text for kind, text in NOTICES.items()},
}


def _detail(row: TimelineRow) -> tuple[Text | None, str]:
    """What is known in both languages, and what was typed."""
    if row.kind is Happening.PHOTO:
        return None, ""
    if row.kind in _WORDS:
        return _WORDS[row.kind][row.text], ""
    if row.kind in (Happening.RAISED, Happening.LEVEL) and row.text in Severity.__members__:
        return SEVERITIES[Severity[row.text]], ""
    if row.kind in (Happening.RELEASED, Happening.CLEARED, Happening.VERIFIED, Happening.VERIFY_FAILED):
        return None, ""
    if row.kind is Happening.REPORTED:
        phrase, _, words = row.text.partition(": ")
        return PHRASES[Phrase(phrase)], words
    if row.kind is Happening.MOVED:
        return _reason(row.text)
    return None, row.text


def _reason(text: str) -> tuple[Text | None, str]:
    if text in _REASONS:
        return _REASONS[text], ""
    if text in set(Resolution):
        return RESOLUTIONS[Resolution(text)], ""
    if text in set(WaitingFor):
        return WAITING_FOR[WaitingFor(text)], ""
    if text in set(State):
        return STATES[State(text)], ""
    return None, text
