"""Numbers as people read them: sensible digits, the unit's printed form, a space between the two."""

from __future__ import annotations

import math

_UNITS = {
    "Cel": "℃",
    "degF": "℉",
    "m3": "m³",
    "m3/h": "m³/h",
    "m3/s": "m³/s",
    "m3/d": "m³/d",
    "kW.h": "kWh",
    "W.h": "Wh",
    "MW.h": "MWh",
    "kvar.h": "kvarh",
    "kV.A": "kVA",
    "V.A": "VA",
    "uS/cm": "µS/cm",
    "W/m2": "W/m²",
    "mg/m3": "mg/m³",
    "1": "",
    "bool": "",
}
_SHOWN = {"Cel": 1, "K": 1, "%": 1, "kPa": 1, "Pa": 0, "m3/h": 1, "kW": 1, "V": 1, "A": 1, "Hz": 2, "ppm": 0, "mA": 0}
_MOST = 4


def unit_text(unit: str) -> str:
    """A unit as panels and people write it."""
    return _UNITS.get(unit, unit)


def number(value: float | None, unit: str = "1", decimals: int | None = None) -> str:
    """The digits alone; `decimals` is the point's own resolution and caps what the unit would show."""
    if value is None or not math.isfinite(value):
        return "–"
    shown = _SHOWN.get(unit, 2 if abs(value) < 10 else 1)
    if decimals is not None:
        shown = min(shown, max(0, decimals))
    if abs(value) >= 10_000:
        shown = 0
    text = f"{value:.{min(shown, _MOST)}f}"
    return text.replace("-", "−") if float(text) else text.lstrip("-")


def quantity(value: float | None, unit: str, decimals: int | None = None) -> str:
    """Digits and unit, `34.3 ℃`."""
    printed = unit_text(unit)
    digits = number(value, unit, decimals)
    return f"{digits} {printed}" if printed and digits != "–" else digits


def plain(value: float) -> str:
    """A number as a configuration writes it: `3`, `0.85`; no digit more than it has."""
    return f"{value:g}".replace("-", "−")
