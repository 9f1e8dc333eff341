"""Ticket pages over the real app: the list, one ticket in each state, its forms, and what a second phone meets."""

from __future__ import annotations

import re
from dataclasses import replace
from uuid import uuid4

import httpx2
import pytest

from maintenance.ledger import Report, alarmdesk, queries, reports
from maintenance.ledger.rows import Phrase
from maintenance.moves import Move
from maintenance.people import Actor, Role
from maintenance.ticket import State
from plant.severity import Severity
from rules.events import EventKind
from tests.unit.api.house import HOUR, MINUTE, T0, House, event, reading

HTML = {"accept": "text/html"}
FIRST = "WO-20261123-001"
NOW = T0 + HOUR
CREW = Actor("a crew", Role.CREW)


def text_of(html: str) -> str:
    """What is left of a page without its tags, with single spaces."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


async def page(client: httpx2.AsyncClient, path: str = f"/tickets/{FIRST}") -> str:
    answer = await client.get(path, headers=HTML)
    assert answer.status_code == 200
    return answer.text


async def send(client: httpx2.AsyncClient, what: str, **fields: object) -> httpx2.Response:
    values = {"key": str(uuid4())} | {name: str(value) for name, value in fields.items()}
    return await client.post(f"/tickets/{FIRST}/{what}", data=values, headers=HTML)


def now_at(house: House) -> tuple[State, int]:
    found = house.ledger.read(queries.ticket, FIRST)
    return found.state, found.version


# The list


async def test_the_list_shows_what_is_open_and_finds_by_name_area_and_severity(
    house: House, viewer: httpx2.AsyncClient
) -> None:
    house.engine(event(), event(equipment="tank-2", severity=Severity.P3))

    both = text_of(await page(viewer, "/tickets"))
    assert "一号水箱 水温低" in both
    assert "二号水箱 水温低" in both
    assert "待确认" in both
    for query, shown in (
        ("q=一号", ("一号水箱", "二号水箱")),
        ("severity=P2", ("一号水箱", "二号水箱")),
        (f"q={FIRST}", ("一号水箱", "二号水箱")),
        ("equipment=tank-2", ("二号水箱", "一号水箱 ")),
    ):
        found = text_of(await page(viewer, f"/tickets?{query}"))
        assert shown[0] in found
        assert f"{shown[1]} 水温低" not in found
    assert "没有符合条件的工单" in await page(viewer, "/tickets?area=nowhere")
    assert "没有符合条件的工单" in await page(viewer, "/tickets?view=done")


async def test_mine_are_those_given_to_me_by_what_is_due(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event(severity=Severity.P3), event(equipment="tank-2"))
    for ticket in house.ledger.read(queries.list_tickets).items:
        house.ledger.move_ticket(ticket.id, Move(State.IN_PROGRESS, CREW, NOW))
    house.ledger.open_ticket(Report("tank-1", "somebody else's", Severity.P4), CREW, NOW)

    mine = text_of(await page(crew, "/tickets?view=mine"))
    # a P2 is restored within 24 h, a P3 within 72 h
    assert mine.index("二号水箱 水温低") < mine.index("一号水箱 水温低")
    assert "somebody else" not in mine


async def test_older_tickets_are_a_page_further(house: House, viewer: httpx2.AsyncClient) -> None:
    for number in range(51):
        house.ledger.open_ticket(Report("tank-1", f"job {number:02d}", Severity.P4), CREW, T0)

    first = await page(viewer, "/tickets?q=job")
    further = re.search(r'href="(/tickets\?[^"]*cursor=[^"]*)"', first)
    assert further is not None
    second = text_of(await page(viewer, further.group(1).replace("&amp;", "&")))
    assert "job 50" in first
    assert "job 00" not in first
    assert "job 00" in second
    assert "job 50" not in second


# One ticket


async def test_a_new_ticket_shows_its_evidence_and_one_main_action(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event())
    shown = await page(crew)
    words = text_of(shown)
    assert "一号水箱：水温低" in words.replace(" ：", "：")
    assert "低于 42.0 ℃ ，持续 10 分钟" in words
    assert "39.0 ℃" in words
    assert "heater failed" not in words
    assert "加热器坏" in words
    assert "看加热器" in words
    assert len(re.findall(r'class="btn main"', shown.split('id="note"')[0])) == 1
    assert "确认接单" in words


async def test_a_viewer_sees_no_forms(house: House, viewer: httpx2.AsyncClient) -> None:
    house.engine(event())
    shown = await page(viewer)
    assert f'action="/tickets/{FIRST}' not in shown


@pytest.mark.parametrize(
    ("to", "label"),
    [("acknowledged", "开始处理"), ("in_progress", "完成，转待验证"), ("on_hold", "继续处理")],
)
async def test_each_state_has_the_action_that_comes_next(
    house: House, crew: httpx2.AsyncClient, to: str, label: str
) -> None:
    house.engine(event())
    moved = await send(crew, "move", to=to, version=1, waiting_for="parts" if to == "on_hold" else "")
    assert (moved.status_code, moved.headers["location"]) == (303, f"/tickets/{FIRST}")
    assert label in text_of(await page(crew)).split("证据")[0]


async def test_done_takes_cause_and_note_along_and_the_proof_shows_its_arithmetic(
    house: House, crew: httpx2.AsyncClient
) -> None:
    house.engine(event())
    await send(crew, "move", to="in_progress", version=1)
    await send(crew, "move", to="verifying", version=2, cause_code="fouling", note="换了加热棒")
    house.wrote(reading(NOW, 48.0))

    words = text_of(await page(crew))
    assert "0 / 30 分钟" in words
    assert "约 11:30 自动关闭" in words  # 03:00 UTC is 11:00 on the site; nothing counted of 30 min
    assert "temp 点 不低于 42.0 ℃" in words
    assert "48.0 ℃" in words
    assert "再次出现故障满 10 分钟" in words
    assert "脏堵结垢" in words
    assert "完成，转待验证： 换了加热棒" in words


async def test_what_keeps_minutes_from_counting_is_said(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event())
    await send(crew, "move", to="in_progress", version=1)
    await send(crew, "move", to="verifying", version=2)
    house.wrote(reading(NOW, 41.0))

    words = text_of(await page(crew))
    assert "暂停计时：temp 点 不满足" in words
    assert "不满足或没有数据的时间不计入" in words
    assert "自动关闭" not in words


async def test_a_silent_sensor_pauses_the_proof_whatever_it_said_last(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event())
    await send(crew, "move", to="in_progress", version=1)
    await send(crew, "move", to="verifying", version=2)
    house.wrote(reading(NOW - HOUR, 48.0))

    words = text_of(await page(crew))
    assert "暂停计时：temp 点 无数据" in words
    assert "自动关闭" not in words
    assert "48.0 ℃" not in words.split("证据")[0]


async def test_after_the_proof_before_and_after_stand_side_by_side(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event())
    await send(crew, "move", to="in_progress", version=1)
    await send(crew, "move", to="verifying", version=2)
    house.engine(event(EventKind.VERIFIED, NOW + 30 * MINUTE))
    words = text_of(await page(crew))
    assert "验证通过" in words
    assert "遥测确认恢复" in words


async def test_a_comment_sent_twice_stands_once(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event())
    key = uuid4()
    for _ in range(2):
        assert (await send(crew, "comment", text="到场 <b>", key=key)).status_code == 303
    shown = await page(crew)
    assert shown.count("到场 &lt;b&gt;") == 1
    # the page says which keys have arrived, so that the phone lets its draft go
    assert str(key) in shown


async def test_assignment_verdict_cause_and_mute(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event())
    await send(crew, "assign", version=1, assignee="a engineer")
    await send(crew, "verdict", version=2, verdict="real")
    await send(crew, "cause", version=3, cause_code="wear")
    await send(crew, "mute", minutes=120)
    words = text_of(await page(crew))
    for part in ("派给： a engineer", "判定：属实", "原因：磨损老化", "检修静默至 13:00"):
        assert part in words


async def test_a_latched_alarm_is_reset_from_its_ticket_by_the_crew_only(
    house: House, crew: httpx2.AsyncClient
) -> None:
    house.pack = tuple(replace(one, latching=True) if one.id == "BH-01" else one for one in house.pack)
    house.engine(event())
    assert "告警已锁定" in await page(crew)
    async with house.client(Role.VIEWER) as viewer:
        assert "告警已锁定" not in await page(viewer)
        assert (await send(viewer, "reset")).status_code == 403
    assert (await send(crew, "reset")).status_code == 303
    (asked,) = house.ledger.pending_commands()
    assert (asked.action, asked.equipment, asked.rule) == ("reset", "tank-1", "BH-01")
    house.engine(event(EventKind.CLEARED, NOW))
    assert "告警已锁定" not in await page(crew)


async def test_two_phones_the_second_is_told_who_was_faster_and_keeps_its_words(
    house: House, crew: httpx2.AsyncClient
) -> None:
    house.engine(event())
    house.ledger.move_ticket(FIRST, Move(State.IN_PROGRESS, Actor("王磊", Role.CREW), NOW))

    late = await send(crew, "move", to="on_hold", version=1, note="等备件 三天")

    assert late.status_code == 409
    words = text_of(late.text)
    assert "没有保存：工单已被他人更新" in words
    assert "11:00，王磊 更新了这张工单，现在是“处理中”。" in words
    assert "你要改成“挂起”，没有执行。" in words
    assert "等备件 三天" in words
    assert now_at(house) == (State.IN_PROGRESS, 2)


async def test_english_has_no_chinese_but_names(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event())
    await send(crew, "move", to="in_progress", version=1)
    await send(crew, "move", to="verifying", version=2)
    answer = await crew.get(f"/tickets/{FIRST}", headers={**HTML, "accept-language": "en"})
    left = re.sub(r"中文|示范园区", "", text_of(answer.text))
    assert re.findall(r"[\u4e00-\u9fff]+", left) == []


async def test_a_reported_ticket_shows_the_phone_to_the_crew(
    house: House, crew: httpx2.AsyncClient, viewer: httpx2.AsyncClient
) -> None:
    told = reports.Told("tank-1", Phrase.NO_HOT_WATER, "t" * 32, "二楼", "138-0000")
    house.ledger.act(NOW, reports.report, told)
    assert "tel:138-0000" in await page(crew)
    seen = await page(viewer)
    assert "138-0000" not in seen
    assert "没有热水" in seen


async def test_an_unknown_ticket_is_404(viewer: httpx2.AsyncClient) -> None:
    assert (await viewer.get("/tickets/WO-20261123-999", headers=HTML)).status_code == 404


async def test_a_muted_machine_says_so(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event())
    quiet = alarmdesk.Quiet(NOW + HOUR, "检修", FIRST)
    made = house.ledger.act(NOW, alarmdesk.mute, "tank-1", quiet, CREW)
    assert "检修静默至 12:00" in text_of(await page(crew))
    await send(crew, "unmute", mute=made.id)
    assert "检修静默至" not in text_of(await page(crew))
