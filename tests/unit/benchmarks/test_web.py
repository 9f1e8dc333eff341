"""The benchmark of pages: none is left out, and what is told to be no page is none."""

from __future__ import annotations

import re

from fastapi import FastAPI

from api.routes import PREFIX, ROUTES, router
from api.web.pages import PAGES
from benchmarks.web import CODED, FILLED, NOT_TIMED, to_time


def shown() -> set[str]:
    """The paths of all pages and lists."""
    return {one.path for one in PAGES if one.method == "GET"} | {one.path for one in ROUTES if one.method == "GET"}


def test_every_page_and_list_is_timed_or_named_as_none() -> None:
    timed = to_time("ABCD-EFGH")
    assert not [path for path in timed if "{" in path]
    assert len(timed) == len(shown() - set(NOT_TIMED))


def test_every_list_that_must_be_told_what_to_show_is_told() -> None:
    app = FastAPI()
    app.include_router(router())
    asking = {
        path
        for path, methods in app.openapi()["paths"].items()
        for parameter in methods.get("get", {}).get("parameters", ())
        if parameter["in"] == "query" and parameter.get("required")
    }
    assert f"{PREFIX}/repairs.csv" in asking
    assert asking <= set(FILLED)


def test_every_address_that_is_filled_in_leads_to_its_page() -> None:
    assert {*FILLED, *CODED, *NOT_TIMED} <= shown()
    for path, address in FILLED.items():
        pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path))
        assert re.fullmatch(pattern, address.partition("?")[0]), address
