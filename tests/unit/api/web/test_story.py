"""A timeline in words: every kind of line has them in both languages, and people are told from the service."""

from __future__ import annotations

import pytest

from api.web.story import last_change, story
from maintenance.ledger.rows import Happening, Photo, Phrase, TimelineRow
from maintenance.texts import CAUSE_CODES, HAPPENINGS, MOVES, NEEDS, PHRASES, STATES, WAITING_FOR
from maintenance.ticket import CauseCode, Need, State, WaitingFor
from tests.unit.api.house import T0

TYPED = {
    Happening.RAISED: "P2",
    Happening.JUDGED: "false",
    Happening.DIAGNOSED: "fouling",
    Happening.OVERDUE: "arrive_overdue",
    Happening.REPORTED: "leak: 二楼",
    Happening.ESCALATED: "P3 → P2",
}


def line(kind: Happening, *, author: str = "王磊", text: str = "", target: State | None = None) -> TimelineRow:
    return TimelineRow(1, T0, T0, author, kind, "WO-1", None, None, target, text, None)


@pytest.mark.parametrize("kind", Happening)
def test_every_kind_of_line_has_words(kind: Happening) -> None:
    (told,) = story([line(kind, text=TYPED.get(kind, ""))], [])
    assert told.what.zh
    assert told.what.en
    assert told.human


@pytest.mark.parametrize(
    ("texts", "enum"),
    [
        (HAPPENINGS, Happening),
        (MOVES, State),
        (STATES, State),
        (NEEDS, Need),
        (CAUSE_CODES, CauseCode),
        (WAITING_FOR, WaitingFor),
        (PHRASES, Phrase),
    ],
)
def test_no_word_is_missing(texts: dict[object, object], enum: type) -> None:
    assert set(texts) == set(enum)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("row", "what", "detail", "words"),
    [
        (line(Happening.MOVED, target=State.ON_HOLD, text="parts"), "挂起", "等备件", ""),
        (line(Happening.MOVED, target=State.VERIFYING, text="换了轴承"), "完成，转待验证", None, "换了轴承"),
        (
            line(Happening.MOVED, author="engine", target=State.VERIFYING, text="cleared before work began"),
            "转待验证",
            "告警自行恢复",
            "",
        ),
        (line(Happening.MOVED, author="engine", target=State.CLOSED, text="verified"), "关闭", "验证通过", ""),
        (line(Happening.REPORTED, author="reporter", text="leak: 二楼"), "再次报修", "漏水", "二楼"),
        (line(Happening.OPENED, author="reporter", text="二楼"), "扫码报修", None, "二楼"),
        (line(Happening.OPENED, author="engine"), "自动开单", None, ""),
        (line(Happening.JUDGED, text="false"), "判定", "误报", ""),
    ],
)
def test_what_is_known_is_translated_and_what_was_typed_is_not(
    row: TimelineRow, what: str, detail: str | None, words: str
) -> None:
    (told,) = story([row], [])
    assert (told.what.zh, None if told.detail is None else told.detail.zh, told.words) == (what, detail, words)
    assert told.human is (row.author != "engine")


def test_the_newest_line_comes_first_and_a_photo_stands_by_its_line() -> None:
    photo = Photo(7, "WO-1", "ab" * 32, 1, 1, 1, "王磊", T0, "k")
    found = story([line(Happening.COMMENTED, text="one"), line(Happening.PHOTO, text=photo.sha256)], [photo])
    assert [told.words for told in found] == ["", "one"]
    assert found[0].photo is photo


def test_a_comment_is_no_change_of_the_ticket() -> None:
    moved = line(Happening.MOVED, target=State.IN_PROGRESS)
    assert last_change([moved, line(Happening.COMMENTED, text="x")]) is moved
    assert last_change([line(Happening.COMMENTED)]) is None
