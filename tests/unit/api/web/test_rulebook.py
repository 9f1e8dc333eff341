"""The rules in pages over the real app: the packaged rules on a chiller and a pump."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import httpx2
import pytest

from api.web.words import FAMILIES, PHASES, REASONS, RULE_VERDICTS
from maintenance.people import Role
from plant.catalogue import Catalogue, Text
from plant.cataloguefile import load_catalogue
from plant.quality import Reason
from plant.reading import Reading
from plant.severity import Severity
from plant.site import Equipment, Mode, Plant, Site
from rules.loader import load_pack, packaged_ids
from rules.machines import Phase
from rules.standing import Standing, Verdict
from tests.unit.api.house import HOUR, MINUTE, T0, House, event

HTML = {"accept": "text/html"}
EN = {**HTML, "accept-language": "en"}
NOW = T0 + HOUR


@cache
def catalogue() -> Catalogue:
    """The packaged one."""
    return load_catalogue()


@pytest.fixture
def campus(house: House) -> House:
    """A chiller with a limit of its own, and a pump, under the packaged rules."""
    chiller = Equipment(
        "ch-1",
        "plant/chiller-1",
        "chiller",
        Text("1号冷机", "Chiller 1"),
        parameters={"rated_capacity": 1163.0},
        relations={"fed_by": ("chwp-1",)},
        rule_params={"CH-10": {"high_limit": 40.0}},
        rule_modes={"CH-10": Mode.LIVE},
    )
    pump = Equipment("chwp-1", "plant/pump-1", "pump", Text("1号冷冻泵", "Pump 1"))
    site = Site("demo", "Asia/Shanghai", Text("", ""), {"ch-1": chiller, "chwp-1": pump})
    house.now_plant = Plant(catalogue(), site)
    house.pack = load_pack(catalogue=catalogue())
    house.stands = (
        Standing("CH-10", "ch-1", Verdict.FAULT, NOW, Phase.PENDING),
        Standing("PU-01", "chwp-1", Verdict.OK, NOW, Phase.NORMAL),
    )
    return house


def text_of(html: str) -> str:
    """What is left of a page without its tags, with single spaces."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


async def page_of(client: httpx2.AsyncClient, path: str, headers: dict[str, str] = HTML) -> str:
    """The words of a page that is there."""
    found = await client.get(path, headers=headers)
    assert found.status_code == 200, found.text
    return text_of(found.text)


def warm(house: House, minutes: int, temperature: float = 44.0) -> None:
    """The chiller has run for 40 minutes, the last `minutes` of them with a condensing temperature of 44."""
    readings = []
    for minute in range(40, -1, -1):
        at = NOW - minute * MINUTE
        readings.append(Reading("ch-1", "chiller_run_status", at, 1.0))
        readings.append(Reading("ch-1", "cond_sat_temp", at, temperature if minute < minutes else 36.0 + minute / 50))
    house.wrote(*readings)


def test_every_word_is_there() -> None:
    assert set(REASONS) == set(Reason)
    assert set(PHASES) == set(Phase)
    assert set(RULE_VERDICTS) == set(Verdict)
    assert {id.partition("-")[0] for id in packaged_ids()} <= set(FAMILIES)


async def test_the_list_tells_where_a_rule_stands_and_how(campus: House, viewer: httpx2.AsyncClient) -> None:
    campus.engine(event(equipment="ch-1", rule="CH-10"))
    page = await page_of(viewer, "/rules")
    assert "冷凝温度过高 CH-10 重要 启用 1 台设备，1 故障 重要 1 个告警" in page
    assert "水泵命令与运行反馈不一致 PU-01 重要 提示 观察 1 台设备，1 正常" in page
    assert "缺相 EL-09 紧急 没有用在任何设备上" in page


async def test_the_list_finds_by_family_and_by_name(campus: House, viewer: httpx2.AsyncClient) -> None:
    pumps = await page_of(viewer, "/rules?family=PU", EN)
    assert "PU-02" in pumps
    assert "CH-10" not in pumps
    scald = await page_of(viewer, "/rules?q=scald", EN)
    assert "BH-05" in scald
    assert "BH-06" not in scald
    assert "没有符合条件的规则" in await page_of(viewer, "/rules?q=xyz")


async def test_a_rule_says_how_it_judges_in_both_languages(campus: House, viewer: httpx2.AsyncClient) -> None:
    page = await page_of(viewer, "/rules/CH-10")
    assert "冷凝饱和温度 高于 冷凝温度上限（42 ℃），持续 5 分钟 报出" in page
    assert "只在满足以下条件时判定：冷机运行状态 为“是” 已持续 15 分钟" in page
    assert "冷凝温度上限 可设 35 至 60 · 1号冷机 40 ℃ 42 ℃" in page
    assert "冷凝器结垢" in page
    english = await page_of(viewer, "/rules/CH-10", EN)
    assert (
        "Condensing saturation temperature is above limit of the condensing temperature (42 ℃), for 5 min: raised"
        in english
    )
    assert "Do the tower fans and the condenser-water pump run" in english


