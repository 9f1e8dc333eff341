"""Units: factors are proved against pint, spellings and unit algebra against what the trade means by them."""

from __future__ import annotations

from decimal import Decimal

import pint
import pytest

from plant.errors import BadInput
from plant.unit_names import SPELLINGS
from plant.units import HOUSE, UNITS, Dimension, convert, unit_symbol

REGISTRY: pint.UnitRegistry[float] = pint.UnitRegistry()

# Our symbol → the same unit in pint's words. inH2O is 2.54 conventional cm of water; pint has no var, which is a VA.
IN_PINT = {
    "Cel": "degC", "degF": "degF", "K": "delta_degC", "K_degF": "delta_degF",
    "Pa": "Pa", "kPa": "kPa", "MPa": "MPa", "hPa": "hPa", "mbar": "mbar", "bar": "bar", "psi": "psi",
    "inH2O": "2.54 * cmH2O", "mmH2O": "0.1 * cmH2O", "mH2O": "100 * cmH2O",
    "kgf/cm2": "kgf/cm**2", "mmHg": "mmHg", "inHg": "inHg",
    "m3/h": "m**3/h", "L/s": "L/s", "m3/s": "m**3/s", "L/min": "L/min", "L/h": "L/h", "m3/d": "m**3/day",
    "gpm": "gallon/min", "cfm": "ft**3/min",
    "kW": "kW", "W": "W", "MW": "MW", "GW": "GW", "RT": "refrigeration_ton", "Btu/h": "Btu/h",
    "kW.h": "kWh", "W.h": "Wh", "MW.h": "MWh", "GW.h": "GWh", "kJ": "kJ", "MJ": "MJ", "GJ": "GJ",
    "kvar": "kVA", "var": "VA", "Mvar": "MVA", "kvar.h": "kVA*h", "var.h": "VA*h", "Mvar.h": "MVA*h",
    "kV.A": "kVA", "V.A": "VA", "MV.A": "MVA",
    "V": "V", "kV": "kV", "mV": "mV", "A": "A", "mA": "mA", "kA": "kA", "Hz": "Hz",
    "1": "dimensionless", "%": "percent", "ppm": "ppm",
    "m": "m", "cm": "cm", "mm": "mm", "m3": "m**3", "L": "L",
    "h": "h", "min": "min", "s": "s", "ms": "ms", "d": "day", "m/s": "m/s", "mm/s": "mm/s", "km/h": "km/h",
    "uS/cm": "uS/cm", "mS/cm": "mS/cm", "W/m2": "W/m**2", "mg/L": "mg/L", "mg/m3": "mg/m**3", "ug/m3": "ug/m**3",
}  # fmt: skip
PAIRS = [
    (one.symbol, two.symbol)
    for one in UNITS.values()
    for two in UNITS.values()
    if one.quantity == two.quantity and one.symbol != two.symbol
]


def test_every_unit_but_bool_has_its_counterpart_in_pint() -> None:
    assert set(IN_PINT) == set(UNITS) - {"bool"}


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_conversions_agree_with_pint(source: str, target: str) -> None:
    if source in ("Cel", "degF"):
        expected = REGISTRY.Quantity(37.5, IN_PINT[source]).to(IN_PINT[target]).magnitude
    else:
        one, two = REGISTRY.parse_expression(IN_PINT[source]), REGISTRY.parse_expression(IN_PINT[target])
        expected = 37.5 * (one / two).to("dimensionless").magnitude
    assert convert(37.5, source, target) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (32.0, "degF", "Cel", 0.0),
        (70.0, "°F", "Cel", 21.11111111111111),
        (300.15, "K", "Cel", 27.0),
        (0.35, "MPa", "kPa", 350.0),
        (0.1, "bar", "kPa", 10.0),
        (0.93, "1", "%", 93.0),
        (1.4, "inH2O", "Pa", 348.724474),
        (150.0, "W", "kW", 0.15),
        (3.6, "m³/h", "L/s", 1.0),
    ],
)
def test_conversions_of_site_values(value: float, source: str, target: str, expected: float) -> None:
    assert convert(value, source, target) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_a_power_of_ten_is_rounded_once() -> None:
    assert [convert(n, "W", "kW") for n in range(2000)] == [float(Decimal(n) / 1000) for n in range(2000)]


