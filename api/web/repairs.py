"""The page of repairs: what stands in the place of doubtful readings, point by point, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query
from fastapi.responses import HTMLResponse
from pydantic import Field

from api.shapes import Ask
from api.web.render import APage, Page
from ingest.repairs import Repair, RepairKind
from maintenance.ledger import repairs
from plant.catalogue import Text

_PAGE = 100

KINDS: Mapping[RepairKind, Text] = {
    RepairKind.SPIKE: Text("尖峰，已剔除", "Spike, left out"),
    RepairKind.STEP: Text("突变，已确认属实", "Step, confirmed"),
    RepairKind.RESET: Text("计量表清零或更换", "Meter began anew"),
    RepairKind.ROLLOVER: Text("计量表满量程翻转", "Meter rolled over"),
    RepairKind.REBASE: Text("计量表读数跳变", "Meter leapt"),
}
"""What became of the reading, in a few words."""

MEANINGS: Mapping[RepairKind, Text] = {
    RepairKind.SPIKE: Text(
        "下一个读数又回到原处；以前后值的中位数代替", "The next reading was back; the median stands in"
    ),
    RepairKind.STEP: Text("下一个读数留在新值；原值有效", "The next reading stayed there; the value counts"),
    RepairKind.RESET: Text("从零重新计数；累计量接着原读数计算", "It counts from zero again; the total goes on"),
    RepairKind.ROLLOVER: Text(
        "过了表底位数从零开始；累计量接着计算", "Past the end of its register; the total goes on"
    ),
    RepairKind.REBASE: Text(
        "增量超过设备最大功率；这一跳不计入用量", "More than its machine can take; the leap is not counted"
    ),
}
"""Why, and what is done about it."""


class RepairsPageAsk(Ask):
    """Of which equipment and which of its points, and where to go on."""

    equipment: str | None = Field(None, max_length=200)
    point: str | None = Field(None, max_length=200)
    before: int | None = Field(None, ge=1, le=2**62)


@dataclass(frozen=True, slots=True)
class Line:
    """One repair with the words of its point; `unit` None where the site no longer has it."""

    repair: Repair
    point: Text
    unit: str | None


async def show_repairs(page: APage, ask: Annotated[RepairsPageAsk, Query()]) -> HTMLResponse:
    """Repairs, the newest first."""
    found = await page.office.read(
        repairs.listed, equipment=ask.equipment, point=ask.point, before=ask.before, limit=_PAGE + 1
    )
    of = {"equipment": ask.equipment} | ({"point": ask.point} if ask.point else {}) if ask.equipment else {}
    more = len(found) > _PAGE
    return page.render(
        "repairs.html",
        lines=in_words(page, [repair for _, repair in found[:_PAGE]]),
        next=found[_PAGE - 1][0] if more else None,
        equipment=ask.equipment,
        of=urlencode(of),
        table=ask.equipment in page.plant.site.equipment,
        kinds=KINDS,
        meanings=MEANINGS,
    )


def in_words(page: Page, found: Sequence[Repair]) -> list[Line]:
    """Repairs with their points' names."""
    lines = []
    for repair in found:
        machine = page.plant.site.equipment.get(repair.equipment)
        point = None if machine is None else page.plant.points(machine).get(repair.point)
        words = Text(repair.point, repair.point) if point is None else point.text
        lines.append(Line(repair, words, None if point is None else point.unit))
    return lines
