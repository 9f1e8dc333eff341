"""Which point a value most likely is: by its name, its unit and its size, with the reasons in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from plant.catalogue import Kind, Point, Text
from plant.errors import BadInput
from plant.tradewords import PHASES, QUANTITIES, tags, tags_of_key, unknown_words
from plant.units import UNITS, convert, unit_symbol

LEAST = 40
"""Scores below say too little to be shown."""

_BY_NAME, _BY_UNIT, _BY_VALUE = 60, 20, 20
_MARGIN = 3
"""By how much the best match must lead to be taken for the one."""
_CLEAR = 0.7
"""How much of the names must be common to take it without asking."""
_UNKNOWN = 1.0
"""How much a word of a point's name weighs that the value says nothing of."""
_GUESSES: Mapping[str, tuple[str, ...]] = {
    "kW": ("kW", "W"),
    "kvar": ("kvar", "var"),
    "kV.A": ("kV.A", "V.A"),
    "kW.h": ("kW.h", "W.h"),
    "mA": ("mA", "A"),
    "kPa": ("kPa", "bar", "MPa", "Pa"),
    "m3/h": ("m3/h", "L/min"),
    "L/s": ("L/s", "L/min", "m3/h"),
    "1": ("1", "%"),
}
"""In which units a point of this unit is sent where the message names none, the likeliest first."""

_REGISTERS = (0.1, 0.01)
_OF_ONE_SIZE = frozenset({"voltage", "frequency"})


@dataclass(frozen=True, slots=True)
class Value:
    """A value found in a message: its key (or its topic where that is the value) as `name`, newest value and unit.

    `label` is what its device calls it elsewhere, in words.
    """

    name: str
    value: float
    unit: str | None = None
    state: bool = False
    label: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """A point for a value: `score` of 100, the unit to bind it with (None: it is the point's), and why.

    `scale`: what to multiply a raw register with. `clear`: the names have so much in common that it may be taken
    without asking.
    """

    point: str
    score: int
    unit: str | None
    reasons: tuple[Text, ...]
    clear: bool = True
    scale: float = 1.0


def matches(value: Value, points: Iterable[Point], most: int = 5) -> list[Match]:
    """The points a value may be, the likeliest first; those of another quantity or out of range are none."""
    said = tags_of_key(value.name, _quantity(value.unit), state=value.state) | tags(value.label)
    found = [match for point in points if (match := _match(value, said, point)) is not None and match.score >= LEAST]
    return sorted(found, key=lambda match: (-match.score, match.point))[:most]


def _is_clear(likely: Sequence[Match]) -> bool:
    if not likely or not likely[0].clear:
        return False
    return len(likely) == 1 or likely[0].score - likely[1].score >= _MARGIN


def _quantity(unit: str | None) -> str | None:
    try:
        return None if unit is None else UNITS[unit_symbol(unit)].quantity
    except BadInput:
        return None


def assign(values: Sequence[Value], points: Sequence[Point]) -> dict[str, Match]:
    """Value name → its point, no point twice: the best match goes first.

    A value that may be one point as well as another (any temperature, on a chiller) is left to people; so is one whose
    point another value fits better and whose next best is unclear (of three powers only one is the total).
    """
    found = {value.name: matches(value, points) for value in values}
    pairs = [(match, name) for name, likely in found.items() if _is_clear(likely) for match in likely if match.clear]
    taken: set[str] = set()
    chosen: dict[str, Match] = {}
    for match, name in sorted(pairs, key=lambda pair: (-pair[0].score, pair[1])):
        if name not in chosen and match.point not in taken:
            chosen[name] = match
            taken.add(match.point)
    return chosen


@lru_cache(maxsize=4_096)
def _said_of(name: str, zh: str, en: str) -> frozenset[str]:
    return tags(name) | tags(zh) | tags(en)


def _match(value: Value, said: frozenset[str], point: Point) -> Match | None:
    meant = _said_of(point.name, point.text.zh, point.text.en)
    common = said & meant
    if not common & QUANTITIES - {"status"} and not (point.kind is Kind.STATUS and common - {"status"}):
        return None
    said = _completed(value, said, meant)
    common = said & meant
    if (said ^ meant) & QUANTITIES - {"count"} and _differ(said, meant):
        return None
    likeness = _weight(common) / (_weight(said | meant) + _UNKNOWN * unknown_words(point.name))
    unit = _unit(value, point)
    if unit is None:
        return _register(value, point) if said == meant and value.unit is None else None
    symbol, by_unit, told = unit
    size = _size(value, symbol, point)
    if size is None:
        return None
    by_value, seen = size
    score = round(_BY_NAME * likeness + by_unit + by_value)
    named = Text(f"名称：{value.name} ≈ {point.text.zh}", f"name: {value.name} ≈ {point.text.en}")
    return Match(point.name, score, None if symbol == point.unit else symbol, (named, *told, seen), likeness >= _CLEAR)


