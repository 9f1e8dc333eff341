"""Ticks of the system's clock: not listening is not silence, and a step of the clock is an epoch."""

from __future__ import annotations

from collections.abc import Sequence

from history.entries import ClockEpoch, Command, Entry, Tick
from history.protocols import READ_BYTES
from ingest.ticking import Link, SystemTicks, last_tick
from plant.instants import NEVER
from tests.unit.ingest.plants import T0

START = T0 + 300
"""300 ms past a whole second."""


def run(ticks: SystemTicks, *moments: tuple[int, Link]) -> list[Tick | ClockEpoch]:
    """Entries at moments (ms after START, link), wall clock and monotonic clock in step."""
    return [entry for after, link in moments for entry in ticks.at(START + after, after, link)]


def test_one_tick_a_second_on_the_whole_second() -> None:
    found = run(SystemTicks(NEVER, 0), (0, Link.LISTENING), (300, Link.LISTENING), (800, Link.LISTENING))
    assert found == [Tick(T0), Tick(T0 + 1000)]


def test_lost_connection_holds_the_ticks_and_one_closes_the_gap() -> None:
    found = run(
        SystemTicks(NEVER, 0),
        (0, Link.LISTENING),
        (1_000, Link.AWAY),
        (60_000, Link.AWAY),
        (61_000, Link.DRAINING),
        (62_000, Link.LISTENING),
    )
    assert found == [Tick(T0), Tick(T0 + 62_000)]


def test_after_a_minute_away_ticks_go_on_without_listening() -> None:
    found = run(SystemTicks(NEVER, 0), (0, Link.LISTENING), (60_000, Link.AWAY), (61_000, Link.AWAY))
    assert found == [Tick(T0), Tick(T0 + 61_000, listening=False)]


def test_a_backlog_holds_the_ticks_however_long_it_drains() -> None:
    found = run(SystemTicks(NEVER, 0), (0, Link.LISTENING), (300_000, Link.DRAINING))
    assert found == [Tick(T0)]


def test_connection_lost_again_while_draining_counts_from_the_first_loss() -> None:
    found = run(SystemTicks(NEVER, 0), (0, Link.LISTENING), (50_000, Link.DRAINING), (61_000, Link.AWAY))
    assert found == [Tick(T0), Tick(T0 + 61_000, listening=False)]


def test_step_of_the_clock_is_an_epoch_and_ticks_go_on_from_there() -> None:
    ticks = SystemTicks(NEVER, 0)
    run(ticks, (0, Link.LISTENING))
    back = ticks.at(START - 3_600_000 + 1_000, 1_000, Link.LISTENING)
    assert back == [ClockEpoch(START - 3_599_000, START + 1_000)]
    assert ticks.at(START - 3_598_000, 2_000, Link.LISTENING) == [Tick(T0 - 3_598_000)]


def test_small_step_back_is_slewed() -> None:
    ticks = SystemTicks(NEVER, 0)
    run(ticks, (0, Link.LISTENING))
    assert ticks.at(START - 1_000, 1_000, Link.LISTENING) == []
    assert ticks.at(START + 1_000, 3_000, Link.LISTENING) == [Tick(T0 + 1_000)]


def test_clock_behind_the_journal_at_start_is_an_epoch() -> None:
    assert SystemTicks(T0 + 60_000, 0).at(T0, 0, Link.DRAINING) == [ClockEpoch(T0, T0 + 60_000)]


def test_time_that_passed_while_down_is_no_epoch() -> None:
    assert SystemTicks(T0 - 10**8, 0).at(T0, 0, Link.LISTENING) == [Tick(T0)]


class Held:
    """A journal in memory, read in batches of three."""

    def __init__(self, *entries: Entry) -> None:
        self._entries = entries
        self.first_offset, self.last_offset = 1, len(entries)

    def read(self, after: int, limit: int = 10_000, most_bytes: int = READ_BYTES) -> Sequence[tuple[int, Entry]]:
        return list(enumerate(self._entries, 1))[after : after + 3]

    def wait(self, after: int, timeout: float) -> bool:
        return after < self.last_offset


def test_last_tick_is_found_however_far_back() -> None:
    commands = [Command(i, "li", "reset", "x", "BH-05") for i in range(2_500)]
    assert last_tick(Held(Tick(T0), Tick(T0 + 1000), *commands)) == T0 + 1000
    assert last_tick(Held(*commands)) == NEVER
    assert last_tick(Held()) == NEVER
