"""The service's own topics: how they are written and read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

ROOT = "dutyroom/v1"


class Channel(StrEnum):
    """The last level of a native topic."""

    TELEMETRY = "telemetry"
    STATUS = "status"
    CLOCK = "clock"
    """Plant time, published by a simulator or replayer (SEMANTICS §2)."""
    MARKER = "marker"
    """What the collector publishes to itself to learn that a backlog has drained."""
    COLLECTOR = "collector"
    """Whether the collector is there: retained, and its last will."""


@dataclass(frozen=True, slots=True)
class NativeTopic:
    """`path` is `area/name` of an equipment, empty for the site's own channels."""

    site: str
    path: str
    channel: Channel

    def __str__(self) -> str:
        match self.channel:
            case Channel.CLOCK:
                return f"{ROOT}/{self.site}/clock"
            case Channel.MARKER:
                return f"{ROOT}/{self.site}/collector/marker"
            case Channel.COLLECTOR:
                return f"{ROOT}/{self.site}/collector/status"
        return f"{ROOT}/{self.site}/{self.path}/{self.channel}"


def covers(wide: str, narrow: str) -> bool:
    """Every topic that filter `narrow` matches, `wide` matches too."""
    levels, others = wide.split("/"), narrow.split("/")
    for place, level in enumerate(levels):
        if level == "#":
            return place > 0 or not narrow.startswith("$")
        if place >= len(others) or others[place] == "#" or level not in ("+", others[place]):
            return False
    return len(levels) == len(others)


def parse(topic: str) -> NativeTopic | None:
    """A native topic taken apart, None when it is somebody else's."""
    match topic.split("/"):
        case ["dutyroom", "v1", site, "clock"]:
            return NativeTopic(site, "", Channel.CLOCK)
        case ["dutyroom", "v1", site, "collector", "marker"]:
            return NativeTopic(site, "", Channel.MARKER)
        case ["dutyroom", "v1", site, "collector", "status"]:
            return NativeTopic(site, "", Channel.COLLECTOR)
        case ["dutyroom", "v1", site, area, name, "telemetry" | "status" as channel]:
            return NativeTopic(site, f"{area}/{name}", Channel(channel))
    return None
