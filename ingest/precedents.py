"""How devices like the unbound ones are bound already: the best suggestion for one more of a kind. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ingest.discovery import Family
from ingest.families import family_of
from plant.site import Binding, Equipment, Plant

LEAST_KEYS = 3
"""Keys in common that tell a device on other topics to be of the same kind."""

_LEAST_SHARE = 0.5
_ANY_JSON = {"plain", "json"}


@dataclass(frozen=True, slots=True)
class Signed:
    """Who accepted bindings, and when (plant time, ms)."""

    author: str
    at: int


@dataclass(frozen=True, slots=True)
class Precedent:
    """A machine that is bound to topics of `pattern`, by the keys of their messages; `keys` of them the family has.

    `single` feeds the only point bound to such a topic where the message itself is the value (None: nothing does).
    `signed` is None where files say so.
    """

    equipment: Equipment
    pattern: str
    bindings: Mapping[str, Binding]
    single: Binding | None
    keys: int = 0
    signed: Signed | None = None


class Precedents:
    """The machines of a plant by the kind of topics they are bound to."""

    def __init__(self, plant: Plant) -> None:
        self._by_pattern: dict[str, list[Precedent]] = {}
        for machine in plant.site.equipment.values():
            if not machine.retired:
                for one in _bound(machine):
                    self._by_pattern.setdefault(one.pattern, []).append(one)

    def like(self, family: Family) -> list[Precedent]:
        """Machines bound to topics that differ from the family's only in names of devices, and to half of what it has;
        and those on other topics of whose keys, three or more, none is missing.
        """
        keys = {one.key for one in family.found if one.key is not None}
        same = [_seen(one, family, keys) for one in self._by_pattern.get(family.pattern, ())]
        found = [one for one in same if one.keys and one.keys >= _LEAST_SHARE * min(_size(one), len(keys) or 1)]
        for pattern, others in self._by_pattern.items():
            if pattern != family.pattern:
                seen = (_seen(one, family, keys) for one in others if one.bindings.keys() <= keys)
                found += [one for one in seen if one.keys == len(one.bindings) >= LEAST_KEYS]
        return found


def ranked(family: Family, found: Iterable[Precedent], signed: Mapping[tuple[str, str], Signed]) -> list[Precedent]:
    """Precedents with who accepted them ((pattern, equipment) → who), the best first: those on the same kind of topic,
    those with most keys, those accepted last, and those of files after all that were accepted.
    """
    told = [replace(one, signed=signed.get((one.pattern, one.equipment.id))) for one in found]
    return sorted(
        told,
        key=lambda one: (
            one.pattern != family.pattern,
            -one.keys,
            -one.signed.at if one.signed is not None else 0,
            one.equipment.path,
        ),
    )


def same_format(one: str, other: str) -> bool:
    """What is written for one format holds for the other: `plain` and `json` name the same values alike."""
    return one == other or {one, other} == _ANY_JSON


def _bound(machine: Equipment) -> Iterable[Precedent]:
    """One for each kind of topic the machine is bound to."""
    by_pattern: dict[str, list[Binding]] = {}
    for binding in machine.bindings:
        by_pattern.setdefault(family_of(binding.topic), []).append(binding)
    for pattern, bindings in by_pattern.items():
        singles = [one for one in bindings if one.key is None]
        keyed = {one.key: one for one in bindings if one.key is not None}
        # two topics of a kind that feed two points of a machine do not tell which a third would feed
        yield Precedent(machine, pattern, keyed, singles[0] if len(singles) == 1 else None)


def _seen(one: Precedent, family: Family, keys: Iterable[str]) -> Precedent:
    known = sum(key in one.bindings and same_format(one.bindings[key].decoder, family.decoder) for key in keys)
    single = one.single is not None and any(source.value is not None for source in family.sources)
    return replace(one, keys=known + single)


def _size(one: Precedent) -> int:
    return len(one.bindings) + (one.single is not None)
