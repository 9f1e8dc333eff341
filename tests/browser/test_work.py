"""A crew's work on a phone: taken on, done, proven by the telemetry, or sent back by it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.campus import NORMAL, Campus
from tests.browser.conftest import Come

pytestmark = [pytest.mark.browser, pytest.mark.integration]

DEAD = {"pump_status": 0, "pump_flow": 0.0}
WELL = NORMAL["plant/chw-pump-1"]
HOT = {"joint_temp_incoming_l2": 96.0}


def say_done(page: Page) -> None:
    """Down to the sheet, a chip for the cause, and the button."""
    page.get_by_role("link", name="完成，转待验证").click()
    page.locator("#done .chip").first.click()
    page.locator("#done button").click()


def test_work_on_a_phone_until_the_telemetry_closes_the_ticket(site: Campus, come: Come) -> None:
    site.advance(2, plant__chw_pump_1=DEAD)
    page = come("王磊", phone=True).goto("/")
    page.get_by_text("水泵命令与运行反馈不一致").first.click()
    page.get_by_role("button", name="确认接单").click()
    expect(page.locator(".stepper .now")).to_contain_text("已确认")
    page.get_by_role("button", name="开始处理").click()
    expect(page.locator(".stepper .now")).to_contain_text("处理中")
    page.fill("#note textarea", "热继电器跳开，已复位")
    page.locator("#note button").click()
    expect(page.locator(".timeline")).to_contain_text("热继电器跳开，已复位")
    site.advance(3, plant__chw_pump_1=WELL)
    say_done(page)
    expect(page.locator(".stepper .now")).to_contain_text("待验证")
    expect(page.locator(".verify")).to_contain_text("30 分钟")
    site.advance(12)
    expect(page.locator(".verify .big")).to_have_text(re.compile(r"^1\d"), timeout=60_000)
    site.advance(22)
    page.reload()
    expect(page.locator(".stepper .now")).to_contain_text("已关闭")
    expect(page.locator(".head")).to_contain_text("验证通过")


def test_what_is_said_to_be_done_and_is_not_comes_back_with_its_chart(site: Campus, come: Come) -> None:
    site.advance(8, lv__feeder_1=HOT)
    ticket = site.ticket("EL-16")
    page = come("李敏", phone=True).goto(f"/tickets/{ticket}")
    page.get_by_role("button", name="确认接单").click()
    page.get_by_role("button", name="开始处理").click()
    expect(page.locator(".stepper .now")).to_contain_text("处理中")
    say_done(page)
    expect(page.locator(".stepper .now")).to_contain_text("待验证")
    site.advance(8)
    page.reload()
    expect(page.locator(".stepper .now")).to_contain_text("处理中")
    expect(page.locator(".timeline")).to_contain_text("验证未通过")
    expect(page.locator(".chart svg.plot").first).to_be_visible()
    site.advance(3, lv__feeder_1={"joint_temp_incoming_l2": 53.0})


def test_two_phones_on_one_ticket_are_told_apart(site: Campus, come: Come) -> None:
    site.advance(2, bath__mixing_valve_1={"mixed_water_temp": 44.5})
    ticket = site.ticket("BH-05")
    first = come("王磊", phone=True).goto(f"/tickets/{ticket}")
    second = come("李敏", phone=True)
    later = second.goto(f"/tickets/{ticket}")
    expect(later.get_by_role("button", name="确认接单")).to_be_visible()
    later.evaluate("document.querySelectorAll('[data-live]').forEach((part) => part.removeAttribute('data-live'))")
    first.get_by_role("button", name="开始处理").click()
    expect(first.locator(".stepper .now")).to_contain_text("处理中")
    later.get_by_role("button", name="确认接单").click()
    expect(later.get_by_role("alert")).to_contain_text("没有保存：工单已被他人更新")
    expect(later.get_by_role("alert")).to_contain_text("王磊")
    expect(later.locator(".stepper .now")).to_contain_text("处理中")
