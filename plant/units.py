"""Units of measure: their symbols and other spellings, conversion between them, and what may be added to what.

Symbols follow UCUM where it has one (DOMAIN §1.1). Factors are exact rationals by definition of the unit, so a
conversion rounds once.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from plant.errors import BadInput
from plant.unit_names import SPELLINGS

_SPLIT = re.compile(r"([./])")
_ATOM = re.compile(r"(%|[A-Za-z]+?)(-?\d)?")


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of a quantity: value in the quantity's base unit = `factor` × value + `offset`.

    `house` units are those points, parameters and derived quantities are declared in; the others come in messages.
    """

    symbol: str
    quantity: str
    factor: Fraction
    offset: Fraction = Fraction(0)
    house: bool = True


@dataclass(frozen=True, slots=True)
class Conversion:
    """From one unit to another: (`scale` × value + `offset`) / `divisor`, which rounds less than a float factor."""

    scale: float
    offset: float
    divisor: float

    def __call__(self, value: float) -> float:
        """The value in the other unit."""
        return (self.scale * value + self.offset) / self.divisor


def _units(quantity: str, *, house: str = "", foreign: str = "") -> list[Unit]:
    """From `symbol=factor` words; the factor may be a fraction."""
    return [
        Unit(symbol, quantity, Fraction(factor), house=is_house)
        for words, is_house in ((house, True), (foreign, False))
        for symbol, factor in (word.split("=") for word in words.split())
    ]


# psi = lbf/in² = 4.4482216152605 N / 0.00064516 m²; inH2O is the conventional inch of water of 1000 kg/m³;
# gal = 3.785411784 L (US); mmHg and inHg are the conventional ones; Btu = 1055.056 J (ISO 31-4), RT =
# 12000 Btu/h (冷吨, US). A K of a message is an absolute temperature, a K of the house is a difference.
_ALL = [
    Unit("Cel", "temperature", Fraction(1)),
    Unit("degF", "temperature", Fraction(5, 9), Fraction(-160, 9), house=False),
    *_units("difference", house="K=1", foreign="K_degF=5/9"),
    *_units("pressure", house="Pa=1 kPa=1000", foreign="MPa=1000000 hPa=100 mbar=100 bar=100000 inH2O=249.08891"),
    *_units("pressure", foreign="psi=44482216152605/6451600000 mmH2O=9.80665 mH2O=9806.65 kgf/cm2=98066.5"),
    *_units("pressure", foreign="mmHg=133.322387415 inHg=3386.388640341"),
    *_units("volume flow", house="m3/h=1 L/s=36/10", foreign="m3/s=3600 L/min=6/100 L/h=1/1000 m3/d=1/24"),
    *_units("volume flow", foreign="gpm=227124707/1000000000 cfm=1699010796/1000000000"),
    *_units("power", house="kW=1", foreign="W=1/1000 MW=1000 GW=1000000"),
    *_units("power", foreign="RT=1055056/300000 Btu/h=1055056/3600000000"),
    *_units(
        "energy", house="kW.h=1", foreign="W.h=1/1000 MW.h=1000 GW.h=1000000 kJ=1/3600 MJ=1000/3600 GJ=1000000/3600"
    ),
    *_units("reactive power", house="kvar=1", foreign="var=1/1000 Mvar=1000"),
    *_units("reactive energy", house="kvar.h=1", foreign="var.h=1/1000 Mvar.h=1000"),
    *_units("apparent power", house="kV.A=1", foreign="V.A=1/1000 MV.A=1000"),
    *_units("voltage", house="V=1", foreign="kV=1000 mV=1/1000"),
    *_units("current", house="A=1 mA=1/1000", foreign="kA=1000"),
    *_units("frequency", house="Hz=1"),
    *_units("ratio", house="1=1 %=1/100 ppm=1/1000000"),
    *_units("length", house="m=1", foreign="cm=1/100 mm=1/1000"),
    *_units("volume", house="m3=1", foreign="L=1/1000"),
    *_units("time", house="h=3600 min=60 s=1", foreign="ms=1/1000 d=86400"),
    *_units("speed", house="m/s=1 mm/s=1/1000", foreign="km/h=10/36"),
    *_units("conductivity", house="uS/cm=1", foreign="mS/cm=1000"),
    *_units("irradiance", house="W/m2=1"),
    *_units("concentration", house="mg/L=1", foreign="mg/m3=1/1000 ug/m3=1/1000000"),
    *_units("truth", house="bool=1"),
]
UNITS: Mapping[str, Unit] = {unit.symbol: unit for unit in _ALL}
"""Every unit by symbol."""

HOUSE = frozenset(unit.symbol for unit in _ALL if unit.house)
"""Symbols that points, parameters and derived quantities may be declared in."""

_ALIKE = str.maketrans({" ": None, "μ": "u", **dict.fromkeys("·•∙⋅・*×", ".")})
"""What is left out or written another way before a unit is looked up: kW·h, kW⋅h and kW*h are kW.h."""

_ABSOLUTE_ZERO = Fraction("-273.15")
# Upper and lower case tell a milliwatt from a megawatt and minutes from metres, so a lone letter and these stay exact.
_CASE_MATTERS = frozenset({"mw", "mwh", "mvar", "mvarh", "mva", "mvah"})
_SPELLED = {spelling: symbol for symbol, spellings in SPELLINGS.items() for spelling in (symbol, *spellings)}
_FOLDED = {
    spelling.casefold(): symbol
    for spelling, symbol in _SPELLED.items()
    if len(spelling) > 1 and spelling.casefold().replace(".", "") not in _CASE_MATTERS
}


def is_unit(text: str) -> bool:
    """Whether a text is a unit in any known spelling; cheaper to ask than `unit_symbol`, which also advises."""
    return _symbol(text) is not None