@pytest.mark.parametrize(("source", "target"), [("Cel", "K"), ("kW", "kW.h"), ("kW", "kV.A"), ("bool", "1")])
def test_different_quantities_are_not_converted(source: str, target: str) -> None:
    with pytest.raises(BadInput, match="no conversion"):
        convert(1.0, source, target)


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("℃", "Cel"), ("°C", "Cel"), ("C", "Cel"), ("degC", "Cel"), ("m³/h", "m3/h"), ("㎥/h", "m3/h"),
        ("kWh", "kW.h"), ("KWH", "kW.h"), ("kW·h", "kW.h"), ("度", "kW.h"), ("RH%", "%"), ("%RH", "%"), ("％", "%"),
        ("µS/cm", "uS/cm"), ("kVA", "kV.A"), ("mA", "mA"), ("MW", "MW"), ("W", "W"), ("kPa ", "kPa"), ("兆帕", "MPa"),
        ("℉", "degF"), ("摄氏度", "Cel"), ("ºC", "Cel"), ("˚C", "Cel"), ("deg C", "Cel"), ("华氏度", "degF"),
        ("千瓦时", "kW.h"), ("千瓦·时", "kW.h"), ("千瓦⋅小时", "kW.h"), ("kW*h", "kW.h"), ("kW⋅h", "kW.h"),
        ("㎾h", "kW.h"),
        ("kVArh", "kvar.h"), ("kVAr", "kvar"), ("千乏时", "kvar.h"), ("VAR", "var"), ("MVAr", "Mvar"),
        ("Mvarh", "Mvar.h"),
        ("MWh", "MW.h"), ("MWH", "MW.h"), ("MAH", "Mvar.h"), ("立方米/小时", "m3/h"), ("m³/小时", "m3/h"),
        ("t/h", "m3/h"),
        ("冷吨", "RT"), ("公斤/平方厘米", "kgf/cm2"), ("kgf/cm²", "kgf/cm2"), ("㎎/L", "mg/L"), ("µg/m³", "ug/m3"),
        ("赫兹", "Hz"), ("功率因数", "1"), ("cosφ", "1"), ("㎪", "kPa"), ("W/m²", "W/m2"), ("l/s", "L/s"),
    ],
)  # fmt: skip
def test_spellings_seen_in_messages(text: str, symbol: str) -> None:
    assert unit_symbol(text) == symbol


@pytest.mark.parametrize("text", ["mw", "mwh", "mw.h", "mva", "mvarh", "MvaRh", "M", "", "kPb", "foo"])
def test_what_could_be_two_units_or_none_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="is no known unit"):
        unit_symbol(text)


def test_a_misspelled_unit_gets_a_suggestion() -> None:
    with pytest.raises(BadInput, match=r"'kwatt' is no known unit; did you mean 'W'\?"):
        unit_symbol("kwatt")


def test_no_spelling_belongs_to_two_units() -> None:
    spellings = [spelling for symbol, others in SPELLINGS.items() for spelling in (symbol, *others)]
    assert len(spellings) == len(set(spellings))
    assert set(SPELLINGS) <= set(UNITS)


def of(unit: str) -> Dimension:
    return Dimension.of(unit)


@pytest.mark.parametrize(
    ("left", "right", "total", "difference"),
    [
        ("Cel", "Cel", None, "K"),
        ("Cel", "K", "Cel", "Cel"),
        ("K", "Cel", "Cel", None),
        ("K", "K", "K", "K"),
        ("kW", "kW", "kW", "kW"),
        ("%", "1", None, None),
        ("kPa", "Pa", None, None),
    ],
)
def test_what_may_be_added(left: str, right: str, total: str | None, difference: str | None) -> None:
    assert of(left).plus(of(right)) == (of(total) if total else None)
    assert of(left).minus(of(right)) == (of(difference) if difference else None)


def test_products_and_quotients() -> None:
    assert of("kW").times(of("h")) == of("kW.h")
    assert of("m3").over(of("h")) == of("m3/h")
    assert of("kPa").over(of("kPa")) == of("1") == Dimension()
    assert of("%").times(of("kW")) != of("kW")
    assert of("m/s").times(of("m/s")).root() == of("m/s")
    assert of("K").over(of("h")) == of("K/h")


@pytest.mark.parametrize("unit", sorted(HOUSE - {"bool"}))
def test_a_dimension_is_written_as_it_is_read(unit: str) -> None:
    assert of(str(of(unit))) == of(unit)


def test_a_dimension_is_written_in_unit_symbols() -> None:
    assert str(of("kW").over(of("m3").times(of("K")))) == "kW/K/m3"
    assert str(of("kPa").root()) == "kPa^1/2"
    assert str(of("h").times(of("kW"))) == "kW.h"


@pytest.mark.parametrize("unit", ["foo", "kW..h", "K/", "", "Cel2x"])
def test_what_is_no_unit_has_no_dimension(unit: str) -> None:
    with pytest.raises(BadInput, match="is no unit"):
        of(unit)
