"""Fixtures of the browser tests: one Chromium for all, one campus for a module, and signed-in phones and desktops."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.campus import PASSWORD, Campus, campus
from tests.conftest import or_skip
from tests.support.programs import Mosquitto, ProgramMissing

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1440, "height": 900}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, headless."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        or_skip(ProgramMissing("Chromium is not installed; `make parts` installs it"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, mosquitto: Mosquitto
) -> Iterator[Campus]:
    """A campus at work, its first minutes normal."""
    name = request.module.__name__.rpartition(".")[2].replace("_", "-")
    folder: Path = tmp_path_factory.mktemp(name)
    with campus(folder, mosquitto, name) as made:
        made.advance(20)
        yield made


class Visitor:
    """Somebody with a browser; `troubles` are errors their browser has seen."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.url = url
        self.page: Page = context.new_page()
        self.troubles: list[str] = []
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("console", lambda message: self.troubles.append(message.text) if message.type == "error" else None)

    def sign_in(self, name: str) -> Visitor:
        """Through the sign-in page."""
        self.page.goto(f"{self.url}/login")
        self.page.fill("input[name=name]", name)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("form[action='/login'] button")
        self.page.wait_for_url(lambda url: "/login" not in url)
        return self

    def goto(self, path: str) -> Page:
        """Open a page of the site."""
        self.page.goto(f"{self.url}{path}")
        return self.page


Come = Callable[..., Visitor]


@pytest.fixture
def come(chromium: Browser, site: Campus) -> Iterator[Come]:
    """Makes visitors: `come("王磊", phone=True, language="en")`, with None for somebody who has no account."""
    with ExitStack() as stack:

        def arrive(name: str | None = None, *, phone: bool = False, language: str = "zh-CN") -> Visitor:
            context = chromium.new_context(
                viewport=PHONE if phone else DESKTOP,  # type: ignore[arg-type]
                locale=language,
                has_touch=phone,
                reduced_motion="reduce",
            )
            context.set_default_timeout(15_000)
            stack.callback(context.close)
            visitor = Visitor(context, site.url)
            return visitor if name is None else visitor.sign_in(name)

        yield arrive
