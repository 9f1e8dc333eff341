"""What a check has found: a grade, a sentence in both languages, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from plant.catalogue import Text
from plant.errors import DutyroomError

_NOTHING = Text("", "")


class Grade(IntEnum):
    """How well it stands; the number is the exit code of a doctor who found nothing worse."""

    OK = 0
    WARN = 1
    BAD = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """`check` names what was looked at; `advice` is empty where there is nothing to do; `figures` are for machines."""

    check: str
    grade: Grade
    text: Text
    advice: Text = _NOTHING
    figures: Mapping[str, float] = field(default_factory=dict)


def ok(check: str, zh: str, en: str, **figures: float) -> Finding:
    """As it should be."""
    return Finding(check, Grade.OK, Text(zh, en), figures=figures)


def warn(check: str, text: Text, advice: Text, **figures: float) -> Finding:
    """Works now, and may not later."""
    return Finding(check, Grade.WARN, text, advice, figures)


def bad(check: str, text: Text, advice: Text, **figures: float) -> Finding:
    """Does not work."""
    return Finding(check, Grade.BAD, text, advice, figures)


def failed(check: str, error: DutyroomError) -> Finding:
    """What one of our own errors says; its text tells already what to do."""
    return bad(check, Text(str(error), str(error)), _NOTHING)


def worst(findings: Sequence[Finding]) -> Grade:
    """The grade of the whole."""
    return max((finding.grade for finding in findings), default=Grade.OK)


NAMES: Mapping[str, Text] = {
    "settings": Text("设置", "settings"),
    "service": Text("服务", "service"),
    "disk": Text("磁盘", "disk"),
    "journal": Text("日志", "journal"),
    "ledger": Text("工单库", "ledger"),
    "plant": Text("站点", "plant"),
    "users": Text("用户", "users"),
    "rules": Text("规则进度", "rules"),
    "history": Text("历史库", "history"),
    "messages": Text("报文去向", "messages"),
    "broker": Text("消息服务器", "broker"),
    "clock": Text("时钟", "clock"),
}
"""What was looked at, in words."""
