"""Times as devices write them: without a zone they get the binding's, the format's or the site's."""

from __future__ import annotations

import pytest

from ingest.bindings import Feed, Target
from ingest.decoders import Decoded, recognise
from ingest.decoders.generic import message_time
from ingest.decoders.moments import Moment, from_wall, parse_moment
from ingest.reasons import Refused
from tests.unit.ingest.plants import T0, TANK

WALL = T0
"""2023-11-14 22:13:20 on the wall: in Shanghai (UTC+8) that is 8 h before the same time in UTC."""


@pytest.mark.parametrize(
    ("zone", "wall", "hours"),
    [("", "", 8), ("Europe/Berlin", "", 1), ("", "Asia/Tokyo", 9), ("UTC", "Asia/Tokyo", 0)],
    ids=["site", "binding", "format", "binding before format"],
)
def test_whose_zone_a_time_without_one_gets(zone: str, wall: str, hours: int) -> None:
    feed = Feed(lambda _topic, _payload: Decoded(), {None: (Target(0, "Cel"),)}, False, "Asia/Shanghai", zone)
    assert feed.utc(WALL, wall) == WALL - hours * 3_600_000


def test_a_time_in_utc_is_left_alone() -> None:
    feed = Feed(lambda _topic, _payload: Decoded(), {}, False, "Asia/Shanghai", "Europe/Berlin")
    assert feed.utc(WALL, None) == WALL


def test_the_hour_that_comes_twice_is_its_first() -> None:
    # Berlin, 2023-10-29 02:30 shows twice: 00:30 UTC (summer time) and 01:30 UTC.
    assert from_wall(1_698_546_600_000, "Europe/Berlin") == 1_698_539_400_000


@pytest.mark.parametrize(
    ("written", "ms", "wall"),
    [
        (1_700_000_000, T0, False),
        (1_700_000_000.25, T0 + 250, False),
        (T0, T0, False),
        (T0 * 1000, T0, False),
        (T0 * 1_000_000, T0, False),
        ("1700000000", T0, False),
        ("1700000000000", T0, False),
        ("2023-11-14T22:13:20.123456789Z", T0 + 123, False),
        ("2023-11-15T06:13:20+08:00", T0, False),
        ("2023-11-15 06:13:20 +0800", T0, False),
        ("2023-11-14T22:13:20", T0, True),
        ("2023/11/14 22:13:20", T0, True),
        ("2023年11月14日 22:13:20", T0, True),
        ("20231114221320", T0, True),
        (20231114221320, T0, True),
        ("14.11.2023 22:13:20", T0, True),
        ("14.11.2023 22:13", T0 - 20_000, True),
        ("202311142213", T0 - 20_000, True),
        ("20231114221320123", T0 + 123, True),
        (20231114221320123, T0 + 123, True),
        ("2023-11-14 22:13:20 UTC", T0, False),
        ("2023-11-15 06:13:20+8", T0, False),
    ],
)
def test_times_devices_write(written: object, ms: int, wall: bool) -> None:
    assert parse_moment(written) == Moment(ms, wall)


@pytest.mark.parametrize("written", [None, "", 0, "1970-01-01T00:00:42", 42])
def test_a_clock_nobody_has_set_gives_no_time(written: object) -> None:
    assert parse_moment(written) is None


@pytest.mark.parametrize(
    "written",
    [
        "20231301000000",
        "2023-02-30T00:00:00",
        "32.01.2023 10:00",
        "25:00",
        "yesterday",
        True,
        -5,
        float("nan"),
        1e30,
        [],
    ],
)
def test_impossible_times_are_refused(written: object) -> None:
    with pytest.raises(Refused, match="the time is"):
        parse_moment(written)


@pytest.mark.parametrize(
    ("message", "ms"),
    [
        ({"date": "20231114", "time": "221320", "x": 1}, T0),
        ({"date": "2023-11-14", "time": "22:13:20", "x": 1}, T0),
        ({"date": "2023-11-14", "time": "22:13:20.5", "x": 1}, T0 + 500),
    ],
)
def test_date_and_time_apart(message: dict[str, object], ms: int) -> None:
    assert message_time(message) == Moment(ms, wall=True)


def test_native_messages_are_recognised_by_their_topic() -> None:
    assert recognise(TANK, b"{}").name == "native"
    assert recognise(TANK.replace("telemetry", "status"), b"{}").name == "native_status"
    assert recognise("elsewhere", b"12.5").name == "plain"
