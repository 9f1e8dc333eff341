"""People at the machine: the code on the label, a report with a photo and no account, words kept without a network."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import Browser, Route, expect

from maintenance.ticket import State
from tests.browser.campus import Campus
from tests.browser.conftest import PHONE, Come, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.integration]

DEAD = {"pump_status": 0, "pump_flow": 0.0}


def photo() -> bytes:
    """Larger than what a phone should send."""
    written = BytesIO()
    Image.effect_noise((2_400, 1_800), 60).convert("RGB").save(written, "JPEG", quality=95)
    return written.getvalue()


def test_anybody_scans_the_label_reports_with_a_photo_and_the_crew_sees_it(site: Campus, come: Come) -> None:
    anybody = come(phone=True)
    page = anybody.goto(f"/q/{site.code('mix-1')}")
    expect(page.get_by_role("heading", name="一浴室混水阀")).to_be_visible()
    page.get_by_role("link", name="报修").click()
    page.get_by_text("太热或烫人").click()
    page.set_input_files("input[type=file]", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo()})
    page.fill("textarea", "二号喷头")
    page.fill("input[name=phone]", "138-0000-0000")
    # the phone has made it small before it goes out
    expect(page.locator("input[type=file]")).to_have_attribute("data-shrink", "done")
    sizes = page.locator("input[type=file]").evaluate("(field) => [...field.files].map((file) => file.size)")
    assert 0 < sizes[0] < len(photo()) / 2
    page.get_by_role("button", name="提交报修").click()
    expect(page.get_by_role("heading", name=re.compile("已收到，工单 WO-"))).to_be_visible()
    number = re.search(r"WO-\d+-\d+", page.content())
    assert number is not None
    assert "138-0000" not in page.content()

    crew = come("王磊", phone=True).goto(f"/tickets/{number.group()}")
    expect(crew.get_by_text("138-0000-0000")).to_be_visible()
    expect(crew.locator(".photos img")).to_be_visible()
    width = crew.locator(".photos img").evaluate("async (image) => { await image.decode(); return image.naturalWidth }")
    assert width == 1600
    assert anybody.troubles == []


def test_words_and_photos_outlive_a_dead_network_and_are_sent_once(site: Campus, come: Come) -> None:
    site.advance(2, plant__chw_pump_1=DEAD)
    ticket = site.ticket("PU-01")
    visitor = come("李敏", phone=True)
    page = visitor.goto(f"/tickets/{ticket}")
    visitor.context.set_offline(True)
    for name in ("a.jpg", "b.jpg"):
        page.set_input_files("#note input[type=file]", {"name": name, "mimeType": "image/jpeg", "buffer": photo()})
        expect(page.locator("#note .kept img")).to_have_count(1 if name == "a.jpg" else 2)
    expect(page.locator("#note .kept")).to_contain_text("保存备注时上传")
    page.locator("#note .kept button").last.click()
    expect(page.locator("#note .kept img")).to_have_count(1)
    page.fill("#note textarea", "轴承温度 71，等备件")
    page.locator("#note button.btn:not(.quiet)").click()
    expect(page.get_by_role("status")).to_contain_text("2 条待上传")
    expect(page.locator("#note .kept li")).to_have_count(2)
    expect(page.locator("#note textarea")).to_have_value("")
    page.get_by_role("button", name="立即重试").click()
    expect(page.get_by_role("status")).to_contain_text("2 条待上传")

    # two answers are lost on the way back: what was taken is not taken again
    lost: list[str] = []

    def lose(route: Route) -> None:
        lost.append(route.request.url)
        route.fetch()
        route.abort()

    visitor.context.route("**/api/v1/tickets/**", lose, times=2)
    visitor.context.set_offline(False)
    expect(page.get_by_role("status")).to_be_hidden(timeout=60_000)
    expect(page.locator("#note .kept")).to_be_hidden()
    expect(page.locator(".timeline")).to_contain_text("轴承温度 71，等备件")
    expect(page.locator(".photos img")).to_have_count(1)
    assert len(lost) == 2
    page.reload()
    assert page.locator(".timeline").inner_text().count("轴承温度 71，等备件") == 1
    assert page.locator(".photos img").count() == 1


def test_what_waits_outlives_the_page_and_goes_out_from_any_other_of_the_same_person(site: Campus, come: Come) -> None:
    site.advance(2, plant__chw_pump_1=DEAD)
    ticket = site.ticket("PU-01")
    visitor = come("王磊", phone=True)
    page = visitor.goto(f"/tickets/{ticket}")
    visitor.context.set_offline(True)
    page.set_input_files("#note input[type=file]", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo()})
    expect(page.locator("#note .kept img")).to_have_count(1)
    page.fill("#note textarea", "联轴器已对中")
    page.locator("#note button.btn:not(.quiet)").click()
    expect(page.get_by_role("status")).to_contain_text("2 条待上传")
    page.close()
    visitor.context.set_offline(False)

    later = visitor.context.new_page()
    later.goto(f"{site.url}/alarms")
    expect(later.get_by_role("status")).to_be_hidden(timeout=30_000)
    later.goto(f"{site.url}/tickets/{ticket}")
    expect(later.locator(".timeline")).to_contain_text("联轴器已对中")
    assert later.locator(".timeline").inner_text().count("联轴器已对中") == 1


def test_words_that_met_a_conflict_come_back_once_and_go_when_they_are_sent(site: Campus, come: Come) -> None:
    site.advance(2, plant__chw_pump_1=DEAD)
    ticket = site.ticket("PU-01")
    visitor = come("李敏", phone=True)
    page = visitor.goto(f"/tickets/{ticket}")
    page.get_by_role("button", name="开始处理").click()
    expect(page.locator(".stepper .now")).to_contain_text("处理中")
    page.fill("#done textarea", "叶轮已换")
    site.act(ticket, State.ON_HOLD)
    page.locator("#done button").click()
    expect(page.get_by_role("alert")).to_contain_text("没有保存")
    page.get_by_role("button", name="继续处理").click()
    expect(page.locator("#done textarea")).to_have_value("叶轮已换")
    page.locator("#done button").click()
    expect(page.locator(".timeline")).to_contain_text("叶轮已换")
    page.locator("#again summary").click()
    page.fill("#again textarea", "又停了")
    page.locator("#again button").click()
    expect(page.locator("#done textarea")).to_have_value("")


def test_without_a_script_a_ticket_is_worked_all_the_same(site: Campus, chromium: Browser) -> None:
    site.advance(8, lv__feeder_1={"joint_temp_incoming_l2": 96.0})
    ticket = site.ticket("EL-16")
    context = chromium.new_context(
        viewport=PHONE,  # type: ignore[arg-type]
        locale="zh-CN",
        java_script_enabled=False,
    )
    page = Visitor(context, site.url).sign_in("王磊").goto(f"/tickets/{ticket}")
    page.get_by_role("button", name="确认接单").click()
    expect(page.locator(".stepper .now")).to_contain_text("已确认")
    page.locator("#hold summary").click()
    page.locator("#hold .chip", has_text="等备件").click()
    page.locator("#hold button").click()
    expect(page.locator(".stepper .now")).to_contain_text("挂起")
    expect(page.locator(".head")).to_contain_text("等备件")
    context.close()
