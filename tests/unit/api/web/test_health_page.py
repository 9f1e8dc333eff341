"""The page about the service itself."""

from __future__ import annotations

import re
from dataclasses import replace

import httpx2
import pytest

from api.app import create_app
from api.deps import Collected, Counted, Disk, Trouble
from api.rates import Rates
from api.web.health import excerpt
from api.web.healthwords import NOTICES, REJECTS, TROUBLES, reject_text
from ingest.mqtt.dangers import Danger
from ingest.reasons import RejectReason
from maintenance.ledger import Reject, outbox
from maintenance.ledger.rows import NoticeState
from maintenance.people import Role
from plant.catalogue import Catalogue, EquipmentType, Kind, Point, Text
from plant.errors import Unavailable
from plant.reading import Reading
from plant.site import Equipment, Plant, Site
from tests.unit.api.house import HOUR, MINUTE, T0, House, event

HTML = {"accept": "text/html"}


async def _page(house: House, role: Role = Role.VIEWER, path: str = "/health", language: str = "zh") -> str:
    async with house.browser(role) as browser:
        answer = await browser.get(path, headers={"Accept-Language": language})
    assert answer.status_code == 200
    return answer.text


def _row(page: str, name: str) -> str:
    """The row that begins with `name`, without its marks."""
    rows = re.findall(r'<li class="row.*?</li>', page, re.DOTALL)
    plain = [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip() for row in rows]
    return next(row for row in plain if row.startswith(name))


async def test_a_service_that_is_well_says_so_part_by_part(house: House) -> None:
    page = await _page(house)
    assert _row(page, "MQTT 服务器") == "MQTT 服务器 已连接"
    assert _row(page, "规则引擎") == "规则引擎 已同步"
    assert _row(page, "现场数据") == "现场数据 正在接收"
    assert 'class="late"' not in page


async def test_several_brokers_are_told_apart_by_their_names(house: House) -> None:
    house.set_live(broker_connected=False, collected=Collected(brokers={"bathhouse": True, "2": False}))
    page = await _page(house)
    assert _row(page, "MQTT 服务器 bathhouse") == "MQTT 服务器 bathhouse 已连接"
    assert _row(page, "MQTT 服务器 2") == "MQTT 服务器 2 未连接"


async def test_a_limit_of_the_broker_that_endangers_us_stands_out(house: House) -> None:
    house.set_live(collected=Collected(brokers={"1": True}, dangers={"1": tuple(Danger)}))
    page = await _page(house)
    assert page.count('class="late"') == len(Danger)
    assert "长时间断线会丢失报文" in page


async def test_what_ails_is_said_in_words_and_stands_out(house: House) -> None:
    house.set_live(
        broker_connected=False, consumers={"rules": 100, "store": 60}, faults={"journal": Trouble.WAITS.value}
    )
    page = await _page(house)
    assert _row(page, "MQTT 服务器") == "MQTT 服务器 未连接"
    assert _row(page, "历史库") == "历史库 落后 40 条"
    assert _row(page, "原始日志 等待") == "原始日志 等待外部恢复，详情见运行日志"
    assert page.count('class="late"') == 2


async def test_every_counter_is_there(house: House) -> None:
    reasons = {"not_json": 907, "later_reason": 908}
    counted = Counted(901, 902, 903, 904, 905, 906, reasons, read=911, refused=912, flooded=913)
    house.set_live(counted=counted, collected=Collected(801, 802, 803, 804, 805, 806, 807, 808))
    page = await _page(house)
    shown = set(re.findall(r"\b[89][01][1-8]\b", page))
    assert shown == {str(n) for n in (*range(801, 809), *range(901, 909), *range(911, 914))}
    assert _row(page, "去向不明的报文") == f"去向不明的报文 {901 - 911 - 912 - 913 - 903 - 904}"
    assert _row(page, "拒收：不是 JSON") == "拒收：不是 JSON 907"
    assert _row(page, "拒收：later_reason") == "拒收：later_reason 908"


async def test_a_gateway_says_when_it_was_last_heard(house: House) -> None:
    house.now_plant = _with_gateways(house.now_plant)
    table = house.now_plant.series
    heard = (
        Reading("gw-1", "online_status", T0 + HOUR - 5 * MINUTE, 1.0),
        Reading("gw-2", "online_status", T0 + MINUTE, 0.0),
    )
    house.store.write(table.batch(heard), table, 1)
    page = await _page(house)
    assert _row(page, "一号网关") == "一号网关 5 分钟前"
    assert _row(page, "二号网关") == "二号网关 离线 59 分钟前"
    assert _row(page, "三号网关") == "三号网关 离线 从未收到"
    assert page.index("三号网关") < page.index("二号网关") < page.index("一号网关")


def _with_gateways(plant: Plant) -> Plant:
    online = Point("online_status", "bool", Kind.STATUS, 0.0, 1.0, Text("在线", "online"))
    kind = EquipmentType("gateway", Text("网关", "gateway"), 60_000, {online.name: online})
    made = [
        Equipment(f"gw-{n}", f"site/gw-{n}", "gateway", Text(f"{sign}号网关", f"Gateway {n}"))
        for n, sign in ((1, "一"), (2, "二"), (3, "三"))
    ]
    machines = dict(plant.site.equipment) | {machine.id: machine for machine in made}
    catalogue = Catalogue({**plant.catalogue.types, kind.name: kind})
    return Plant(catalogue, Site(plant.site.id, plant.site.zone, plant.site.text, machines))