async def test_a_rule_shows_its_places_and_its_alarms(campus: House, viewer: httpx2.AsyncClient) -> None:
    campus.engine(event(equipment="ch-1", rule="CH-10", severity=Severity.P2))
    html = (await viewer.get("/rules/CH-10", headers=HTML)).text
    assert 'href="/rules/CH-10?equipment=ch-1#why"' in html
    assert re.search(r'href="/tickets/WO-\d{8}-001"', html)
    page = text_of(html)
    assert "1号冷机 启用 · 11:00 故障 计时中" in page
    live = await page_of(viewer, "/live/rules/CH-10")
    assert "1号冷机 启用 · 11:00 故障 计时中" in live
    assert "可能原因" not in live


async def test_of_many_machines_those_at_fault_come_first_and_the_rest_is_counted(
    campus: House, viewer: httpx2.AsyncClient
) -> None:
    pump = campus.now_plant.site.equipment["chwp-1"]
    pumps = {
        f"p-{n:03}": replace(pump, id=f"p-{n:03}", path=f"plant/p-{n:03}", text=Text(f"泵{n}", "")) for n in range(130)
    }
    campus.now_plant = replace(campus.now_plant, site=replace(campus.now_plant.site, equipment=pumps))
    campus.stands = tuple(
        Standing("PU-01", id, Verdict.FAULT if id == "p-129" else Verdict.OK, NOW, Phase.NORMAL) for id in pumps
    )
    page = await page_of(viewer, "/rules/PU-01")
    assert page.index("泵129 ") < page.index("泵0 ")
    assert "另有 30 台" in page


async def test_an_explanation_has_every_value_and_how_far_the_timer_is(
    campus: House, viewer: httpx2.AsyncClient
) -> None:
    warm(campus, minutes=4)  # at 44 degrees since three minutes before now
    page = await page_of(viewer, "/rules/CH-10?equipment=ch-1")
    assert "1号冷机 现在的判定" in page
    assert "实时判定 故障 · 计时中" in page
    assert "冷凝饱和温度 高于 冷凝温度上限（40 ℃） 成立" in page  # the machine's own limit
    assert "冷凝饱和温度 44.0 ℃" in page
    assert re.search(r"计时中 [23] 分钟 / 需 5 分钟", page)
    assert "冷机运行状态 为“是” 已持续 15 分钟 成立" in page


async def test_an_explanation_of_a_machine_nobody_hears_is_unknown(campus: House, viewer: httpx2.AsyncClient) -> None:
    page = await page_of(viewer, "/rules/CH-10?equipment=ch-1", EN)
    assert "Condensing saturation temperature unknown" in page


async def test_a_rule_that_lacks_a_parameter_says_it_is_not_installed(
    campus: House, viewer: httpx2.AsyncClient
) -> None:
    bare = replace(campus.now_plant.site.equipment["ch-1"], parameters={})
    site = replace(campus.now_plant.site, equipment=dict(campus.now_plant.site.equipment) | {"ch-1": bare})
    campus.now_plant = replace(campus.now_plant, site=site)
    assert "没有安装在这台设备上" in await page_of(viewer, "/rules/CH-02?equipment=ch-1")


@pytest.mark.parametrize("path", ["/rules/XX-1", "/rules/CH-10?equipment=none", "/rules/CH-10?equipment=chwp-1"])
async def test_what_is_not_there_is_a_page_that_says_so(path: str, campus: House, viewer: httpx2.AsyncClient) -> None:
    assert (await viewer.get(path, headers=HTML)).status_code == 404


async def test_every_rule_of_the_pack_has_its_page_and_no_identifier_in_its_words(
    campus: House, viewer: httpx2.AsyncClient
) -> None:
    identifier = re.compile(r"\b[a-z]+_[a-z_]+\b")
    for rule in campus.pack:
        for headers in (HTML, EN):
            html = (await viewer.get(f"/rules/{rule.id}", headers=headers)).text
            said = text_of(re.sub(r"<code>.*?</code>|<script.*?</script>", "", html, flags=re.DOTALL))
            assert identifier.findall(said) == [], rule.id


async def test_nobody_without_an_account_sees_the_rules(campus: House) -> None:
    async with campus.client(None) as client:
        assert (await client.get("/rules", headers={"accept": "application/json"})).status_code in (401, 303)


async def test_a_viewer_is_enough(campus: House) -> None:
    async with campus.client(Role.VIEWER) as client:
        assert (await client.get("/rules", headers=HTML)).status_code == 200
