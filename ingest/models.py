"""Which templates of device models know a family of unbound topics, and what they say of its values. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from ingest.decoders.decoded import ONLINE
from ingest.discovery import Family
from ingest.naming import name_of, values_of
from ingest.precedents import same_format
from plant.device import DEVICE, PLACEHOLDER, Template, TemplateLine, fill

_LEAST_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A template that fits: how many of the family's keys it knows, and how many of its own the family has."""

    template: Template
    keys: int
    of: int


def models(family: Family, templates: Iterable[Template]) -> list[KnownModel]:
    """Templates of the family's format that know half of what is there, or of whose keys half are there; best first.

    That a device says whether it is there (`online`) tells nothing of what it is. Of templates that know as much the
    one whose topic this is goes first, then the one that was given first.
    """
    found = []
    names = {value.name for value in values_of(family)} - {ONLINE}
    for template in templates:
        if not same_format(template.decoder, family.decoder):
            continue
        lines = template_lines(family, template).keys()
        known, of = len(lines & names), len(template.lines) - (ONLINE in lines)
        if known and known >= _LEAST_SHARE * min(of, len(names)):
            found.append(KnownModel(template, known, of))
    topic = family.sources[0].topic if family.sources else ""
    return sorted(found, key=lambda model: (-model.keys, _placeholders(model.template.topic, topic) is None))


def template_lines(family: Family, template: Template) -> dict[str, TemplateLine]:
    """Name of a value of the family → the line of a template that says what it feeds, its placeholders filled."""
    source = family.sources[0] if family.sources else None
    values = dict(template.defaults)
    if source is not None:
        values |= ({} if source.device is None else {DEVICE: source.device}) | (
            _placeholders(template.topic, source.topic) or {}
        )
    singles = [one for one in family.sources if one.value is not None]
    lines: dict[str, TemplateLine] = {}
    for line in template.lines:
        if line.point is None:
            continue
        if line.key is not None:
            lines[fill(line.key, values)] = line
        for one in singles if line.key is None else ():
            if _placeholders(line.topic or template.topic, one.topic) is not None:
                lines[name_of(one)] = line
    return lines


def _placeholders(pattern: str, topic: str) -> dict[str, str] | None:
    """What the placeholders of a template's topic stand for in a topic; None where it is no such topic."""
    match = _topic_regex(pattern).fullmatch(topic)
    return None if match is None else match.groupdict()


@lru_cache(maxsize=1_024)
def _topic_regex(pattern: str) -> re.Pattern[str]:
    """A template's topic as a regular expression; a placeholder that comes again stands for the same."""
    made, end, seen = "", 0, set[str]()
    for found in PLACEHOLDER.finditer(pattern):
        name = found[1]
        made += _levels(pattern[end : found.start()]) + (f"(?P={name})" if name in seen else f"(?P<{name}>[^/]+)")
        seen.add(name)
        end = found.end()
    return re.compile(made + _levels(pattern[end:]))


def _levels(text: str) -> str:
    return re.escape(text).replace(r"\+", "[^/]+").replace(r"\#", ".*")
