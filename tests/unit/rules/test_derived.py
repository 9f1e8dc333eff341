"""The derived quantities of the packaged equipment types, each compiled on its type's own grid."""

from __future__ import annotations

import pytest

from plant.catalogue import EquipmentType
from plant.cataloguefile import load_catalogue
from plant.units import Dimension
from rules.lang.arithmetic import ONE
from rules.lang.functions import Functions
from rules.lang.nodes import Const
from rules.lang.parse import Parser, Scope

CATALOGUE = load_catalogue()
QUANTITIES = [(kind, name) for kind in CATALOGUE.types.values() for name in kind.derived]


@pytest.mark.parametrize(("kind", "name"), QUANTITIES, ids=lambda part: getattr(part, "name", part))
def test_a_derived_quantity_compiles_with_its_units_and_ranges(kind: EquipmentType, name: str) -> None:
    points = dict(kind.points)
    for relation, target in kind.relations.items():
        points |= {f"{relation}.{point.name}": point for point in CATALOGUE.types[target].points.values()}
    consts = {
        parameter: Const((), ONE if found.unit == "1" else Dimension.of(found.unit), found.low, found.high, parameter)
        for parameter, found in kind.parameters.items()
    }
    scope = Scope(0, kind.step_ms, points, kind.derived, consts, kind.active)
    Parser(name, scope, Functions(scope)).parse()
