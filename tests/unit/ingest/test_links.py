"""A lost broker as a reading: said of the ticks, once a minute and at each change, and counted as nobody's message."""

from __future__ import annotations

from history.entries import ClockEpoch, Entry, Tick
from ingest.intake import Intake
from tests.unit.ingest.plants import GOOD, T0, frame, message, plant, rows, watched

MINUTE = 60_000
START = T0 - T0 % MINUTE
"""A whole minute."""


def said(*entries: Entry) -> list[tuple[int, float]]:
    """(s after START, value) of each reading of the broker; each is good."""
    on = watched(plant())
    found = rows(on, Intake(on).feed_many(list(enumerate(entries, 1))))
    links = [row for row in found if row[0] == "link_status"]
    assert all(row[3:] == GOOD for row in links)
    return [((ts - START) // 1000, value) for _, ts, value, _, _ in links]


def ticks(*seconds: int, listening: bool = True) -> list[Tick]:
    return [Tick(START + 1000 * second, listening) for second in seconds]


def test_it_is_said_once_a_minute() -> None:
    assert said(*ticks(5, 6, 59, 60, 61, 119, 125)) == [(5, 1.0), (60, 1.0), (125, 1.0)]


def test_a_change_is_said_at_once() -> None:
    lost = ticks(70, 75, 130, listening=False)
    assert said(*ticks(5), *lost, *ticks(131, 140)) == [(5, 1.0), (70, 0.0), (130, 0.0), (131, 1.0)]


def test_after_a_step_of_the_clock_it_is_said_anew() -> None:
    epoch = ClockEpoch(START + 6_000, START + 7_000)
    assert said(*ticks(5), epoch, *ticks(8)) == [(5, 1.0), (8, 1.0)]


def test_it_is_no_message_and_changes_no_count_of_them() -> None:
    entries: list[Entry] = [
        Tick(START),
        message(frame(START + 1000, tank_level=50.0), received_at=START + 1000),
        Tick(START + MINUTE, listening=False),
    ]
    numbered = list(enumerate(entries, 1))
    plain, with_link = Intake(plant()).feed_many(numbered), Intake(watched(plant())).feed_many(numbered)
    assert (with_link.messages, with_link.read, with_link.repeated) == (plain.messages, plain.read, plain.repeated)
    assert len(with_link.batch) == len(plain.batch) + 2


def test_a_site_without_a_broker_says_nothing() -> None:
    taken = Intake(plant()).feed_many(list(enumerate(ticks(0, 60, 120), 1)))
    assert len(taken.batch) == 0
