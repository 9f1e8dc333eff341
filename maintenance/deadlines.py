"""When a ticket must be acknowledged, reached and restored (DOMAIN §1.3), on the site's working calendar."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from plant.severity import Severity

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

REOPEN_WITHIN = 4 * HOUR
"""A fault that comes back this soon after closing is the same job (SEMANTICS §8)."""
REPEAT_WITHIN = 14 * DAY
"""A fault that comes back this soon links to the ticket before it and counts against first-time-fix."""
WATCH_UNVERIFIED = 365 * DAY
"""A fault this soon after an unverified closure is a failed repair."""
REMIND_PARKED = 7 * DAY

VERIFY_WITHIN = {Severity.P1: DAY, Severity.P2: 3 * DAY, Severity.P3: 14 * DAY, Severity.P4: 14 * DAY}
"""How long a repair may wait for its proof before it is parked (SEMANTICS §8)."""

REMIND_UNACKNOWLEDGED = {
    Severity.P1: 15 * MINUTE,
    Severity.P2: 30 * MINUTE,
    Severity.P3: 8 * HOUR,
    Severity.P4: 7 * DAY,
}

_ACKNOWLEDGE = {Severity.P1: 5 * MINUTE, Severity.P2: 30 * MINUTE, Severity.P3: 8 * HOUR}
_ARRIVE = {Severity.P1: 30 * MINUTE, Severity.P2: 4 * HOUR}
_RESTORE = {Severity.P1: 2 * HOUR, Severity.P2: 24 * HOUR, Severity.P3: 72 * HOUR, Severity.P4: 14 * DAY}

_DAY_ENDS = time(18, 0)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Working days of a site: Monday to Friday, but for `days_off` (holidays) and `days_on` (make-up workdays)."""

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
    days_off: Set[date] = frozenset()
    days_on: Set[date] = frozenset()

    def local_date(self, at: int) -> date:
        """The site's calendar day of an instant (ms UTC)."""
        return datetime.fromtimestamp(at / 1000, UTC).astimezone(self.zone).date()

    def is_working(self, day: date) -> bool:
        """Whether people are at work on that day."""
        return day in self.days_on or (day.weekday() < 5 and day not in self.days_off)

    def end_of_next_working_day(self, at: int) -> int:
        """18:00 local on the first working day after the day of `at`, ms UTC."""
        day = self.local_date(at) + timedelta(days=1)
        while not self.is_working(day):
            day += timedelta(days=1)
        return round(datetime.combine(day, _DAY_ENDS, self.zone).timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Instants by which somebody must acknowledge, be on site and have made safe; None where nothing is promised."""

    acknowledge: int | None
    arrive: int | None
    restore: int | None


def deadlines(severity: Severity, now: int, calendar: Calendar) -> Deadlines:
    """The deadlines of a ticket written at `now` (SLA clocks start when the ticket is written, SEMANTICS §2)."""
    arrive = calendar.end_of_next_working_day(now) if severity is Severity.P3 else _after(_ARRIVE, severity, now)
    return Deadlines(_after(_ACKNOWLEDGE, severity, now), arrive, _after(_RESTORE, severity, now))


def _after(table: dict[Severity, int], severity: Severity, now: int) -> int | None:
    return now + table[severity] if severity in table else None
