"""The code on a machine in the hands of anybody: landing, report, status; photos on their way; labels for printing."""

from __future__ import annotations

import re
from dataclasses import replace
from io import BytesIO
from uuid import uuid4

import httpx2
import pytest
from PIL import Image

from maintenance.ledger import codes, photos, queries, reports
from maintenance.people import REPORTER, Role
from plant.catalogue import Text
from plant.site import Equipment
from tests.unit.api.house import T0, House, event

HTML = {"accept": "text/html"}
FIRST = "WO-20261123-001"


def text_of(html: str) -> str:
    """What is left of a page without its tags, with single spaces."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def picture(width: int = 2_000, height: int = 1_000) -> bytes:
    """A JPEG as a phone makes it, with where it was taken."""
    image = Image.new("RGB", (width, height), "grey")
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    written = BytesIO()
    image.save(written, "JPEG", exif=exif)
    return written.getvalue()


@pytest.fixture
def code(house: House) -> str:
    """The code of tank-1."""
    return codes.printed(house.ledger.write(codes.ensure, ["tank-1"], T0)["tank-1"])


async def test_anybody_sees_what_the_machine_is_and_may_report(house: House, code: str) -> None:
    house.engine(event())
    async with house.client(None) as anybody:
        words = text_of((await anybody.get(f"/q/{code}", headers=HTML)).text)
        missing = await anybody.get("/q/ABCDEFGH", headers=HTML)
    assert "一号水箱" in words
    assert "重要 有未恢复的告警" in words
    assert f"工单 {FIRST}：待确认" in words
    assert "报修" in words
    assert "登录查看" in words
    assert missing.status_code == 404
    assert "请对照标签上的八个字符" in missing.text


async def test_who_has_signed_in_may_take_the_ticket_from_the_machine(
    house: House, code: str, crew: httpx2.AsyncClient
) -> None:
    house.engine(event())
    shown = (await crew.get(f"/q/{code}", headers=HTML)).text
    assert f'href="/tickets/{FIRST}"' in shown
    assert "登录查看" not in shown


async def test_a_report_with_a_photo_becomes_a_ticket_and_a_page_to_come_back_to(
    house: House, code: str, crew: httpx2.AsyncClient
) -> None:
    token = str(uuid4())
    fields = {"token": token, "phrase": "no_hot_water", "text": "女浴室", "phone": "138-0000"}
    async with house.client(None) as anybody:
        sent = [
            await anybody.post(
                f"/q/{code}/report", data=fields, files={"photo": ("a.jpg", picture(), "image/jpeg")}, headers=HTML
            )
            for _ in range(2)
        ]
        status = text_of((await anybody.get(f"/r/{token}", headers=HTML)).text)
        private = await anybody.get("/photos/1", headers=HTML, follow_redirects=False)

    assert [answer.status_code for answer in sent] == [303, 303]
    assert sent[0].headers["location"] == f"/r/{token}"
    assert f"已收到，工单 {FIRST}" in status
    assert "待确认" in status
    assert "138-0000" not in status
    assert private.status_code != 200
    # sent twice, there once, made small and emptied
    (kept,) = house.ledger.read(photos.photos_of, FIRST)
    assert (kept.width, kept.height, kept.author) == (1600, 800, "reporter")
    body = (await crew.get(f"/photos/{kept.id}")).content
    assert Image.open(BytesIO(body)).size == (1600, 800)
    assert b"secret place" not in body
    assert f'src="/photos/{kept.id}"' in (await crew.get(f"/tickets/{FIRST}", headers=HTML)).text


async def test_without_a_phrase_the_form_comes_back_with_what_was_typed(house: House, code: str) -> None:
    fields = {"token": str(uuid4()), "text": "二楼 <左边>", "phone": "138-0000"}
    async with house.client(None) as anybody:
        answer = await anybody.post(f"/q/{code}/report", data=fields, headers=HTML)
    assert answer.status_code == 400
    assert "请先点选哪里不对" in answer.text
    assert "二楼 &lt;左边&gt;" in answer.text
    assert fields["token"] in answer.text
    assert house.ledger.read(queries.list_tickets).items == ()


async def test_a_bad_photo_does_not_lose_the_report(house: House, code: str) -> None:
    token = str(uuid4())
    async with house.client(None) as anybody:
        sent = await anybody.post(
            f"/q/{code}/report",
            data={"token": token, "phrase": "leak"},
            files={"photo": ("a.jpg", b"no picture at all", "image/jpeg")},
            headers=HTML,
        )
        shown = text_of((await anybody.get(sent.headers["location"], headers=HTML)).text)
    assert "文字已收到，照片没有" in shown
    assert house.ledger.read(reports.status, token)[1].id == FIRST


async def test_too_many_reports_on_one_machine_wait(house: House, code: str) -> None:
    async with house.client(None) as anybody:
        answers = [
            await anybody.post(f"/q/{code}/report", data={"token": str(uuid4()), "phrase": "other"}, headers=HTML)
            for _ in range(6)
        ]
    assert [answer.status_code for answer in answers] == [303] * 5 + [429]


# Photos of the crew


async def test_the_crew_puts_photos_on_a_ticket_by_form_and_by_api(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event())
    form = await crew.post(
        f"/tickets/{FIRST}/comment",
        data={"key": str(uuid4()), "text": "换了"},
        files=[("photo", ("a.jpg", picture(), "image/jpeg")), ("photo", ("b.jpg", picture(30, 20), "image/jpeg"))],
        headers=HTML,
    )
    key = uuid4()
    sent = [await crew.post(f"/api/v1/tickets/{FIRST}/photos?key={key}", content=picture(40, 30)) for _ in range(2)]
    assert form.status_code == 303
    assert [answer.status_code for answer in sent] == [201, 201]
    assert sent[0].json() == sent[1].json()
    listed = (await crew.get(f"/api/v1/tickets/{FIRST}")).json()["photos"]
    assert [(photo["width"], photo["height"]) for photo in listed] == [(1600, 800), (30, 20), (40, 30)]
    got = await crew.get(f"/api/v1/photos/{listed[2]['id']}")
    assert (got.headers["content-type"], got.headers["cache-control"]) == ("image/jpeg", "private, max-age=86400")


async def test_a_form_with_an_empty_photo_field_is_a_plain_comment(house: House, crew: httpx2.AsyncClient) -> None:
    house.engine(event())
    boundary = "x" * 20
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="key"\r\n\r\n{uuid4()}\r\n',
        f'--{boundary}\r\nContent-Disposition: form-data; name="text"\r\n\r\nseen\r\n',
        f'--{boundary}\r\nContent-Disposition: form-data; name="photo"; filename=""\r\n',
        f"Content-Type: application/octet-stream\r\n\r\n\r\n--{boundary}--\r\n",
    ]
    answer = await crew.post(
        f"/tickets/{FIRST}/comment",
        content="".join(parts).encode(),
        headers={**HTML, "content-type": f"multipart/form-data; boundary={boundary}"},
    )
    assert answer.status_code == 303
    assert house.ledger.read(photos.photos_of, FIRST) == []


@pytest.mark.parametrize("body", [b"", b"GIF89a is no photo", b"\xff\xd8\xff broken"], ids=["empty", "text", "broken"])
async def test_what_is_no_photo_is_refused(house: House, crew: httpx2.AsyncClient, body: bytes) -> None:
    house.engine(event())
    answer = await crew.post(f"/api/v1/tickets/{FIRST}/photos?key={uuid4()}", content=body)
    assert answer.status_code in (400, 422)
    assert house.ledger.read(photos.photos_of, FIRST) == []


async def test_reporters_put_at_most_six_photos_on_a_ticket(house: House, code: str, crew: httpx2.AsyncClient) -> None:
    token = "t" * 32
    await crew.post(f"/api/v1/codes/{code}/reports", json={"phrase": "leak", "token": token})
    for number in range(6):
        house.ledger.act(T0, photos.add, FIRST, photos.Picture("ab" * 32, 1, 1, 1), REPORTER, f"k{number}")
    async with house.client(None) as anybody:
        answer = await anybody.post(f"/api/v1/reports/{token}/photos?key={uuid4()}", content=picture(9, 9))
    assert answer.status_code == 409
    assert "6 photos of reporters" in answer.json()["detail"]


# Labels


async def test_labels_bear_a_square_that_leads_here_and_a_code_to_read(
    house: House, code: str, crew: httpx2.AsyncClient
) -> None:
    shown = (await crew.get("/labels", headers=HTML)).text
    assert shown.count("<article") == 2
    assert code in shown
    assert "style=" not in shown
    async with house.client(Role.VIEWER) as viewer:
        assert (await viewer.get("/labels", headers=HTML)).status_code == 403


async def test_many_labels_stand_on_sheets_and_each_on_one(house: House, crew: httpx2.AsyncClient) -> None:
    pumps = [Equipment(f"p-{n:03}", f"hall/p-{n:03}", "hot_water_tank", Text(f"泵 {n}", f"P {n}")) for n in range(60)]
    site = house.now_plant.site
    house.now_plant = replace(house.now_plant, site=replace(site, equipment={pump.id: pump for pump in pumps}))
    house.ledger.write(codes.ensure, [pump.id for pump in pumps], T0)
    found: list[str] = []
    for sheet, count in ((1, 24), (2, 24), (3, 12)):
        shown = (await crew.get(f"/labels?area=hall&sheet={sheet}", headers=HTML)).text
        assert shown.count("<article") == count
        assert f"第 {sheet} 张，共 3 张" in text_of(shown)
        found += re.findall(r'class="code num">([^<]+)', shown)
    made = house.ledger.read(codes.all_codes)
    assert sorted(found) == sorted(codes.printed(made[pump.id]) for pump in pumps)
    assert 'href="/labels?area=hall&amp;sheet=2"' in (await crew.get("/labels?area=hall", headers=HTML)).text


async def test_looking_at_labels_writes_nothing(house: House, crew: httpx2.AsyncClient) -> None:
    new = Equipment("tank-9", "bath/nine", "hot_water_tank", Text("九号", "Nine"))
    site = house.now_plant.site
    house.now_plant = replace(house.now_plant, site=replace(site, equipment={**site.equipment, new.id: new}))
    before = house.ledger.read(codes.all_codes)
    page = (await crew.get("/labels", headers=HTML)).text
    listed = (await crew.get("/api/v1/labels")).json()
    assert house.ledger.read(codes.all_codes) == before
    assert "九号" not in page
    assert "tank-9" not in {label["equipment"] for label in listed}
