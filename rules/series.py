"""Series of the cases: `7x30 8+0.5x10 _x5 850!sentinelx3` to samples, one an interval."""

from __future__ import annotations

import re
from dataclasses import dataclass

from plant.errors import BadInput
from plant.quality import Quality, Reason

_PART = re.compile(r"(_|[-+]?\d+(?:\.\d+)?)([-+]\d+(?:\.\d+)?)?(?:!([a-z_]+))?(?:x(\d+))?")
_MOST = 200_000
_UNCERTAIN = frozenset(
    {
        Reason.CLOCK_FAULT,
        Reason.DELAYED,
        Reason.RETAINED,
        Reason.OUT_OF_SPECIFICATION,
        Reason.NO_TIME_IN_BACKLOG,
        Reason.CONFLICT,
        Reason.FLOOD,
    }
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading of a series as ingest would hand it on."""

    value: float
    quality: Quality = Quality.GOOD
    reason: Reason = Reason.NONE


def parse_series(text: str) -> list[Sample | None]:
    """The samples of a series; None where nothing was sent.

    `VALUE[STEP][!REASON][xCOUNT]`, parts parted by blanks: `7x30` thirty times 7, `0+1x120` from 0 in steps of 1,
    `_x5` five times nothing, `850!sentinelx3` with the reason ingest gives (bad, or uncertain where it keeps values).
    Raises BadInput naming the part that is wrong.
    """
    samples: list[Sample | None] = []
    for part in text.split():
        found = _PART.fullmatch(part)
        if found is None:
            raise BadInput(f"{part!r} is no part of a series such as 7x30, 0+1x120, _x5 or 850!sentinelx3")
        value, step, reason, count = found.groups()
        times = int(count or 1)
        if len(samples) + times > _MOST:
            raise BadInput(f"the series is longer than {_MOST} samples")
        if value == "_":
            samples += [None] * times
            continue
        quality, why = _judged(reason)
        samples += [Sample(round(float(value) + n * float(step or 0), 9), quality, why) for n in range(times)]
    if not samples:
        raise BadInput("the series is empty; write _x10 for ten times nothing")
    return samples


def _judged(word: str | None) -> tuple[Quality, Reason]:
    if word is None:
        return Quality.GOOD, Reason.NONE
    if word.upper() not in Reason.__members__:
        raise BadInput(f"{word!r} is no reason; known: {', '.join(reason.name.lower() for reason in Reason)}")
    reason = Reason[word.upper()]
    return (Quality.UNCERTAIN if reason in _UNCERTAIN else Quality.BAD), reason
