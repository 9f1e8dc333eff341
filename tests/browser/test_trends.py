"""The trend explorer by mouse, finger and key, on the real service."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.browser.campus import T0, Campus
from tests.browser.conftest import Come, Visitor
from tests.support.programs import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.integration]

TWO = "/trends?point=ch-1/chw_supply_temp&point=ch-1/active_power&point=ch-1/chiller_run_status&span=1h"
ZOOMED = re.compile(r"[?&]from=[^&]+&to=")


def opened(visitor: Visitor) -> Page:
    """The explorer with its panes drawn by the script."""
    page = visitor.goto(TWO)
    expect(page.locator("[data-pane] .u-over")).to_have_count(2)
    return page


def middle(page: Page, pane: int, share: float) -> tuple[float, float]:
    """A place on a pane."""
    box = page.locator(f"[data-pane='{pane}'] .u-over").bounding_box()
    assert box is not None
    return box["x"] + box["width"] * share, box["y"] + box["height"] / 2


def span_ms(page: Page) -> int:
    """How long a time the figure shows."""
    return int(page.evaluate("(() => { const d = JSON.parse(trend.dataset.drawing); return d.to - d.from; })()"))


def shows(page: Page, wanted: Callable[[int], bool]) -> None:
    """Wait until the figure shows such a time; asked from outside, because pages forbid `eval`."""
    wait_until(lambda: wanted(span_ms(page)), seconds=15, what="the figure shows the time asked for")


@pytest.fixture
def finger(come: Come) -> tuple[Page, CDPSession]:
    """A phone's page, and the hand on it."""
    page = opened(come("王磊", phone=True))
    return page, page.context.new_cdp_session(page)


def touch(hand: CDPSession, kind: str, *places: tuple[float, float]) -> None:
    points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
    hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_the_cursor_reads_every_pane_and_the_time(site: Campus, come: Come) -> None:
    page = opened(come("陈国强"))
    before = page.locator("[data-when]").inner_text()
    page.mouse.move(*middle(page, 0, 0.9))
    expect(page.locator("[data-when]")).not_to_have_text(before)
    for point in ("ch-1/chw_supply_temp", "ch-1/active_power"):
        expect(page.locator(f"[data-value='{point}']")).to_have_text(re.compile(r"^\d+\.\d$"))
    page.mouse.move(0, 0)
    expect(page.locator("[data-when]")).to_have_text(before)


def test_a_drag_zooms_the_address_holds_it_and_back_leads_back(site: Campus, come: Come) -> None:
    page = opened(come("陈国强"))
    page.mouse.move(*middle(page, 1, 0.25))
    page.mouse.down()
    page.mouse.move(*middle(page, 1, 0.75), steps=4)
    page.mouse.up()
    page.wait_for_url(ZOOMED)
    shows(page, lambda ms: ms < 2_000_000)
    assert abs(span_ms(page) - 1_800_000) < 60_000
    page.reload()
    expect(page.locator("[data-pane] .u-over")).to_have_count(2)
    assert abs(span_ms(page) - 1_800_000) < 60_000
    page.go_back()
    shows(page, lambda ms: ms == 3_600_000)


def test_a_double_click_resets(site: Campus, come: Come) -> None:
    visitor = come("陈国强")
    page = visitor.goto(f"{TWO}&from=2026-07-20T08:05:00Z&to=2026-07-20T08:15:00Z")
    expect(page.locator("[data-pane] .u-over")).to_have_count(2)
    page.mouse.dblclick(*middle(page, 0, 0.5))
    shows(page, lambda ms: ms == 3_600_000)
    assert visitor.troubles == []


def test_keys_move_the_cursor_zoom_and_reset(site: Campus, come: Come) -> None:
    page = opened(come("陈国强"))
    page.locator("[data-pane='0']").focus()
    page.keyboard.press("End")
    expect(page.locator(".cursor-line")).to_be_visible()
    page.keyboard.press("+")
    shows(page, lambda ms: ms == 1_800_000)
    expect(page.locator("[data-pane] .u-over")).to_have_count(2)
    page.locator("[data-pane='0']").focus()
    page.keyboard.press("0")
    shows(page, lambda ms: ms == 3_600_000)


