"""Routes about what comes that nobody has bound: look at it, bind it, put it aside."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path
from pydantic import Field

from api.access import Caller
from api.office import AnOffice
from api.shapes import Ask, Instant, Shape, Words
from ingest import models, naming, offers
from ingest.discovery import MOST_FAMILIES, Family
from ingest.known import Known
from ingest.precedents import Precedent, Precedents
from maintenance.ledger import discovered
from maintenance.ledger.discovered import Acceptance, Listed, Progress
from plant.accepting import Accepted
from plant.bindingfile import check_topic
from plant.catalogue import Text
from plant.errors import BadInput
from plant.site import Binding, Clock, Equipment

MOST_BINDINGS = 2_000
MOST_PRECEDENTS = 5
FamilyId = Annotated[str, Path(pattern=r"^[0-9a-f]{12}$")]
AcceptanceId = Annotated[int, Path(ge=1, le=2**63 - 1)]
_Text = Annotated[str, Field(min_length=1, max_length=500)]
_Name = Annotated[str, Field(min_length=1, max_length=64)]


class FoundOut(Shape):
    """A value under a key (null: the message is the value). `low` and `high` span all that were looked at."""

    key: str | None
    value: float
    low: float
    high: float
    unit: str | None
    implied: bool = Field(description="the unit is what the format's documentation says, not the message")
    state: bool = Field(description="it tells how the device is, not what it measures")


class SourceOut(Shape):
    """A topic of the family; `value` and `unit` where the message is the value."""

    topic: str
    device: str | None
    count: int
    first_at: Instant
    last_at: Instant
    value: float | None
    unit: str | None


class FamilyOut(Shape):
    """Unbound topics that differ only in what tells devices apart."""

    id: str
    pattern: str
    decoder: str
    count: int
    per_minute: float | None
    first_at: Instant
    last_at: Instant
    sources: int
    keys: int
    trouble: str = Field(description="what the format had against the newest message; empty: nothing")
    reason: str = Field(description="the kind of trouble, as in rejects; empty: none")
    ignored_by: str | None


class FamiliesOut(Shape):
    """All families, the one heard last first; at most a few hundred are remembered."""

    items: list[FamilyOut]
    most: int
    discover: list[str] = Field(description="topic filters listened to beside what is bound")


class MatchOut(Shape):
    """A point a value may be; `score` of 100."""

    point: str
    score: int
    unit: str | None = Field(description="bind with this unit; null: the message's own, else the point's")
    scale: float = Field(description="what to multiply a raw register with")
    reasons: list[Words]


class ChosenOut(MatchOut):
    """The point a value is suggested to be, and how to bind it; the fields are those of a binding."""

    scale: float
    offset: float
    sentinels: list[float]
    time: str | None
    zone: str | None


class SuggestionOut(Shape):
    """What one value is suggested to be, and what else it may be."""

    name: str
    chosen: ChosenOut | None
    others: list[MatchOut]


class ModelOut(Shape):
    """A template that knows `keys` of the family's keys, of its own `of`."""

    template: str
    name: Words
    type: str
    keys: int
    of: int


class PrecedentOut(Shape):
    """A machine that is bound to messages like these, by `keys` of the family's keys; `pattern` is of its topics."""

    equipment: str
    name: Words
    type: str
    pattern: str
    keys: int
    author: str | None = Field(description="who accepted it; null: files say so")
    at: Instant | None


class TypeOut(Shape):
    """An equipment type with points for `fitting` of the values."""

    type: str
    fitting: int
    score: int


class OneFamilyOut(FamilyOut):
    """A family with all that is known of it."""

    topic: str
    payload: str = Field(
        description="the newest message, at most its first 2,048 bytes; bytes that are no UTF-8 as \\x.."
    )
    size: int
    found: list[FoundOut]
    where: list[SourceOut]
    more_sources: int
    more_keys: int
    precedents: list[PrecedentOut] = Field(description="machines bound to messages like these, the best first")
    models: list[ModelOut]
    types: list[TypeOut]
    suggested: list[SuggestionOut] = Field(description="for `type`, by default the best one")
    clock: Clock = Field(description="whose time to bind with")
    type: str | None


