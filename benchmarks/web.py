"""Pages over a big ledger: the server's time for each, and what a phone loads first."""

from __future__ import annotations

import asyncio
import gzip
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from statistics import quantiles

import httpx2

from api.routes import PREFIX, ROUTES
from api.web.pages import PAGES
from benchmarks.bigsite import FAMILY, HASH, MACHINES, NEWEST, OPEN, TICKETS, TOKEN, Big, big_site
from benchmarks.rows import Row, row
from dutyroom.memory import collect_rarely

ASKED = 30
"""Times each page is asked for in one run, after one that warms it up."""

_ASSETS = re.compile(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"')

FILLED: Mapping[str, str] = {
    "/equipment/{id}": "/equipment/m-1",
    "/live/equipment/{id}": "/live/equipment/m-1",
    "/tickets/{id}": f"/tickets/{NEWEST}",
    "/live/tickets/{id}/{part}": f"/live/tickets/{NEWEST}/case",
    "/alarms/{id}": "/alarms/99990",
    "/rules/{id}": "/rules/CH-04",
    "/live/rules/{id}": "/live/rules/CH-04",
    "/trends": "/trends?point=m-1/chw_supply_temp",
    "/users/{name}": "/users/bench",
    "/r/{token}": f"/r/{TOKEN}",
    "/commissioning/{id}": "/commissioning/m-1",
    "/discovered/{id}": f"/discovered/{FAMILY}",
    "/acceptances/{id}": "/acceptances/1",
    "/live/acceptances/{id}": "/live/acceptances/1",
    f"{PREFIX}/commissioning/{{id}}": f"{PREFIX}/commissioning/m-1",
    f"{PREFIX}/discovered/{{id}}": f"{PREFIX}/discovered/{FAMILY}",
    f"{PREFIX}/acceptances/{{id}}": f"{PREFIX}/acceptances/1",
    f"{PREFIX}/tickets/{{id}}": f"{PREFIX}/tickets/{NEWEST}",
    f"{PREFIX}/proofs/{{hash}}": f"{PREFIX}/proofs/{HASH}",
    f"{PREFIX}/reports/{{token}}": f"{PREFIX}/reports/{TOKEN}",
    f"{PREFIX}/latest": f"{PREFIX}/latest?equipment=m-1",
    f"{PREFIX}/repairs.csv": f"{PREFIX}/repairs.csv?equipment=m-1",
    f"{PREFIX}/trends": f"{PREFIX}/trends?point=m-1/chw_supply_temp",
    f"{PREFIX}/trends.csv": f"{PREFIX}/trends.csv?point=m-1/chw_supply_temp",
}
"""An address for each page and list with a place in its path, or that needs to be told what to show."""

CODED = ("/q/{code}", "/q/{code}/report", f"{PREFIX}/codes/{{code}}")
"""Those with the code of a machine in their path, which is another for each site."""

NOT_TIMED = (
    "/static/{version}/{name:path}",
    "/photos/{id}",
    f"{PREFIX}/photos/{{id}}",
    f"{PREFIX}/stream",
    "/demo/enter",
    "/demo",
    "/live/demo",
)
"""Files and a stream, which are no pages, and those that only a demo has."""


def to_time(code: str) -> list[str]:
    """Every page and list that a signed-in person opens; `code` is that of some machine's label."""
    pages = [page.path for page in PAGES if page.method == "GET"]
    lists = [route.path for route in ROUTES if route.method == "GET"]
    paths = [path for path in (*pages, *lists) if path not in NOT_TIMED]
    return [path.replace("{code}", code) if path in CODED else FILLED.get(path, path) for path in paths]


def page_times(folder: Path, runs: int, say: Callable[[str], None]) -> list[Row]:
    """The 95th percentile of the server's time for each page and list; the slowest's has a target."""
    collect_rarely()  # as `dutyroom run` does
    with big_site(folder) as site:
        return asyncio.run(_page_times(site, runs, say))


async def _page_times(site: Big, runs: int, say: Callable[[str], None]) -> list[Row]:
    rows, note = [], f"{MACHINES} machines, {TICKETS} tickets, {OPEN} open; {ASKED} times a run"
    headers = {"Authorization": f"Bearer {site.token}", "Accept": "text/html", "Accept-Encoding": "gzip"}
    transport = httpx2.ASGITransport(site.app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://bench", headers=headers) as client:
        slowest = [0.0] * runs
        for path in to_time(site.code):
            found = [await _p95(client, path) for _ in range(runs)]
            if any(value is None for value in found):
                raise RuntimeError(f"{path} does not answer; a page that is not measured may be the slowest")
            times = [value for value in found if value is not None]
            slowest = [max(pair) for pair in zip(slowest, times, strict=True)]
            say(f"{path}: p95 {min(times):.1f} to {max(times):.1f} ms")
            rows.append(row(f"page {path.partition('?')[0]} p95", "ms", times, note=note))
        worst = row("page_slowest_p95", "ms", slowest, note=note)
        rows.append(replace(worst, target=100.0, ok=worst.value is not None and worst.value <= 100.0))
        rows.append(await _weight(client))
    return rows


async def _p95(client: httpx2.AsyncClient, path: str) -> float | None:
    if (await client.get(path)).status_code != 200:
        return None
    times = []
    for _ in range(ASKED):
        begun = time.perf_counter()
        await client.get(path)
        times.append((time.perf_counter() - begun) * 1000)
    return quantiles(times, n=20)[-1]


async def _weight(client: httpx2.AsyncClient) -> Row:
    """What a phone loads for the board the first time: the page, its style and its scripts, gzipped."""
    page = await client.get("/")
    total = len(gzip.compress(page.content, 6))
    for address in dict.fromkeys(_ASSETS.findall(page.text)):
        total += len(gzip.compress((await client.get(address)).content, 9))
    kilobytes = total / 1000
    found = row("first_load", "kB", [kilobytes], note="the board with 200 open tickets, its style and scripts, gzipped")
    return replace(found, target=100.0, ok=kilobytes <= 100.0)
