"""`dutyroom demo` as a newcomer sees it: a past in the making, a fault, a ticket, work, and a proof."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESKTOP
from tests.support.programs import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.integration]

_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/demo/enter\?key=\S+")


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[str]:
    """The demo with an hour of past; gives the address it prints, and is ended by Ctrl-C."""
    log = tmp_path / "demo.log"
    command = [sys.executable, "-m", "dutyroom", "demo", "--no-browser", "--past", "1h"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=out, stderr=out)
    try:
        wait_until(lambda: _ADDRESS.search(log.read_text("utf-8")) is not None, seconds=90, what="the address")
        found = _ADDRESS.search(log.read_text("utf-8"))
        assert found is not None
        yield found.group(0)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0, log.read_text("utf-8")[-2_000:]
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A desktop that nobody has signed in on."""
    context = chromium.new_context(viewport=DESKTOP, locale="zh-CN", reduced_motion="reduce")  # type: ignore[arg-type]
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


@pytest.mark.timeout(600)
def test_a_newcomer_sees_a_fault_become_a_ticket_and_the_telemetry_close_it(demo: str, page: Page) -> None:
    page.goto(demo)
    expect(page).to_have_url(re.compile(r"/demo$"))
    expect(page.get_by_text("看什么")).to_be_visible()
    # the past is made in front of the viewer; then things may be broken
    expect(page.get_by_role("button", name="弄坏").first).to_be_enabled(timeout=180_000)
    page.goto(demo.split("/demo/")[0] + "/")
    row = page.locator("a.cover", has_text="1 号冷冻水泵").first
    expect(row).to_be_visible(timeout=120_000)
    _open(page)
    step = page.locator(".stepper .now")
    _press(page, "确认接单")
    _press(page, "开始处理")
    expect(step).to_contain_text(re.compile("处理中|待验证|已关闭"), timeout=60_000)
    # whoever watches may do it; whoever does not is helped by the script, and the telemetry has the last word
    expect(step).to_contain_text("已关闭", timeout=240_000)
    expect(page.locator(".head")).to_contain_text("验证通过")


def _open(page: Page) -> None:
    """To the pump's ticket by its row; rows may be swapped under us, so by address and not by a click."""
    address = page.locator("a.cover[href^='/tickets/']", has_text="1 号冷冻水泵").first.get_attribute("href")
    assert address is not None
    page.goto(page.url.rstrip("/") + address)


def _press(page: Page, name: str) -> None:
    """Press a button if the script has not been quicker."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        button = page.get_by_role("button", name=name)
        if button.count():
            button.first.click()
            return
        if page.locator(".stepper .now", has_text=re.compile("待验证|已关闭")).count():
            return
        page.wait_for_timeout(200)
