"""Message floods: marked after a minute, bounded by an allowance, and what is no flood (DOMAIN §1.5 DQ-14)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from history.entries import Message
from ingest.floods import BACKLOG_MINUTES, TIMES, UNDECLARED, Floods, Flow, nominal_rate
from ingest.intake import Intake, Intaken
from ingest.reasons import RejectReason
from plant.quality import Reason
from plant.site import Binding, Plant
from tests.unit.ingest.plants import T0, frame, message, plant

LEVEL = "gw/level"


def declared(interval_ms: int | None) -> Plant:
    """A plant whose tank-2 gets its level on a topic of its own, at a declared interval."""
    base = plant(bindings=(Binding(LEVEL, "tank_level"),))
    tank = replace(base.site.equipment["tank-2"], interval_ms=interval_ms)
    return replace(base, site=replace(base.site, equipment={**base.site.equipment, "tank-2": tank}))


def level(at: int, *, draining: bool = False) -> Message:
    return message(b"%d" % (at % 90), topic=LEVEL, received_at=at, draining=draining)


def sent(on: Plant, *messages: Message) -> Intaken:
    return Intake(on).feed_many(list(enumerate(messages, 1)))


def reasons(taken: Intaken) -> Counter[Reason]:
    return Counter(Reason(code) for code in taken.batch.reason.tolist())


@pytest.mark.parametrize(
    ("rates", "nominal"),
    [([1.0], 1.0), ([1.0, 2.0], 3.0), ([1.0, None], UNDECLARED), ([None], UNDECLARED), ([100.0, None], 100.0)],
)
def test_nominal_is_what_is_declared_and_else_a_message_a_second(rates: list[float | None], nominal: float) -> None:
    assert nominal_rate(rates) == nominal


def test_six_times_the_declared_rate_is_marked_once_a_minute_is_over() -> None:
    # One a minute is declared; ten seconds apart are six a minute, more than five.
    taken = sent(declared(60_000), *(level(T0 + 10_000 * n) for n in range(12)))
    assert reasons(taken) == {Reason.NONE: 6, Reason.FLOOD: 6}


def test_five_times_the_declared_rate_is_not() -> None:
    taken = sent(declared(60_000), *(level(T0 + 12_000 * n) for n in range(12)))
    assert reasons(taken) == {Reason.NONE: 12}


def test_where_nothing_is_declared_five_a_second_are_let_be() -> None:
    taken = sent(declared(None), *(level(T0 + 200 * n) for n in range(700)))
    assert reasons(taken) == {Reason.NONE: 700}


def test_a_flood_that_has_used_up_its_allowance_is_dropped_and_counted() -> None:
    # 240 may come at once, and 5 more a minute; a second apart that ends in the fifth minute.
    messages = [level(T0 + 1_000 * n) for n in range(600)]
    taken = sent(declared(60_000), *messages)
    samples = [one for one in taken.rejected if one.reason is RejectReason.FLOOD]
    assert taken.messages == 600
    assert len(taken.batch) + taken.flooded + len(samples) == 600
    assert len(taken.batch) == BACKLOG_MINUTES + 9 * TIMES
    assert 1 <= len(samples) <= 6
    assert "more than 5 x 1 messages a minute" in samples[0].detail


def test_a_backlog_that_the_broker_kept_is_no_flood() -> None:
    taken = sent(declared(60_000), *(level(T0 + 100 * n, draining=True) for n in range(1_000)))
    assert Reason.FLOOD not in reasons(taken)
    assert len(taken.batch) == 1_000


def test_a_backlog_that_the_device_kept_is_late_and_not_marked() -> None:
    old = [message(frame(T0 - 3_600_000 + 60_000 * n, tank_level=n % 90), received_at=T0 + 100 * n) for n in range(40)]
    later = [message(frame(T0 - 60_001 - n, tank_level=5), received_at=T0 + 60_000 + n) for n in range(5)]
    assert Reason.FLOOD not in reasons(sent(plant(), *old, *later))


def test_a_flood_that_is_over_is_forgotten_after_a_minute() -> None:
    flood = [level(T0 + 10_000 * n) for n in range(12)]
    after = [level(T0 + 120_000 + 60_000 * n) for n in range(4)]
    taken = sent(declared(60_000), *flood, *after)
    # The window in which the last of the flood came closes with the first message after it.
    assert [Reason(code) for code in taken.batch.reason.tolist()[-3:]] == [Reason.NONE] * 3


def test_messages_that_wait_for_one_tick_are_judged_by_the_time_that_has_passed() -> None:
    floods = Floods()
    flows = {floods.judge("t", T0 + 3_600_000 * (n // 60), 1.0) for n in range(600)}
    assert flows == {Flow.PASS}


def test_a_snapshot_goes_on_where_it_was_taken() -> None:
    whole, cut = Floods(), Floods()
    for n in range(400):
        flow = whole.judge("t", T0 + 1_000 * n, 1.0)
        cut = Floods.restore(cut.state())
        assert cut.judge("t", T0 + 1_000 * n, 1.0) is flow
    assert cut.state() == whole.state()