def _symbol(text: str) -> str | None:
    plain = unicodedata.normalize("NFKC", text).translate(_ALIKE)
    return plain if plain in UNITS else _SPELLED.get(plain) or _FOLDED.get(plain.casefold())


@lru_cache(maxsize=4096)
def unit_symbol(text: str) -> str:
    """The symbol of a unit in any known spelling: `℃`, `°C`, `CEL` → `Cel`; `m³/h` → `m3/h`.

    Raises BadInput, with a suggestion, for what is no known unit.
    """
    found = _symbol(text)
    if found is None:
        plain = unicodedata.normalize("NFKC", text).translate(_ALIKE)
        near = difflib.get_close_matches(plain, [*UNITS, *_SPELLED], n=1, cutoff=0.5)
        advice = f"did you mean {_SPELLED.get(near[0], near[0])!r}?" if near else f"known: {', '.join(sorted(UNITS))}"
        raise BadInput(f"{text[:40]!r} is no known unit; {advice}")
    return found


@lru_cache(maxsize=4096)
def conversion(source: str, target: str) -> Conversion:
    """How values in `source` become values in `target` (symbols or other spellings).

    `K` to `Cel` takes the K as absolute; nothing but a difference (`K`, `K_degF`) becomes a `K`. Raises BadInput for
    an unknown unit and where the two measure different things.
    """
    one, two = UNITS[unit_symbol(source)], UNITS[unit_symbol(target)]
    if one.symbol == "K" and two.quantity == "temperature":
        one = Unit("K", "temperature", Fraction(1), _ABSOLUTE_ZERO)
    if one.quantity != two.quantity:
        raise BadInput(f"{source!r} measures {one.quantity}, {target!r} measures {two.quantity}: no conversion")
    scale, offset = one.factor / two.factor, (one.offset - two.offset) / two.factor
    divisor = scale.denominator * offset.denominator
    return Conversion(float(scale * divisor), float(offset * divisor), float(divisor))


def convert(value: float, source: str, target: str) -> float:
    """A value in `source` as a value in `target`; raises as `conversion`."""
    return conversion(source, target)(value)


@dataclass(frozen=True, slots=True)
class Dimension:
    """What an expression is measured in: powers of base symbols, sorted, none zero. `Dimension(())` is a plain number.

    Units of one quantity but another size are different here (kPa and Pa are not added), and so are `%` and `1`.
    """

    powers: tuple[tuple[str, Fraction], ...] = ()

    @staticmethod
    def of(unit: str) -> Dimension:
        """From a symbol, or from symbols joined by `.` and `/`: `kW.h`, `K/min`, `1/K`. Raises BadInput."""
        powers: dict[str, Fraction] = {}
        sign = 1
        for part in _SPLIT.split(unit):
            if part in (".", "/"):
                # As in UCUM, a slash holds for the next symbol alone: K/h.m is (K/h)·m.
                sign = -1 if part == "/" else 1
            elif part not in ("1", "bool"):
                symbol, power = _atom(part, unit)
                powers[symbol] = powers.get(symbol, Fraction(0)) + sign * power
        return _made(powers)

    def times(self, other: Dimension) -> Dimension:
        """Dimension of a product."""
        return _combined(self, other, 1)

    def over(self, other: Dimension) -> Dimension:
        """Dimension of a quotient."""
        return _combined(self, other, -1)

    def root(self) -> Dimension:
        """Dimension of a square root."""
        return Dimension(tuple((symbol, power / 2) for symbol, power in self.powers))

    def plus(self, other: Dimension) -> Dimension | None:
        """Dimension of a sum; None where the two cannot be added: Cel + K is Cel, Cel + Cel is nothing."""
        if self == CEL:
            return CEL if other == KELVIN else None
        if other == CEL:
            return CEL if self == KELVIN else None
        return self if self == other else None

    def minus(self, other: Dimension) -> Dimension | None:
        """Dimension of a difference; None where there is none: Cel − Cel is K, Cel − K is Cel."""
        if self == CEL:
            return {CEL: KELVIN, KELVIN: CEL}.get(other)
        return self if self == other else None

    def __str__(self) -> str:
        known = _SYMBOLS.get(self)
        if known is not None:
            return known
        above = [_power_text(symbol, power) for symbol, power in self.powers if power > 0]
        below = [f"/{_power_text(symbol, -power)}" for symbol, power in self.powers if power < 0]
        return (".".join(above) or "1") + "".join(below)


def _atom(part: str, unit: str) -> tuple[str, Fraction]:
    match = _ATOM.fullmatch(part)
    if match is None or (match[1] not in UNITS and match[1] not in _PARTS):
        raise BadInput(f"{unit!r} is no unit; write symbols joined by . and / such as kW.h or K/min")
    return match[1], Fraction(match[2] or 1)


_PARTS = frozenset(
    match[1] for symbol in UNITS for part in re.split(r"[./]", symbol) if (match := _ATOM.fullmatch(part))
)


def _made(powers: Mapping[str, Fraction]) -> Dimension:
    return Dimension(tuple(sorted((symbol, power) for symbol, power in powers.items() if power)))


def _combined(one: Dimension, two: Dimension, sign: int) -> Dimension:
    powers = dict(one.powers)
    for symbol, power in two.powers:
        powers[symbol] = powers.get(symbol, Fraction(0)) + sign * power
    return _made(powers)


def _power_text(symbol: str, power: Fraction) -> str:
    if power == 1:
        return symbol
    return f"{symbol}{power}" if power.denominator == 1 else f"{symbol}^{power}"


_SYMBOLS = {Dimension.of(symbol): symbol for symbol in sorted(HOUSE - {"bool"})}
CEL = Dimension.of("Cel")
KELVIN = Dimension.of("K")
