"""Pages about what nobody has bound: the list, the mapping form as suggested and as typed, what came of it."""

from __future__ import annotations

import re
from dataclasses import replace

import msgspec
import pytest

from dutyroom.content import Content
from maintenance.ledger import discovered
from maintenance.ledger.discovered import Redecoded
from maintenance.people import Role
from plant.catalogue import Text
from plant.device import Template, TemplateLine
from plant.site import Plant
from tests.unit.api.house import House
from tests.unit.api.test_discovered import found as found

PATTERN = "shellypro3em-*/events/rpc"


async def get(house: House, path: str, language: str = "zh") -> str:
    async with house.browser(Role.ENGINEER) as browser:
        browser.cookies.set("lang", language)
        answer = await browser.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text


def family(house: House) -> str:
    return next(one.family.id for one in house.ledger.read(discovered.listed) if one.family.pattern == PATTERN)


def fields(html: str) -> dict[str, str]:
    """What a browser would send of the mapping form as it stands."""
    form = html.partition('/accept">')[2].partition("</form>")[0]
    found: dict[str, str] = {}
    for tag in re.findall(r"<input [^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name is not None and "checkbox" not in tag:
            found[name[1]] = value[1] if value is not None else ""
    for name, body in re.findall(r'<select name="([^"]*)">(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', body)
        found[name] = chosen[1] if chosen is not None else ""
    return found


async def test_the_list_says_what_each_looks_like(found: House) -> None:
    html = await get(found, "/discovered")
    assert PATTERN in html
    assert "Shelly Pro 3EM 三相电表" in html
    assert "读不懂" in html
    assert "2 个来源" in html


async def test_many_are_shown_page_by_page(found: House) -> None:
    shown = next(one.family for one in found.ledger.read(discovered.listed) if one.family.pattern == PATTERN)
    many = [msgspec.structs.replace(shown, id=f"more-{n:02d}", pattern=f"more/{n:02d}", last_at=n) for n in range(45)]
    found.ledger.write(discovered.keep, many, (), site="campus", offset=99)
    path: str | None = "/discovered"
    pages: list[str] = []
    while path is not None and len(pages) < 9:
        pages.append(await get(found, path))
        path = next(iter(re.findall(r'href="(/discovered\?skip=\d+)"', pages[-1])), None)
    patterns = [pattern for html in pages for pattern in re.findall(r"more/\d\d", html)]
    assert patterns == [f"more/{n:02d}" for n in reversed(range(45))]
    assert len(pages) == 3


async def test_the_form_comes_filled_with_suggestions_and_their_reasons(found: House) -> None:
    html = await get(found, f"/discovered/{family(found)}", "en")
    sent = fields(html)
    names = {value: key.partition(".")[2] for key, value in sent.items() if key.startswith("name.")}
    row = names["em:0.total_act_power"]
    assert (sent[f"point.{row}"], sent[f"unit.{row}"]) == ("active_power", "W")
    assert "unit: W → kW" in html
    assert [sent["to.0"], sent["new.0"], sent["new.1"]] == [
        "",
        "shellypro3em-08f9e0e5c790",
        "shellypro3em-08f9e0e5c791",
    ]


async def test_the_form_binds_and_the_answer_says_what_became_of_the_past(found: House) -> None:
    id = family(found)
    sent = fields(await get(found, f"/discovered/{id}"))
    sent |= {"to.0": "f-1", "to.1": "+", "new.1": "f-2", "area": "lv"}
    async with found.browser(Role.ENGINEER) as browser:
        answer = await browser.post(f"/discovered/{id}/accept", data=sent)
        assert answer.status_code == 303, answer.text
        after = await browser.get(answer.headers["location"])
    assert 'data-result="waiting"' in after.text
    latest = found.ledger.latest_config()
    assert latest is not None
    site = Content.decode(latest.content).plant.site
    assert {one.point for one in site.equipment["f-1"].bindings} == {"voltage_l1", "current_l1", "active_power"}
    assert (site.equipment["f-2"].path, len(site.equipment["f-2"].bindings)) == ("lv/f-2", 3)
    number = int(answer.headers["location"].rpartition("/")[2])
    found.ledger.write(discovered.redecoded, number, Redecoded(12, 36, 0), (), 0)
    assert "12 条消息，36 个读数" in await get(found, f"/acceptances/{number}")


@pytest.mark.parametrize(
    ("typed", "status", "words"),
    [
        ({"to.0": "f-1", "scale.0": "ten"}, 422, "no number"),
        ({"to.0": "f-1", "unit.0": "kg"}, 422, "kg"),
        ({"to.0": "f-1", "sentinels.0": "none"}, 422, "no numbers"),
        ({"to.0": "", "to.1": ""}, 422, "nothing is bound"),
        ({"to.0": "+", "new.0": "a b", "area": "lv"}, 422, "an id is letters"),
        ({"to.0": "+", "area": ""}, 422, "need an area"),
        ({"to.0": "f-1", "to.1": "f-1"}, 409, "already"),
    ],
)
async def test_what_cannot_be_keeps_what_was_typed(
    found: House, typed: dict[str, str], status: int, words: str
) -> None:
    id = family(found)
    sent = fields(await get(found, f"/discovered/{id}")) | {"offset.0": "0.25"} | typed
    async with found.browser(Role.ENGINEER) as browser:
        answer = await browser.post(f"/discovered/{id}/accept", data=sent)
    assert answer.status_code == status
    assert words in answer.text
    again = fields(answer.text)
    assert again["offset.0"] == "0.25"
    assert {name: again[name] for name in typed if name != "area"} == {k: v for k, v in typed.items() if k != "area"}


async def test_the_next_of_a_kind_is_filled_in_as_the_last_was_bound(found: House) -> None:
    id = family(found)
    sent = fields(await get(found, f"/discovered/{id}"))
    row = next(key.partition(".")[2] for key, value in sent.items() if value == "em:0.total_act_power")
    sent |= {"to.0": "f-1", "to.1": "", f"scale.{row}": "2.5", f"sentinels.{row}": "32767 -1", f"zone.{row}": "UTC"}
    async with found.browser(Role.ENGINEER) as browser:
        assert (await browser.post(f"/discovered/{id}/accept", data=sent)).status_code == 303
    latest = found.ledger.latest_config()
    assert latest is not None
    found.now_plant = Content.decode(latest.content).plant
    assert "Like Feeder 1, which is bound" in await get(found, "/discovered", "en")
    html = await get(found, f"/discovered/{id}", "en")
    assert re.search(r"Filled in as Feeder 1 is bound \(a engineer, [^)]+\)\.", html)
    again = fields(html)
    assert (again[f"scale.{row}"], again[f"sentinels.{row}"], again[f"zone.{row}"]) == ("2.5", "32767 -1", "UTC")
    async with found.client(Role.ENGINEER) as client:
        one = (await client.get(f"/api/v1/discovered/{id}")).json()
    (like,) = one["precedents"]
    assert (like["equipment"], like["keys"], like["author"]) == ("f-1", 3, "a engineer")
    power = next(said["chosen"] for said in one["suggested"] if said["name"] == "em:0.total_act_power")
    assert (power["scale"], power["sentinels"], power["zone"]) == (2.5, [32767.0, -1.0], "UTC")


async def test_a_template_of_the_site_is_offered(found: House) -> None:
    lines = (TemplateLine("em:0.a_voltage", "voltage_l1", "V", scale=0.1),)
    own = Template("ours", Text("自制电表", "Our meter"), "lv_feeder", "{device}/events/rpc", "shelly", lines)
    plant = found.now_plant
    found.now_plant = Plant(plant.catalogue, replace(plant.site, templates=(own,)))
    async with found.client(Role.ENGINEER) as client:
        one = (await client.get(f"/api/v1/discovered/{family(found)}")).json()
    assert "ours" in [model["template"] for model in one["models"]]


async def test_what_the_service_speaks_for_is_no_type_to_choose(found: House) -> None:
    html = await get(found, f"/discovered/{family(found)}")
    assert 'value="gateway"' in html
    assert 'value="message_broker"' not in html


async def test_topics_to_listen_to_are_typed_one_a_line(found: House) -> None:
    async with found.browser(Role.ENGINEER) as browser:
        assert (await browser.post("/discovered/listen", data={"filters": "tele/#\r\n\r\nmeters/#"})).status_code == 303
        wrong = await browser.post("/discovered/listen", data={"filters": "a#b"})
    assert (wrong.status_code, "a#b" in wrong.text) == (422, True)
    latest = found.ledger.latest_config()
    assert latest is not None
    assert Content.decode(latest.content).plant.site.discover == ("tele/#", "meters/#")


async def test_a_family_is_put_aside_and_found_again(found: House) -> None:
    id = family(found)
    async with found.browser(Role.ENGINEER) as browser:
        await browser.post(f"/discovered/{id}/ignore", data={"ignored": "true"})
    assert PATTERN not in await get(found, "/discovered")
    assert PATTERN in await get(found, "/discovered?ignored=true")
