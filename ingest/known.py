"""All that is known of a family: machines bound to messages like its, templates that know it, types that fit it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ingest import models, offers
from ingest.discovery import Family
from ingest.precedents import Precedent, Precedents, Signed, ranked
from plant.device import Template
from plant.devicefile import templates_of
from plant.site import Plant


@dataclass(frozen=True, slots=True)
class Known:
    """What a family may be; of each the best first. What people have bound goes before what templates say."""

    family: Family
    precedents: Sequence[Precedent]
    models: Sequence[models.KnownModel]
    types: Sequence[offers.KnownType]

    @staticmethod
    def of(family: Family, plant: Plant, precedents: Precedents) -> Known:
        """What a plant knows of a family; `precedents` are those of the plant."""
        return Known(
            family=family,
            precedents=ranked(family, precedents.like(family), {}),
            models=models.models(family, templates_of(plant.site)),
            types=offers.types(family, plant.catalogue),
        )

    @property
    def patterns(self) -> frozenset[str]:
        """The patterns of whose acceptances `signed` wants to know."""
        return frozenset(one.pattern for one in self.precedents)

    def signed(self, by: Mapping[tuple[str, str], Signed]) -> Known:
        """The same with who accepted what ((pattern, equipment) → who): what was accepted last goes first."""
        return replace(self, precedents=ranked(self.family, self.precedents, by))

    @property
    def type(self) -> str | None:
        """The equipment type to suggest; None where none fits."""
        if self.precedents:
            return self.precedents[0].equipment.type
        return self.models[0].template.type if self.models else (self.types[0].type if self.types else None)

    def best(self, type: str) -> Precedent | Template | None:
        """What says best how to bind it as a machine of a type."""
        like = next((one for one in self.precedents if one.equipment.type == type), None)
        return like or next((one.template for one in self.models if one.template.type == type), None)
