"""Is it alive, and can it do its job: for supervisors, without a token and without secrets in the answer."""

from __future__ import annotations

from typing import Literal

from api.office import AnOffice
from api.probes import standing_faults
from api.problems import NotReady
from api.shapes import Shape


class Alive(Shape):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Ready(Shape):
    """Everything the service needs works."""

    status: Literal["ready"] = "ready"


async def healthz() -> Alive:
    """The process is alive; says nothing of what it can do."""
    return Alive()


async def readyz(office: AnOffice) -> Ready:
    """Ready when the broker is connected, journal, history and ledger work, and no consumer is far behind."""
    reasons = standing_faults(office.deps.live.look(), office.deps.most_lag)
    for probe in office.probes:
        fault = await probe.fault()
        if fault is not None:
            reasons.append(fault)
    if reasons:
        raise NotReady(reasons)
    return Ready()