async def test_a_notice_that_was_given_up_is_sent_again_by_an_engineer(house: House) -> None:
    house.engine(event())
    (notice,) = house.ledger.read(outbox.listed)
    house.ledger.write(outbox.failed, notice.id, "410 <b>gone</b>", None)
    viewer, engineer = await _page(house), await _page(house, Role.ENGINEER)
    assert "410 &lt;b&gt;gone&lt;/b&gt;" in viewer
    assert "/retry" not in viewer
    address = re.search(r'action="(/health/notices/\d+/retry)"', engineer)
    assert address is not None
    async with house.browser(Role.ENGINEER) as browser:
        assert (await browser.post(address[1])).headers["location"] == "/health"
        assert (await browser.post(address[1])).status_code == 409
    (again,) = house.ledger.read(outbox.listed)
    assert (again.state, again.attempts) == (NoticeState.WAITING, 0)


async def test_a_channel_says_how_many_wait_and_what_it_last_answered(house: House) -> None:
    house.engine(event(), event(equipment="tank-2"))
    first = house.ledger.read(outbox.listed)[0]
    house.ledger.write(outbox.sent, first.id, T0, "200 taken")
    row = _row(await _page(house), "运行日志")
    assert "待发送 1" in row
    assert "已发送 1" in row
    assert "最近一次应答：200 taken" in row


async def test_samples_of_refused_messages_are_for_engineers_and_shown_as_text(house: House) -> None:
    payload = b"<script>alert(1)</script>\x00\xff" + b"x" * 500
    refused = [Reject(n, T0, "other/<i>topic</i>", payload, "not_json", "line 1 column 1") for n in range(3)]
    house.engine(rejects=tuple(refused))
    viewer, engineer = await _page(house), await _page(house, Role.ENGINEER)
    assert "alert(1)" not in viewer
    assert "报文样本仅工程师可见" in viewer
    assert "&lt;script&gt;alert(1)&lt;/script&gt;··xxx" in engineer.replace("\ufffd", "·")
    assert "other/&lt;i&gt;topic&lt;/i&gt;" in engineer
    assert _row(engineer, "不是 JSON").split()[-2] == "3"
    assert "x" * 161 not in engineer


async def test_disk_and_clock_are_there(house: House) -> None:
    house.clock_ms = T0 + HOUR + 90_000
    page = await _page(house)
    assert _row(page, "可用空间") == "可用空间 共 100.0 GB 40.0 GB"
    assert _row(page, "台账库") == "台账库 5.0 MB"
    assert "与系统时间相差 1 分钟" in _row(page, "现场时间")


async def test_the_page_is_there_also_while_much_is_not(house: House) -> None:
    def no_disk() -> Disk:
        raise Unavailable("the folder is away")

    house.app = create_app(replace(house.deps(), disk=no_disk))
    house.stop_clock()
    page = await _page(house)
    assert "无法读取磁盘" in page
    assert "从未收到" not in page


async def test_a_store_that_fails_is_named(house: House) -> None:
    class Away:
        def latest(self, equipment: str) -> dict[str, tuple[int, float, int, int]]:
            raise Unavailable(f"http://influx.secret:8086 has no {equipment}")

    # The page itself asks the store of gateways only, and there is none here.
    house.app = create_app(replace(house.deps(), history=Away()))  # type: ignore[arg-type]
    page = await _page(house)
    assert "出错（Unavailable）" in page
    assert "influx.secret" not in page


async def test_the_page_is_english_in_english(house: House) -> None:
    house.engine(event(), rejects=(Reject(1, T0, "a/b", b"{", "not_json"),))
    house.set_live(collected=Collected(), faults={"rules": Trouble.ENDED.value})
    page = await _page(house, Role.ENGINEER, language="en")
    assert not re.search(r"[\u4e00-\u9fff]", page.replace("中文", ""))


async def test_the_live_part_is_the_page_s_own(house: House, viewer: httpx2.AsyncClient) -> None:
    whole = await viewer.get("/health", headers=HTML)
    part = await viewer.get("/live/health", headers=HTML)
    assert 'hx-get="/live/health"' in whole.text
    assert "<html" not in part.text
    assert part.text.strip() in whole.text


def test_every_reason_and_state_has_its_words() -> None:
    assert set(REJECTS) == set(RejectReason)
    assert set(NOTICES) == set(NoticeState)
    assert set(TROUBLES) == set(Trouble)
    assert reject_text("something later") == Text("something later", "something later")


@pytest.mark.parametrize(
    ("payload", "shown"),
    [(b"", ""), (b'{"a":1}', '{"a":1}'), (b"a\nb\x1b[31m", "a·b·[31m"), ("温" * 200, "温" * 160 + "…")],
)
def test_an_excerpt_is_text_whatever_was_sent(payload: bytes | str, shown: str) -> None:
    assert excerpt(payload.encode() if isinstance(payload, str) else payload) == shown


def test_rates_are_of_the_last_minute() -> None:
    rates = Rates()
    assert rates.per_second() is None
    for n in range(30):
        rates.note(100.0 + 5 * n, Counted(messages=n * n, readings=10 * n))
    # From the 18th note to the 30th: 12 steps of 5 s.
    assert rates.per_second() == ((29 * 29 - 17 * 17) / 60, 2.0)
