"""Times as people on shift read them: the site's zone, the date when it is not today, durations in words (UX.md)."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from api.web.language import Language

_S, _MIN, _HOUR, _DAY = 1_000, 60_000, 3_600_000, 86_400_000
_ZH_DAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
_EN_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
EN_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def local(ms: int, zone: ZoneInfo) -> datetime:
    """An instant in the site's zone."""
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone)


def clock(ms: int, zone: ZoneInfo) -> str:
    """The time of day, `14:05`."""
    return f"{local(ms, zone):%H:%M}"


def day(ms: int, now: int, zone: ZoneInfo, language: Language) -> str:
    """The date, `11月22日 周日` or `Sun 22 Nov`; with the year when it is another one."""
    then = local(ms, zone)
    other = then.year != local(now, zone).year
    if language is Language.ZH:
        return f"{f'{then.year}年' if other else ''}{then.month}月{then.day}日 {_ZH_DAYS[then.weekday()]}"
    return f"{_EN_DAYS[then.weekday()]} {then.day} {EN_MONTHS[then.month - 1]}{f' {then.year}' if other else ''}"


def moment(ms: int, now: int, zone: ZoneInfo, language: Language) -> str:
    """Time of day alone today, else with the date."""
    if local(ms, zone).date() == local(now, zone).date():
        return clock(ms, zone)
    return f"{day(ms, now, zone, language)} {clock(ms, zone)}"


def duration(ms: int, language: Language) -> str:
    """`45 秒`, `12 分钟`, `1小时35分`, `3天4小时`: at most two units, cut off, never rounded up."""
    ms = max(0, ms)
    zh = language is Language.ZH
    if ms < _MIN:
        return f"{ms // _S} 秒" if zh else f"{ms // _S} s"
    if ms < _HOUR:
        return f"{ms // _MIN} 分钟" if zh else f"{ms // _MIN} min"
    big, small, first, second = (
        (_HOUR, _MIN, "小时" if zh else "h", "分" if zh else "min")
        if ms < _DAY
        else (_DAY, _HOUR, "天" if zh else "d", "小时" if zh else "h")
    )
    whole, rest = ms // big, ms % big // small
    if zh:
        return f"{whole}{first}{rest}{second}" if rest else f"{whole} {first}"
    return f"{whole} {first} {rest} {second}" if rest else f"{whole} {first}"


def ago(ms: int, now: int, language: Language) -> str:
    """How long ago, in words; what lies ahead is `刚刚`, since clocks differ by seconds."""
    if now - ms < _S:
        return "刚刚" if language is Language.ZH else "just now"
    length = duration(now - ms, language)
    return f"{length}前" if language is Language.ZH else f"{length} ago"
