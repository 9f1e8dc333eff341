"""Every page, on a phone and a desktop, in both languages: drawn whole, in words, for everybody."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from api.web.pages import PAGES
from tests.browser import looks
from tests.browser.campus import PEOPLE, Campus
from tests.browser.conftest import Come, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.integration]

NOT_PAGES = ("/static/", "/live/", "/photos/", "/demo")
NAMES = (*PEOPLE, "中文", "管理员")
FILLED: dict[str, Callable[[Campus], str]] = {
    "/users/{name}": lambda site: "/users/admin2",
    "/equipment/{id}": lambda site: "/equipment/ch-1",
    "/tickets/{id}": lambda site: f"/tickets/{site.ticket('PU-01')}",
    "/q/{code}": lambda site: f"/q/{site.code('chwp-1')}",
    "/q/{code}/report": lambda site: f"/q/{site.code('chwp-1')}/report",
    "/r/{token}": lambda site: f"/r/{site.report('chwp-1')}",
    "/commissioning/{id}": lambda site: "/commissioning/ch-1",
    "/rules/{id}": lambda site: "/rules/EL-16?equipment=fd-1",
    "/trends": lambda site: "/trends?point=ch-1/chw_supply_temp&point=ch-1/active_power",
}


def address(path: str, site: Campus) -> str:
    """The page's path with something that is there in its places."""
    return FILLED[path](site) if path in FILLED else path


SEEN = [
    page.path
    for page in PAGES
    if page.method == "GET" and not page.path.startswith(NOT_PAGES) and ("{" not in page.path or page.path in FILLED)
]


def make_trouble(site: Campus) -> None:
    """A pump that does not run and a hot joint, so that pages have something to say."""
    dead, hot = {"pump_status": 0, "pump_flow": 0.0}, {"joint_temp_incoming_l2": 96.0}
    site.advance(12, plant__chw_pump_1=dead, lv__feeder_1=hot)
    site.ticket("PU-01")
    site.ticket("EL-16")


@pytest.fixture(scope="module")
def trouble(site: Campus) -> Campus:
    """The campus in trouble."""
    make_trouble(site)
    return site


@pytest.mark.parametrize("path", SEEN)
def test_a_page_on_a_phone_is_whole(path: str, trouble: Campus, come: Come) -> None:
    visitor = _arrive(path, trouble, come, phone=True)
    page = visitor.page
    assert looks.sideways(page) == []
    assert looks.tofu(page) == []
    assert looks.bare_marks(page) == []
    assert looks.too_small(page) == []
    page.set_viewport_size({"width": 360, "height": 740})
    assert looks.sideways(page) == []
    assert looks.barriers(page) == []
    assert visitor.troubles == []


@pytest.mark.parametrize("path", SEEN)
def test_a_page_on_a_desktop_is_whole_and_english_is_english(path: str, trouble: Campus, come: Come) -> None:
    visitor = _arrive(path, trouble, come, language="en")
    page = visitor.page
    assert looks.sideways(page) == []
    assert looks.chinese(page, NAMES) == []
    assert looks.barriers(page) == []
    assert visitor.troubles == []


def _arrive(path: str, site: Campus, come: Come, *, phone: bool = False, language: str = "zh-CN") -> Visitor:
    visitor = come(None if path == "/login" else "admin2", phone=phone, language=language)
    visitor.goto(address(path, site))
    visitor.page.wait_for_load_state("networkidle" if path not in ("/",) else "load")
    return visitor