def _register(value: Value, point: Point) -> Match | None:
    """A raw register of a meter: only what is always of about one size (a voltage, the frequency) tells its factor."""
    if point.typical is None or UNITS[point.unit].quantity not in _OF_ONE_SIZE or value.value % 1:
        return None
    low, high = point.typical
    scale = next((one for one in _REGISTERS if low <= value.value * one <= high), None)
    if scale is None:
        return None
    named = Text(f"名称：{value.name} ≈ {point.text.zh}", f"name: {value.name} ≈ {point.text.en}")
    raw = Text(
        f"原始寄存器：× {scale:g} 为 {value.value * scale:.6g} {point.unit}；电流、功率的系数请一并核对",
        f"raw register: × {scale:g} is {value.value * scale:.6g} {point.unit}; look at the factors of currents and "
        "powers, too",
    )
    return Match(point.name, _BY_NAME + _BY_VALUE // 2, None, (named, raw), scale=scale)


def _completed(value: Value, said: frozenset[str], meant: frozenset[str]) -> frozenset[str]:
    """What a name leaves unsaid because it goes without saying."""
    if not said & {"import", "export"}:
        said |= meant & {"import"}  # energy that says no direction is what was taken
    if not said & PHASES:
        said |= meant & {"total"}
    if not meant & PHASES and meant & {"frequency", "factor"}:
        said -= PHASES  # one is as good as the other
    return said | (meant & {"status"} if value.value in (0.0, 1.0) else frozenset())


def _differ(said: frozenset[str], meant: frozenset[str]) -> bool:
    """Reactive power is no power, a harmonic current no current, energy no power."""
    telling = frozenset({"reactive", "apparent", "energy", "factor", "harmonic", "residual", "demand", "status"})
    return bool((said ^ meant) & telling)


def _weight(found: frozenset[str]) -> float:
    return sum(2.0 if tag in QUANTITIES else 1.0 for tag in found)


def _unit(value: Value, point: Point) -> tuple[str, int, tuple[Text, ...]] | None:
    """The unit to take, points for it, and why; None where the message's unit measures something else."""
    house = UNITS[point.unit]
    if value.unit is not None:
        try:
            symbol = unit_symbol(value.unit)
            convert(value.value, symbol, point.unit)
        except BadInput:
            return None
        return symbol, _BY_UNIT, (Text(f"单位：{symbol} → {point.unit}", f"unit: {symbol} → {point.unit}"),)
    if house.quantity == "truth" and value.value not in (0.0, 1.0):
        return None
    guesses = _GUESSES.get(point.unit, (point.unit,))
    for low, high in (point.typical or (point.low, point.high), (point.low, point.high)):
        for symbol in guesses:
            if low <= convert(value.value, symbol, point.unit) <= high:
                guessed = Text(f"单位：消息里没有，按数值估为 {symbol}", f"unit: none in the message, {symbol} by size")
                return symbol, _BY_UNIT // 2, (guessed,)
    return None


def _size(value: Value, unit: str, point: Point) -> tuple[int, Text] | None:
    """Points for the value's size and what it tells; None out of the hard range."""
    there = convert(value.value, unit, point.unit)
    if not point.low <= there <= point.high:
        return None
    shown = f"{there:.6g} {point.unit}"
    if point.typical is not None and point.typical[0] <= there <= point.typical[1]:
        low, high = point.typical
        return _BY_VALUE, Text(
            f"数值：{shown} 在常见范围 {low:g}–{high:g} 内", f"value: {shown} is usual ({low:g}–{high:g})"
        )
    low, high = point.low, point.high
    points = _BY_VALUE * 3 // 4 if point.typical is None else _BY_VALUE // 4
    return points, Text(f"数值：{shown} 在量程 {low:g}–{high:g} 内", f"value: {shown} is in range ({low:g}–{high:g})")
