"""How far a machine is on its way to being commissioned."""

from __future__ import annotations

from enum import StrEnum

from maintenance.commissioning.report import Outcome


class Stage(StrEnum):
    """In the order of what there is to do; until it is commissioned a machine's rules observe."""

    FAILED = "failed"
    """Its newest check found something wrong."""
    UNCHECKED = "unchecked"
    NOT_ENOUGH = "not_enough_data"
    WITHHELD = "withheld"
    """Its check passed, and a person decided that its rules observe."""
    COMMISSIONED = "commissioned"


_BY_OUTCOME = {
    None: Stage.UNCHECKED,
    Outcome.FAILED: Stage.FAILED,
    Outcome.NOT_ENOUGH: Stage.NOT_ENOUGH,
    Outcome.PASSED: Stage.WITHHELD,
}


def stage_of(commissioned: bool, outcome: Outcome | None) -> Stage:
    """The stage of a machine whose newest check ended so (None: it was never checked)."""
    return Stage.COMMISSIONED if commissioned else _BY_OUTCOME[outcome]
