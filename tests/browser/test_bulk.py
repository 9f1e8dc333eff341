"""A flood: 300 alarms, acknowledged at once, on one page."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from maintenance.ledger import Ledger
from maintenance.ledger.queries import AlarmFilter, AlarmState, alarm_counts
from tests.browser.campus import Campus, campus
from tests.browser.conftest import Come
from tests.support.programs import Mosquitto, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.integration]

PUMPS = 300


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, mosquitto: Mosquitto) -> Iterator[Campus]:
    """A hall of 300 pumps that are told to run and do not."""
    with campus(tmp_path_factory.mktemp("flood"), mosquitto, "flood", pumps=PUMPS) as made:
        made.advance(2)
        for second in (10, 20, 30):
            at = made.at + second * 1000
            for number in range(1, PUMPS + 1):
                body = {"ts": at, "points": {"pump_command": 1, "pump_status": 0}}
                made.client.publish(f"dutyroom/v1/flood/hall/pump-{number}/telemetry", json.dumps(body), qos=1)
            made.client.publish("dutyroom/v1/flood/clock", json.dumps({"ts": at}), qos=1).wait_for_publish(30)
        made.at += 30_000
        made.advance(0.5)
        wait_until(lambda: _unacked(made) == PUMPS, seconds=60, what="300 alarms")
        yield made


def _unacked(made: Campus) -> int:
    with Ledger.open(made.folder / "ledger.db") as ledger:
        return ledger.read(alarm_counts, AlarmFilter())[AlarmState.UNACKED]


def test_300_alarms_are_acknowledged_in_one_go(site: Campus, come: Come) -> None:
    page = come("王磊").goto("/alarms?area=hall")
    expect(page.locator(".seg [aria-current] .count")).to_have_text(str(PUMPS))
    page.get_by_role("button", name="确认筛选出的全部").click()
    page.wait_for_url("**/alarms?area=hall")
    page.goto(f"{site.url}/alarms?view=unacked&area=hall")
    expect(page.get_by_text("没有符合条件的告警")).to_be_visible()
    assert _unacked(site) == 0


def test_the_board_shows_the_floods_head_and_counts_the_rest(site: Campus, come: Come) -> None:
    page = come("赵敏", phone=True).goto("/")
    expect(page.get_by_text("还有 280 条未恢复")).to_be_visible()
