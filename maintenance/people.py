"""Who acts on alarms and tickets: people by role, and the three parts of the service that act by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What an actor may do; each role of a person includes the ones before it."""

    VIEWER = "viewer"
    CREW = "crew"
    ENGINEER = "engineer"
    ADMIN = "admin"
    ENGINE = "engine"
    """The rules engine: it has seen something in the telemetry."""
    CLOCK = "clock"
    """A deadline has passed."""
    CONFIG = "config"
    """A rule or an equipment has left the configuration."""
    REPORTER = "reporter"
    """Somebody without an account who told of a fault."""


PEOPLE = (Role.VIEWER, Role.CREW, Role.ENGINEER, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something, as the timeline names it."""

    name: str
    role: Role

    def at_least(self, role: Role) -> bool:
        """Whether this person's role includes `role`; false for the service's own parts."""
        return self.role in PEOPLE and PEOPLE.index(self.role) >= PEOPLE.index(role)


ENGINE = Actor("engine", Role.ENGINE)
CLOCK = Actor("clock", Role.CLOCK)
CONFIG = Actor("config", Role.CONFIG)
REPORTER = Actor("reporter", Role.REPORTER)
