"""Five kinds of unknown device go from silence to bound, stored and watched through the pages, on the real service."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

from ingest.decoders.sparkplug.payload_pb2 import Payload
from plant.instants import iso
from tests.browser import looks
from tests.browser.campus import Campus
from tests.browser.conftest import Come, Visitor
from tests.support.programs import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.integration]

LISTEN = ("tele/#", "shellypro3em-08f9e0e5c790/#", "application/#", "acrel/#", "spBv1.0/#")
PHASES = {f"{p}_{what}": v for p in "abc" for what, v in (("voltage", 230.4), ("current", 4.1), ("act_power", 930.0))}


def send(site: Campus, topic: str, body: object) -> None:
    """One message of a device."""
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    site.client.publish(topic, payload, qos=1).wait_for_publish(10)


def speak(site: Campus, *, born: bool = False) -> None:
    """Every device says something, as its maker documents it, at the site's present; then ten seconds pass."""
    at = site.at
    energy = {"Total": 3.1, "Power": 41, "ReactivePower": 3, "Factor": 0.91, "Voltage": 229, "Current": 0.19}
    send(site, "tele/plug-101/SENSOR", {"Time": iso(at), "Epoch": at // 1000, "ENERGY": energy})
    em = {"id": 0, **PHASES, "n_current": 0.2, "total_current": 12.3, "total_act_power": 2790.0}
    status = {"src": "shellypro3em-08f9e0e5c790", "dst": "user/events", "method": "NotifyStatus"}
    send(site, "shellypro3em-08f9e0e5c790/events/rpc", status | {"params": {"ts": at / 1000, "em:0": em}})
    uplink = {
        "time": iso(at),
        "deviceInfo": {"devEui": "a84041000181c061", "deviceName": "tank probe", "applicationName": "bath"},
        "object": {"temperature": 56.5},
        "rxInfo": [{"gatewayId": "g1", "rssi": -71, "snr": 9.2}],
    }
    send(site, "application/1/device/a84041000181c061/event/up", uplink)
    for serial, amps in (("24010001", 101.0), ("24010002", 42.0)):
        meter = {"ua": 229.5, "ub": 230.1, "uc": 228.8, "ia": amps, "ib": amps, "ic": amps, "p": 62.0, "epi": 12345.6}
        send(site, "acrel/gw7/data", {"gwSN": "gw7", "meterSN": serial, "time": iso(at), **meter})
    if born:
        send(site, "spBv1.0/works/NBIRTH/edge1", birth(at, 0, {"bdSeq": 1}))
        send(site, "spBv1.0/works/DBIRTH/edge1/m1", birth(at, 1, {"Voltage/L1": 231.5, "Current/L1": 17.0}))
    site.advance(1 / 6)


def birth(at: int, seq: int, metrics: dict[str, float]) -> bytes:
    """A birth certificate: metrics by name; volts and amperes say so."""
    payload = Payload(timestamp=at, seq=seq)
    for name, value in metrics.items():
        metric = payload.metrics.add(name=name, timestamp=at)
        if name == "bdSeq":
            metric.datatype, metric.long_value = 4, int(value)
        else:
            metric.datatype, metric.double_value = 10, value
    return bytes(payload.SerializeToString())


def family(page: Page, site_url: str, pattern: str) -> None:
    """Open a family from the list; the list is written a few seconds after the message."""

    line = page.locator("a[href^='/discovered/']").get_by_text(pattern, exact=True)

    def there() -> bool:
        page.goto(f"{site_url}/discovered")
        return line.count() > 0

    wait_until(there, seconds=40, what=f"{pattern} is on the list")
    line.click()
    expect(page.get_by_role("heading", name=pattern)).to_be_visible()


def listens(page: Page) -> None:
    """Wait until the service listens to the topics of LISTEN."""

    def there() -> bool:
        page.reload()
        return page.locator("textarea[name=filters]").input_value().splitlines() == list(LISTEN)

    wait_until(there, seconds=20, what="the topics are in force")


def give(page: Page, topic: str, name: str, device: str = "") -> None:
    """Make a machine of this name for a topic."""
    row = page.locator("li.map.to").filter(has_text=topic).filter(has_text=device)
    row.locator("select").select_option("+")
    row.locator("input[name^=new]").fill(name)


def bind(page: Page, area: str) -> str:
    """Send the form; the text of the answer once the past is decoded again."""
    page.fill("input[name=area]", area)
    page.locator("form[action$='/accept'] button.main").click()
    done = page.locator("[data-result=done]")
    expect(done).to_be_visible(timeout=30_000)
    return done.inner_text()


def chosen(page: Page, key: str) -> str:
    """The point chosen in a value's row."""
    row = page.locator("li.map:not(.to)").filter(has=page.locator(f"input[value='{key}']"))
    return row.locator("select").input_value()


@pytest.fixture(scope="module")
def visit(site: Campus) -> Campus:
    """The campus with its unknown devices; nobody listens to them yet."""
    return site


def engineer(visit: Campus, come: Come) -> Visitor:
    return come("陈国强", language="en")


def test_from_silence_to_watched(visit: Campus, come: Come) -> None:
    visitor = engineer(visit, come)
    page = visitor.goto("/discovered")
    expect(page.get_by_text("Only bound topics are listened to")).to_be_visible()
    page.fill("textarea[name=filters]", "\n".join(LISTEN))
    page.get_by_role("button", name="Listen").click()
    listens(page)
    for number in range(3):
        speak(visit, born=number == 0)

    family(page, visitor.url, "tele/plug-*/SENSOR")
    assert chosen(page, "ENERGY.Power") == "active_power"
    give(page, "tele/plug-101/SENSOR", "room-101")
    assert "messages 3, readings 18" in bind(page, "dorm")

    family(page, visitor.url, "shellypro3em-*/events/rpc")
    assert chosen(page, "em:0.a_voltage") == "voltage_l1"
    give(page, "shellypro3em-08f9e0e5c790", "f-shelly")
    assert "messages 3" in bind(page, "lv")

    family(page, visitor.url, "application/*/device/*/event/up")
    assert chosen(page, "temperature") == "tank_temp_top"
    give(page, "application/1/device", "tank-9")
    assert "messages 3, readings 3" in bind(page, "bath")

    family(page, visitor.url, "acrel/gw*/data")
    assert chosen(page, "ia") == "current_l1"
    give(page, "acrel/gw7/data", "f-a1", "24010001")
    give(page, "acrel/gw7/data", "f-a2", "24010002")
    assert "messages 6" in bind(page, "lv")

    family(page, visitor.url, "spBv1.0/works/+/edge*/m*")
    page.select_option("select[name=type]", "lv_feeder")
    page.get_by_role("button", name="Change type").click()
    assert chosen(page, "Voltage/L1") == "voltage_l1"
    give(page, "edge1/m1", "f-edge")
    assert "messages 1" in bind(page, "lv")

    family(page, visitor.url, "spBv1.0/works/+/edge*")
    assert chosen(page, "online") == "online_status"
    give(page, "edge1", "gw-edge")
    assert "messages 1" in bind(page, "lv")

    speak(visit)
    for machine, value in (
        ("room-101", "229"),
        ("f-shelly", "230.4"),
        ("tank-9", "56.5"),
        ("f-a1", "101"),
        ("f-a2", "42"),
        ("f-edge", "231.5"),
    ):
        page.goto(f"{visitor.url}/equipment/{machine}")
        expect(page.locator("main")).to_contain_text(value)
    page.goto(f"{visitor.url}/commissioning/f-shelly")
    page.locator("form[action$='/check'] button").click()
    expect(page.get_by_text("Unit and scale")).to_be_visible()
    page.goto(f"{visitor.url}/discovered")
    expect(page.get_by_text("Everything that comes is bound.")).to_be_visible()
    assert visitor.troubles == []


@pytest.mark.parametrize("phone", [True, False])
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_pages_are_whole(visit: Campus, come: Come, phone: bool, language: str) -> None:
    visitor = come("陈国强", phone=phone, language=language)
    send(visit, "tele/plug-202/SENSOR", {"Time": iso(visit.at), "ENERGY": {"Power": 41, "Voltage": 229}})
    visit.advance(1 / 6)
    page = visitor.page
    family(page, visitor.url, "tele/plug-*/SENSOR")
    here = page.url
    for url in (f"{visitor.url}/discovered", here, f"{visitor.url}/acceptances/1"):
        page.goto(url)
        page.wait_for_load_state("networkidle")
        assert looks.sideways(page) == []
        assert looks.barriers(page) == []
        if phone:
            assert looks.tofu(page) == []
            assert looks.too_small(page) == []
        if language == "en":
            assert looks.chinese(page, ("陈国强", "中文", "管理员")) == []
    assert visitor.troubles == []
