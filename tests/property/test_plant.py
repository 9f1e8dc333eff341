"""Whatever a registry holds: its YAML reads back equal, and its canonical bytes are stable."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from plant.canonical import decode, encode
from plant.catalogue import Parameter, Text
from plant.cataloguefile import load_catalogue
from plant.errors import ConfigError
from plant.registry import load_site, site_to_yaml
from plant.site import Binding, Clock, Equipment, Mode, Plant, PlantClock, Site
from plant.units import UNITS, conversion, convert
from plant.yamlfile import Strict, load_yaml

CATALOGUE = load_catalogue()
IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,8}", fullmatch=True)
TEXTS = st.builds(Text, st.text(max_size=12), st.text(max_size=12))
LEVELS = st.from_regex(r"[a-z0-9配电室.-]{1,8}", fullmatch=True)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
RULE_IDS = st.sampled_from(["CH-04", "AH-FC13", "BH-05"])


def parameter_values(parameters: list[Parameter]) -> st.SearchStrategy[dict[str, float]]:
    return st.fixed_dictionaries({}, optional={p.name: st.floats(p.low, p.high) for p in parameters})


def bindings(points: list[str]) -> st.SearchStrategy[tuple[Binding, ...]]:
    one = st.builds(
        Binding,
        topic=st.from_regex(r"[a-z #:']{0,6}[a-z]/\+/x", fullmatch=True).filter(lambda topic: "#" not in topic),
        point=st.sampled_from(points),
        key=st.none() | st.text(max_size=8),
        scale=NUMBERS.filter(bool),
        offset=NUMBERS,
        clock=st.sampled_from(Clock),
        decoder=st.sampled_from(["native", "plain"]),
    )
    return st.lists(one, max_size=3, unique_by=lambda binding: binding.point).map(tuple)


@st.composite
def sites(draw: st.DrawFn) -> Site:
    machines: dict[str, Equipment] = {}
    paths = draw(st.lists(st.tuples(LEVELS, LEVELS).map("/".join), max_size=4, unique=True))
    for name, path in zip(draw(st.lists(IDS, min_size=4, max_size=4, unique=True)), paths, strict=False):
        kind = CATALOGUE.types[draw(st.sampled_from(sorted(CATALOGUE.types)))]
        places = draw(st.lists(st.sampled_from(["incoming", "outgoing", "busbar"]), max_size=3, unique=True))
        fitting = {relation: [m for m in machines.values() if m.type == to] for relation, to in kind.relations.items()}
        machines[name] = Equipment(
            id=name,
            path=path,
            type=kind.name,
            text=draw(TEXTS),
            parameters=draw(parameter_values(list(kind.parameters.values()))),
            members={family: {"loc": tuple(places)} for family in kind.families if places},
            bindings=() if kind.by_service else draw(bindings(sorted(kind.points))),
            relations={relation: (others[0].id,) for relation, others in fitting.items() if others},
            interval_ms=draw(st.none() | st.integers(1, 10**9)),
            rule_modes=draw(st.dictionaries(RULE_IDS, st.sampled_from(Mode))),
            rule_params=draw(st.dictionaries(RULE_IDS, st.dictionaries(IDS, NUMBERS, min_size=1))),
            retired=draw(st.booleans()),
        )
    zone = draw(st.sampled_from(["UTC", "Asia/Shanghai"]))
    return Site(draw(IDS), zone, draw(TEXTS), machines, draw(st.sampled_from(PlantClock)), draw(st.sampled_from(Mode)))


@given(sites())
def test_an_exported_site_imports_back_equal(site: Site) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "site.yaml"
        path.write_bytes(site_to_yaml(site).encode())
        assert load_site(path, CATALOGUE) == site


@given(sites())
def test_canonical_bytes_give_the_plant_back_and_are_stable(site: Site) -> None:
    plant = Plant(CATALOGUE, site)
    content = encode(plant)
    assert decode(content) == plant
    assert encode(decode(content)) == content


class Anything(Strict):
    name: str
    items: dict[str, float | str | tuple[str, ...]] = {}  # noqa: RUF012 - pydantic copies it


@given(st.text(alphabet="name:items -{}[],'\"&*!|>#\n\t?%@`\\\x00中1.e", max_size=60))
def test_any_text_is_a_model_or_problems_inside_the_text(text: str) -> None:
    try:
        load_yaml(text, Anything)
    except ConfigError as error:
        lines = text.replace("\r", "\n").split("\n")
        for problem in error.problems:
            assert 1 <= problem.line <= len(lines) + 1
            assert 1 <= problem.column <= max(map(len, lines)) + 1


PAIRS = [(a.symbol, b.symbol) for a in UNITS.values() for b in UNITS.values() if a.quantity == b.quantity != "truth"]


@given(st.sampled_from(PAIRS), st.floats(-1e6, 1e6))
def test_there_and_back_is_the_same_value(pair: tuple[str, str], value: float) -> None:
    source, target = pair
    back = convert(convert(value, source, target), target, source)
    assert abs(back - value) <= 1e-9 * max(1.0, abs(value))
    assert conversion(source, source)(value) == value
