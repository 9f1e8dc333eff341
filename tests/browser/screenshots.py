"""`python -m tests.browser.screenshots`: every page as people see it, written to docs/img (make screenshots)."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.campus import Campus, campus
from tests.browser.conftest import DESKTOP, FLAGS, PHONE, Visitor
from tests.browser.test_devices import LISTEN, family, listens, speak
from tests.browser.test_every_page import SEEN, address, make_trouble
from tests.support.programs import Mosquitto

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "img"
DARK = ("/", "/alarms", "/trends")
FAMILY = "shellypro3em-*/events/rpc"
"""The devices whose page of Discovered is taken."""
_QUALITY = 60


def main() -> int:
    """Write the pictures; exit 0 when every page could be taken."""
    program = shutil.which("chromium")
    if program is None:
        sys.stderr.write("Chromium is not installed; `make parts` installs it\n")
        return 2
    shutil.rmtree(IMAGES, ignore_errors=True)
    IMAGES.mkdir(parents=True)
    with (
        tempfile.TemporaryDirectory(prefix="dutyroom-shots-") as folder,
        Mosquitto(Path(folder) / "broker") as broker,
        campus(Path(folder) / "site", broker, "steel") as site,
        sync_playwright() as playwright,
    ):
        site.advance(90)
        make_trouble(site)
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        unbound = speak_unbound(browser, site)
        for path in (*SEEN, unbound):
            for language in ("zh-CN", "en"):
                for phone in (True, False):
                    take(browser, site, path, language=language, phone=phone)
            if path in DARK:
                take(browser, site, path, language="zh-CN", phone=True, dark=True)
                take(browser, site, path, language="zh-CN", phone=False, dark=True)
        browser.close()
    return 0


def speak_unbound(browser: Browser, site: Campus) -> str:
    """Let devices speak that nobody has bound; the path of the page of some of them."""
    visitor = Visitor(browser.new_context(locale="en"), site.url).sign_in("陈国强")
    page = visitor.goto("/discovered")
    page.fill("textarea[name=filters]", "\n".join(LISTEN))
    page.get_by_role("button", name="Listen").click()
    listens(page)
    for number in range(3):
        speak(site, born=number == 0)
    family(page, site.url, FAMILY)
    path = page.url.removeprefix(site.url)
    visitor.context.close()
    return path


def take(browser: Browser, site: Campus, path: str, *, language: str, phone: bool, dark: bool = False) -> None:
    """One picture: `board-phone-zh.jpg`, `-dark` at the end where it is."""
    context = browser.new_context(
        viewport=PHONE if phone else DESKTOP,  # type: ignore[arg-type]
        locale=language,
        has_touch=phone,
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    visitor = Visitor(context, site.url)
    if path != "/login":
        visitor.sign_in("陈国强" if not path.startswith(("/users", "/audit")) else "admin2")
    visitor.goto(address(path, site))
    visitor.page.wait_for_timeout(800)
    known = "discovered-family" if path.startswith("/discovered/") else path
    name = known.strip("/").replace("/", "-").replace("{", "").replace("}", "") or "board"
    file = f"{name}-{'phone' if phone else 'desktop'}-{language[:2]}{'-dark' if dark else ''}.jpg"
    visitor.page.screenshot(path=IMAGES / file, type="jpeg", quality=_QUALITY)
    sys.stderr.write(f"{file}\n")
    context.close()


if __name__ == "__main__":
    sys.exit(main())