def test_a_finger_sideways_zooms(finger: tuple[Page, CDPSession]) -> None:
    page, hand = finger
    (x0, y), (x1, _) = middle(page, 0, 0.2), middle(page, 0, 0.7)
    touch(hand, "touchStart", (x0, y))
    for k in range(1, 6):
        touch(hand, "touchMove", (x0 + (x1 - x0) * k / 5, y))
    touch(hand, "touchEnd")
    page.wait_for_url(ZOOMED)
    shows(page, lambda ms: ms < 2_000_000)
    assert abs(span_ms(page) - 1_800_000) < 90_000


def test_two_fingers_apart_zoom_in(finger: tuple[Page, CDPSession]) -> None:
    page, hand = finger
    x, y = middle(page, 0, 0.5)
    touch(hand, "touchStart", (x - 40, y), (x + 40, y))
    touch(hand, "touchMove", (x - 60, y), (x + 60, y))
    touch(hand, "touchMove", (x - 80, y), (x + 80, y))
    touch(hand, "touchEnd")
    page.wait_for_url(ZOOMED)
    shows(page, lambda ms: ms < 2_000_000)
    assert abs(span_ms(page) - 1_800_000) < 90_000


def test_two_taps_reset(site: Campus, come: Come) -> None:
    page = come("王磊", phone=True).goto(f"{TWO}&from=2026-07-20T08:05:00Z&to=2026-07-20T08:15:00Z")
    expect(page.locator("[data-pane] .u-over")).to_have_count(2)
    hand = page.context.new_cdp_session(page)
    place = middle(page, 0, 0.5)
    for _ in range(2):
        touch(hand, "touchStart", place)
        touch(hand, "touchEnd")
    shows(page, lambda ms: ms == 3_600_000)


def test_without_a_script_the_server_has_drawn_it(site: Campus, come: Come) -> None:
    signed_in = come("赵敏", phone=True)
    cookies = signed_in.context.cookies()
    browser = signed_in.context.browser
    assert browser is not None
    with browser.new_context(java_script_enabled=False, locale="zh-CN") as plain:
        plain.add_cookies(cookies)  # type: ignore[arg-type]  # as they came
        page = plain.new_page()
        page.goto(f"{site.url}{TWO}")
        expect(page.locator("svg.plot path.l1")).to_have_count(2)
        page.get_by_role("link", name="8 小时").click()
        assert "span=8h" in page.url
        assert site.at > T0


def test_a_derived_quantity_is_found_by_its_name_and_drawn_by_the_script(site: Campus, come: Come) -> None:
    page = come("陈国强").goto("/trends?span=1h")
    page.fill("#q", "冷水机组 趋近")
    page.get_by_role("button", name="搜索").click()
    offered = page.locator("#picker li", has_text="冷凝器趋近温差").first
    expect(offered).to_contain_text("推算量")
    expect(offered).to_contain_text("K")
    offered.locator("a").click()
    expect(page.locator("[data-pane] .u-over")).to_have_count(1)
    expect(page.locator("[data-value='ch-1/condenser_approach']")).to_have_text("1.4")  # 35.9 − 34.5


def test_an_event_is_as_high_as_a_finger_on_a_phone_and_a_short_one_as_wide(site: Campus, come: Come) -> None:
    site.advance(2, plant__chw_pump_1={"pump_status": 0, "pump_flow": 0.0})
    site.ticket("PU-01")
    page = come("王磊", phone=True).goto("/trends?point=chwp-1/pump_flow&span=24h")
    target = page.locator(".lane a .hit").first
    expect(target).to_be_visible()
    box = target.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    assert box["width"] >= 44
    page.touchscreen.tap(box["x"] + 4, box["y"] + box["height"] / 2)
    page.wait_for_url("**/tickets/WO-**")
