"""The inbox as a crew uses it: pick some, act on one, come back to the same place."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.campus import Campus
from tests.browser.conftest import Come
from tests.browser.test_every_page import make_trouble

pytestmark = [pytest.mark.browser, pytest.mark.integration]


@pytest.fixture(scope="module")
def trouble(site: Campus) -> Campus:
    """Some alarms."""
    make_trouble(site)
    return site


def test_a_new_alarm_appears_without_asking_again(site: Campus, come: Come) -> None:
    page = come("赵敏").goto("/")
    expect(page.get_by_text("4 台设备全部正常")).to_be_visible()
    make_trouble(site)
    expect(page.get_by_text("水泵命令与运行反馈不一致")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("其余 2 台设备正常")).to_be_visible()


def test_acknowledging_from_the_row_names_who_has_it(trouble: Campus, come: Come) -> None:
    page = come("王磊", phone=True).goto("/alarms")
    row = page.locator("li.alarm", has_text="1号冷冻水泵")
    row.get_by_role("button", name="确认").click()
    expect(page.locator("li.alarm", has_text="1号冷冻水泵")).to_contain_text("王磊 已确认")


def test_shelving_needs_only_a_tap_on_the_reason(trouble: Campus, come: Come) -> None:
    page = come("李敏").goto("/alarms")
    row = page.locator("li.alarm", has_text="1号冷冻水泵")
    row.get_by_role("checkbox").check()
    expect(page.get_by_text("已选 1 条")).to_be_visible()
    page.locator("details.more summary").click()
    page.get_by_role("button", name="检修中").click()
    page.goto(f"{trouble.url}/alarms?view=shelved")
    expect(page.locator("li.alarm", has_text="1号冷冻水泵")).to_contain_text(re.compile("搁置至 .*检修中（李敏）"))


def test_the_filter_stands_in_the_address_and_survives_going_back(trouble: Campus, come: Come) -> None:
    page = come("赵敏").goto("/alarms?view=all")
    page.select_option("#area", "plant")
    page.get_by_role("button", name="筛选").click()
    page.wait_for_url("**/alarms?*area=plant*")
    expect(page.locator("li.alarm")).to_have_count(1)
    page.locator("li.alarm .cover").click()
    page.go_back()
    expect(page.locator("li.alarm")).to_have_count(1)
    assert "area=plant" in page.url


def test_everything_works_without_script(trouble: Campus, come: Come) -> None:
    visitor = come("王磊")
    plain = visitor.context.browser
    assert plain is not None
    context = plain.new_context(
        java_script_enabled=False, locale="zh-CN", storage_state=visitor.context.storage_state()
    )
    page = context.new_page()
    page.goto(f"{trouble.url}/alarms?view=all")
    expect(page.locator("li.alarm")).not_to_have_count(0)
    page.get_by_role("button", name="确认筛选出的全部").click()
    expect(page.locator("li.alarm").first).to_contain_text("已确认")
    context.close()
