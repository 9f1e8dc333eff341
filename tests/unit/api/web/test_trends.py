"""The trend explorer over the real app."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape

import httpx2
import pytest

from api.web.charts import Event
from api.web.trendevents import MOST, stacked, states
from history.buckets import bucketise
from maintenance.people import Role
from plant.catalogue import Derived, Text
from plant.quality import Quality, Reason
from plant.severity import Severity
from rules.events import EventKind
from tests.unit.api.house import HOUR, MINUTE, T0, House, event, reading
from tests.unit.history.test_buckets import samples

HTML = {"accept": "text/html"}
NOW = T0 + HOUR
HOURLY = "/trends?point=tank-1/temp&span=1h"


def text_of(html: str) -> str:
    """What is left of a page without its tags, with single spaces."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def drawing_of(html: str) -> dict[str, object]:
    """What the script is given."""
    found = re.search(r'data-drawing="([^"]*)"', html)
    assert found is not None
    drawing: dict[str, object] = json.loads(unescape(found[1]))
    return drawing


def links(html: str) -> list[str]:
    return [unescape(link) for link in re.findall(r'href="(/[^"]*)"', html)]


async def test_without_points_it_asks_for_some(viewer: httpx2.AsyncClient) -> None:
    page = (await viewer.get("/trends", headers=HTML)).text
    assert "选一个或几个测点" in page
    assert "<polyline" not in page


async def test_a_search_offers_points_that_match_every_word_and_keeps_the_address(viewer: httpx2.AsyncClient) -> None:
    page = (await viewer.get("/trends?q=一号 level&point=tank-2/temp&span=8h", headers=HTML)).text
    assert "/trends?point=tank-2/temp&point=tank-1/level&span=8h" in links(page)
    assert "tank-1/pump" not in page
    assert "旧水箱" not in page
    nothing = (await viewer.get("/trends?q=一号 boiler", headers=HTML)).text
    assert "没有符合的测点" in nothing


async def test_points_of_one_unit_share_a_pane_and_states_are_a_lane(house: House, viewer: httpx2.AsyncClient) -> None:
    house.wrote(reading(NOW - 30 * MINUTE, 58.0), reading(NOW - 20 * MINUTE, 1.0, "pump"))
    query = "point=tank-1/temp&point=tank-2/temp&point=tank-1/level&point=tank-1/pump"
    page = (await viewer.get(f"/trends?{query}&span=1h", headers=HTML)).text
    drawing = drawing_of(page)
    assert drawing["points"] == ["tank-1/temp", "tank-2/temp", "tank-1/level"]
    assert len(re.findall("data-pane=", page)) == 2
    assert 'class="chart lane runs"' in page
    assert '<svg x="66.67%" width="33.33%"' in page  # the pump: on from 20 of 60 minutes before now, until now


async def test_the_limit_of_a_rule_and_the_events_of_its_alarm_are_on_the_chart(
    house: House, viewer: httpx2.AsyncClient
) -> None:
    house.wrote(*(reading(NOW - k * MINUTE, 41.0) for k in range(60)))
    house.engine(replace(event(), raised_at=NOW - 30 * MINUTE, at=T0))
    page = (await viewer.get(HOURLY, headers=HTML)).text
    assert "下限 42.0 · Water" not in page
    assert "下限 42.0 · 水温低" in page
    assert 'class="sev p2"' in page  # 41 is beyond it
    box = r'<svg x="50.0%" width="50.0%" height="100%"><rect class="hit" [^>]*/><rect class="ev p2"'
    assert re.search(rf'<a href="/tickets/[^"]+">{box}', page)
    english = (await viewer.get(HOURLY, headers=HTML | {"accept-language": "en"})).text
    assert "Lower limit 42.0 · Water too cold" in english