class BindingAsk(Ask):
    """One binding; the fields are those of a site file."""

    equipment: _Name
    topic: _Text
    point: _Text
    key: str | None = Field(None, max_length=256)
    unit: str | None = Field(None, max_length=32)
    scale: float = Field(1.0, allow_inf_nan=False)
    offset: float = Field(0.0, allow_inf_nan=False)
    sentinels: list[Annotated[float, Field(allow_inf_nan=False)]] = Field([], max_length=16)
    clock: Clock = Clock.DEVICE
    decoder: str | None = Field(None, max_length=64, description="null: the family's format")
    time: str | None = Field(None, max_length=256)
    zone: str | None = Field(None, max_length=64)
    device: str | None = Field(None, max_length=200)


class MachineAsk(Ask):
    """A machine that is not there yet."""

    id: _Name
    path: Annotated[str, Field(min_length=3, max_length=200)]
    type: _Name
    zh: Annotated[str, Field(min_length=1, max_length=100)]
    en: Annotated[str, Field(min_length=1, max_length=100)]


class AcceptAsk(Ask):
    """What to bind, and the machines to make for it."""

    bindings: list[BindingAsk] = Field(min_length=1, max_length=MOST_BINDINGS)
    machines: list[MachineAsk] = Field([], max_length=discovered.MOST_MACHINES)

    def accepted(self, family: Family) -> Accepted:
        """The same in the plant's words. Raises BadInput for a topic filter that is none."""
        bindings: dict[str, tuple[Binding, ...]] = {}
        for ask in self.bindings:
            bindings[ask.equipment] = (*bindings.get(ask.equipment, ()), _binding(ask, family))
        machines = tuple(Equipment(one.id, one.path, one.type, Text(one.zh, one.en)) for one in self.machines)
        return Accepted(bindings, machines)


class IgnoreAsk(Ask):
    """Put aside, or back on the list."""

    ignored: bool


class ListenAsk(Ask):
    """Topic filters to listen to beside what is bound."""

    filters: list[_Text] = Field(max_length=50)


class ListenOut(Shape):
    """What is listened to from now on."""

    filters: list[str]


class ResultOut(Shape):
    """Messages of the past that have readings now, how many readings, and messages that still have none."""

    messages: int
    readings: int
    rejected: int


class AcceptanceOut(Shape):
    """Bindings that a person accepted; `result` is null until the past has been decoded again."""

    id: int
    at: Instant
    author: str
    family: str
    revision: int
    equipment: list[str]
    bindings: int
    progress: Progress
    result: ResultOut | None


async def list_discovered(office: AnOffice) -> FamiliesOut:
    """What comes that nobody has bound."""
    listed = await office.read(discovered.listed)
    site = office.deps.configuration.plant().site
    return FamiliesOut(items=[_family(one) for one in listed], most=MOST_FAMILIES, discover=list(site.discover))


async def show_discovered(office: AnOffice, id: FamilyId, type: str | None = None) -> OneFamilyOut:
    """One family: a sample, its values, where they come, and what each may be."""
    listed = await office.read(discovered.one, id)
    family, plant = listed.family, office.deps.configuration.plant()
    known = Known.of(family, plant, Precedents(plant))
    known = known.signed(await office.read(discovered.signed, known.patterns))
    chosen = type or known.type
    if chosen is not None and chosen not in plant.catalogue.types:
        raise BadInput(f"there is no equipment type {chosen!r}")
    found = None if chosen is None else offers.mapping(family, plant.catalogue.types[chosen], known.best(chosen))
    return OneFamilyOut(
        **_fields(listed),
        topic=family.topic,
        payload=family.payload.decode("utf-8", "backslashreplace"),
        size=family.size,
        found=[FoundOut.model_validate(one) for one in family.found],
        where=[SourceOut.model_validate(one) for one in family.sources],
        more_sources=family.more_sources,
        more_keys=family.more_keys,
        precedents=[_precedent(one) for one in known.precedents[:MOST_PRECEDENTS]],
        models=[_model(one) for one in known.models],
        types=[TypeOut.model_validate(one) for one in known.types],
        suggested=[] if found is None else _suggested(family, found),
        clock=Clock.DEVICE if found is None else found.clock,
        type=chosen,
    )


