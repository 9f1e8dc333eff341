"""A plant as bytes: the same plant gives the same bytes on every machine, and the bytes give the plant back."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from plant.catalogue import Catalogue, Text
from plant.device import Template
from plant.errors import Corrupt
from plant.site import Equipment, Mode, Plant, PlantClock, Site


class _Content(msgspec.Struct, frozen=True):
    """What is written. A Site is taken apart, because it caches things that are no part of it."""

    catalogue: Catalogue
    id: str
    zone: str
    text: Text
    equipment: Mapping[str, Equipment]
    clock: PlantClock
    mode: Mode
    discover: tuple[str, ...] = ()
    templates: tuple[Template, ...] = ()


_ENCODER = msgspec.json.Encoder(order="sorted")
_DECODER = msgspec.json.Decoder(_Content)


def encode(plant: Plant) -> bytes:
    """The plant as JSON with sorted keys."""
    site = plant.site
    return _ENCODER.encode(
        _Content(
            catalogue=plant.catalogue,
            id=site.id,
            zone=site.zone,
            text=site.text,
            equipment=site.equipment,
            clock=site.clock,
            mode=site.mode,
            discover=site.discover,
            templates=site.templates,
        )
    )


def decode(content: bytes) -> Plant:
    """The plant `encode` was given. Raises Corrupt for what it did not write."""
    try:
        found = _DECODER.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Corrupt(f"stored plant cannot be read: {error}") from None
    site = Site(
        id=found.id,
        zone=found.zone,
        text=found.text,
        equipment=found.equipment,
        clock=found.clock,
        mode=found.mode,
        discover=found.discover,
        templates=found.templates,
    )
    return Plant(found.catalogue, site)