async def test_silence_is_hatched_and_doubt_too(house: House, viewer: httpx2.AsyncClient) -> None:
    doubt = reading(NOW - 10 * MINUTE, 50.0, quality=Quality.UNCERTAIN, reason=Reason.DELAYED)
    house.wrote(*(reading(NOW - k * MINUTE, 50.0) for k in range(60) if not 20 <= k < 40 and k != 10), doubt)
    page = (await viewer.get(HOURLY, headers=HTML)).text
    assert re.findall(r'<rect class="(none|doubt)" x="([\d.]+)%"', page) == [("doubt", "83.33"), ("none", "33.67")]


async def test_yesterday_is_drawn_beside_today(house: House, viewer: httpx2.AsyncClient) -> None:
    house.wrote(*(reading(NOW - k * MINUTE - day * 24 * HOUR, 50.0 + day) for k in range(60) for day in (0, 1)))
    page = (await viewer.get(f"{HOURLY}&compare=day", headers=HTML)).text
    assert 'class="l9"' in page
    assert drawing_of(page)["shift"] == 24 * HOUR
    assert 'aria-current="true">同比昨日' in page
    assert "/trends?point=tank-1/temp&span=1h" in links(page)  # once more: without


async def test_a_shared_address_names_its_times_and_shows_the_same_later(
    house: House, viewer: httpx2.AsyncClient
) -> None:
    house.wrote(reading(NOW - 30 * MINUTE, 58.0))
    page = (await viewer.get(HOURLY, headers=HTML)).text
    shared = "/trends?point=tank-1/temp&from=2026-11-23T02:00:00Z&to=2026-11-23T03:00:00Z&span=1h"
    assert shared in links(page)
    house.set_live(plant_time=NOW + 30 * HOUR)
    later = (await viewer.get(shared, headers=HTML)).text
    assert drawing_of(later)["from"] == T0
    assert "58.0" in text_of(later)
    assert "data-follow" in page
    assert "data-follow" not in later


async def test_an_address_that_names_one_end_keeps_it(house: House, viewer: httpx2.AsyncClient) -> None:
    page = (await viewer.get(f"{HOURLY}&to=2026-11-23T02:30:00Z", headers=HTML)).text
    assert (drawing_of(page)["from"], drawing_of(page)["to"]) == (T0 - 30 * MINUTE, T0 + 30 * MINUTE)
    beside = "/trends?point=tank-1/temp&from=2026-11-23T01:30:00Z&to=2026-11-23T02:30:00Z&span=1h&compare=day"
    assert beside in links(page)
    assert "data-follow" not in page


async def test_time_moves_by_links_too_and_a_table_can_be_had(house: House, viewer: httpx2.AsyncClient) -> None:
    found = links((await viewer.get(HOURLY, headers=HTML)).text)
    assert "/trends?point=tank-1/temp&from=2026-11-23T01:00:00Z&to=2026-11-23T02:00:00Z&span=1h" in found
    assert "/trends?point=tank-1/temp&from=2026-11-23T01:30:00Z&to=2026-11-23T03:30:00Z&span=1h" in found
    table = next(link for link in found if link.startswith("/api/v1/trends.csv"))
    assert (await viewer.get(table)).status_code == 200


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("point=tank-1/none", 404),
        ("point=temp", 400),
        ("point=tank-1/temp&span=2h", 422),
        ("point=tank-1/temp&from=2026-11-23T02:00:00Z&to=2026-11-23T01:00:00Z", 400),
        ("point=tank-1/temp&from=2020-11-23T02:00:00Z", 400),
    ],
)
async def test_a_wrong_address_is_a_page_that_says_so(quiet_house: House, query: str, status: int) -> None:
    async with quiet_house.client(Role.VIEWER) as client:
        answer = await client.get(f"/trends?{query}", headers=HTML)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")


def test_events_that_overlap_get_rows_of_their_own_and_the_last_row_takes_the_rest() -> None:
    events = [Event(n, n + 10, str(n)) for n in range(8)]
    rows = stacked([*events, Event(20, 30, "later")])
    assert [[one.label for one in row] for row in rows] == [["0", "later"], ["1"], ["2"], ["3"], ["4", "5", "6", "7"]]
    assert stacked([]) == []