async def accept_discovered(office: AnOffice, id: FamilyId, ask: AcceptAsk, caller: Caller) -> AcceptanceOut:
    """Bind it. A running service takes it up at once, and decodes again what came before: see `result`."""
    family = (await office.read(discovered.one, id)).family
    made = await office.act(office.deps.binding.accept, family, ask.accepted(family), caller)
    return acceptance_out(made)


async def ignore_discovered(office: AnOffice, id: FamilyId, ask: IgnoreAsk, caller: Caller) -> FamilyOut:
    """Put it aside, or back on the list."""
    write = office.deps.ledger.write
    await office.act(write, discovered.ignore, id, caller, office.clock(), ignored=ask.ignored)
    return _family(await office.read(discovered.one, id))


async def listen(office: AnOffice, ask: ListenAsk, caller: Caller) -> ListenOut:
    """Listen to these topics, to see what comes there."""
    await office.act(office.deps.binding.listen, ask.filters, caller)
    return ListenOut(filters=ask.filters)


async def show_acceptance(office: AnOffice, id: AcceptanceId) -> AcceptanceOut:
    """What was accepted, and what decoding the past again gave."""
    return acceptance_out(await office.read(discovered.acceptance, id))


def acceptance_out(one: Acceptance) -> AcceptanceOut:
    """An acceptance as the API shows it."""
    return AcceptanceOut(
        id=one.id,
        at=one.at,
        author=one.author,
        family=one.family,
        revision=one.revision,
        equipment=sorted(one.accepted.bindings),
        bindings=one.accepted.count,
        progress=one.progress,
        result=None if one.result is None else ResultOut.model_validate(one.result),
    )


def _binding(ask: BindingAsk, family: Family) -> Binding:
    try:
        check_topic(ask.topic)
    except ValueError as error:
        raise BadInput(f"{ask.topic[:200]!r}: {error}") from None
    said = ask.model_dump(exclude={"equipment", "decoder", "sentinels"})
    return Binding(**said, decoder=ask.decoder or family.decoder, sentinels=tuple(ask.sentinels))


def _family(listed: Listed) -> FamilyOut:
    return FamilyOut(**_fields(listed))


def _fields(listed: Listed) -> dict[str, Any]:
    family = listed.family
    return {
        "id": family.id,
        "pattern": family.pattern,
        "decoder": family.decoder,
        "count": family.count,
        "per_minute": family.per_minute,
        "first_at": family.first_at,
        "last_at": family.last_at,
        "sources": len(family.sources),
        "keys": len(family.found),
        "trouble": family.trouble,
        "reason": family.reason,
        "ignored_by": listed.ignored_by,
    }


def _model(known: models.KnownModel) -> ModelOut:
    template = known.template
    name = Words.model_validate(template.text)
    return ModelOut(template=template.name, name=name, type=template.type, keys=known.keys, of=known.of)


def _precedent(one: Precedent) -> PrecedentOut:
    return PrecedentOut(
        equipment=one.equipment.id,
        name=Words.model_validate(one.equipment.text),
        type=one.equipment.type,
        pattern=one.pattern,
        keys=one.keys,
        author=None if one.signed is None else one.signed.author,
        at=None if one.signed is None else one.signed.at,
    )


def _suggested(family: Family, found: offers.Assignment) -> list[SuggestionOut]:
    return [
        SuggestionOut(
            name=value.name,
            chosen=_chosen(found.chosen.get(value.name)),
            others=[MatchOut.model_validate(match) for match in found.others.get(value.name, ())],
        )
        for value in naming.values_of(family)
    ]


def _chosen(one: offers.Suggestion | None) -> ChosenOut | None:
    if one is None:
        return None
    match, chosen = one.match, one.chosen
    return ChosenOut(
        **MatchOut.model_validate(match).model_dump(exclude={"scale"}),
        scale=chosen.scale,
        offset=chosen.offset,
        sentinels=list(chosen.sentinels),
        time=chosen.time,
        zone=chosen.zone,
    )