def test_states_begin_and_end_where_the_value_changes_and_hold_over_silence() -> None:
    found = bucketise(samples((0, 1.0, 0), (30, 1.0, 0), (50, 0.0, 0), (80, 1.0, 0)), 0, 100, 10)
    assert [(one.start, one.end) for one in states(found, 100, "on")] == [(0, 50), (80, 100)]


async def test_alarms_of_other_machines_and_other_times_are_left_out(house: House, viewer: httpx2.AsyncClient) -> None:
    house.engine(event(equipment="tank-2"))
    house.engine(event(rule="CH-04", severity=Severity.P3))
    cleared = replace(event(EventKind.CLEARED, T0 + MINUTE, rule="CH-04", severity=Severity.P3))
    house.engine(cleared)
    long_after = "/trends?point=tank-1/temp&from=2026-11-23T02:30:00Z&to=2026-11-23T03:00:00Z"
    page = (await viewer.get(long_after, headers=HTML)).text
    assert 'aria-label="告警"' not in page
    assert MOST == 200


def warm(house: House) -> None:
    """The tanks have a quantity: how much warmer they are than 20 degrees, by their level."""
    plant = house.now_plant
    kind = plant.catalogue.types["hot_water_tank"]
    warmth = Derived("warmth", "K", "(temp - 20) * level / 100", Text("蓄热温差", "Stored warmth"), 3)
    types = {kind.name: replace(kind, derived={"warmth": warmth})}
    house.now_plant = replace(plant, catalogue=replace(plant.catalogue, types=types))


async def test_a_derived_quantity_is_offered_with_its_unit_and_drawn_from_its_points(
    house: House, viewer: httpx2.AsyncClient
) -> None:
    warm(house)
    for minute in range(60):
        house.wrote(reading(T0 + minute * MINUTE, 60.0), reading(T0 + minute * MINUTE, 50.0, "level"))
    offered = (await viewer.get("/trends?q=一号 蓄热&span=1h", headers=HTML)).text
    assert "/trends?point=tank-1/warmth&span=1h" in links(offered)
    assert "一号水箱 · 推算量" in text_of(offered)
    shown = (await viewer.get("/trends?point=tank-1/warmth&span=1h", headers=HTML)).text
    assert drawing_of(shown)["points"] == ["tank-1/warmth"]
    assert re.search(r'data-value="tank-1/warmth">20\.0<', shown)  # (60 − 20) · 0.5
    answer = (await viewer.get("/api/v1/trends?point=tank-1/warmth&point=tank-1/temp&buckets=4")).json()
    derived, temp = answer["series"]
    assert (derived["unit"], derived["mean"][-1], derived["good"][-1]) == ("K", 20.0, 1)
    assert (temp["mean"][-1], derived["mean"][0]) == (60.0, None)


async def test_a_derived_quantity_is_in_doubt_where_a_point_of_it_is(house: House, viewer: httpx2.AsyncClient) -> None:
    warm(house)
    house.wrote(
        reading(T0, 60.0, quality=Quality.UNCERTAIN, reason=Reason.OUT_OF_SPECIFICATION),
        reading(T0, 50.0, "level"),
        reading(T0 + 30 * MINUTE, 60.0),
        reading(T0 + 30 * MINUTE, 500.0, "level", Quality.BAD, Reason.OUT_OF_RANGE),
    )
    address = "/api/v1/trends?point=tank-1/warmth&from=2026-11-23T02:00:00Z&to=2026-11-23T03:00:00Z&buckets=2"
    (found,) = (await viewer.get(address)).json()["series"]
    assert (found["mean"], found["count"], found["good"], found["bad"]) == ([20.0, None], [1, 0], [0, 0], [0, 1])
