"""What names of values mean in the trade: abbreviations on meters, words of makers in Chinese and English, as tags.

A tag is a quantity (`voltage`, `power`) or what tells points of one quantity apart (`l1`, `supply`, `top`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

PHASES = frozenset({"l1", "l2", "l3", "neutral"})
QUANTITIES = frozenset({
    "voltage", "current", "power", "reactive", "apparent", "energy", "factor", "frequency", "temperature", "humidity",
    "level", "pressure", "flow", "volume", "status", "speed", "vibration", "position", "demand", "harmonic",
    "residual", "count",
})  # fmt: skip
"""Tags that say what is measured; the others say where or which."""

_WORDS: Mapping[str, str] = {
    # quantities
    "voltage": "voltage", "volt": "voltage", "volts": "voltage", "current": "current", "amp": "current",
    "amps": "current", "amperage": "current", "power": "power", "apower": "power", "watt": "power",
    "watts": "power", "kw": "power",
    "reactive": "reactive", "reactivepower": "reactive", "kvar": "reactive", "apparent": "apparent", "aprt": "apparent",
    "kva": "apparent", "energy": "energy", "kwh": "energy", "wh": "energy", "aenergy": "energy", "watthour": "energy",
    "factor": "factor", "pf": "factor", "cosphi": "factor", "cos": "factor", "frequency": "frequency",
    "freq": "frequency", "hz": "frequency", "temperature": "temperature", "temp": "temperature", "tc": "temperature",
    "tf": "temperature", "curtemp": "temperature", "humidity": "humidity", "hum": "humidity", "rh": "humidity",
    "level": "level", "pressure": "pressure", "press": "pressure", "flow": "flow", "flowrate": "flow",
    "volume": "volume", "status": "status", "state": "status", "alarm": "status", "online": "status online",
    "speed": "speed", "vibration": "vibration", "position": "position", "valve": "valve", "demand": "demand",
    "thd": "harmonic", "harmonic": "harmonic", "leakage": "residual", "residual": "residual",
    # which
    "total": "total", "sum": "total", "avg": "average", "average": "average", "a": "l1", "b": "l2", "c": "l3",
    "l1": "l1", "l2": "l2", "l3": "l3", "p1": "l1", "p2": "l2", "p3": "l3",
    "ab": "l1 l2", "bc": "l2 l3", "ca": "l3 l1", "n": "neutral",
    "neutral": "neutral", "import": "import", "imported": "import", "forward": "import", "export": "export",
    "exported": "export", "ret": "export", "returned": "export", "reverse": "export", "supply": "supply",
    "outlet": "supply", "leaving": "supply", "out": "supply", "return": "return", "inlet": "return",
    "entering": "return", "top": "top", "upper": "top", "middle": "middle", "mid": "middle", "bottom": "bottom",
    "lower": "bottom", "setpoint": "setpoint", "target": "setpoint", "set": "setpoint",
    "seltemp": "setpoint temperature",
    "outdoor": "outdoor", "outside": "outdoor", "ambient": "outdoor", "room": "room", "zone": "room", "indoor": "room",
    "leak": "leak", "water": "water", "door": "door", "smoke": "smoke", "trip": "trip", "tripped": "trip",
    "breaker": "breaker", "relay": "relay", "output": "relay", "hot": "hot", "cold": "cold", "dhw": "hot",
    "pump": "pump",
    "fan": "fan", "command": "command", "cmd": "command", "tank": "tank", "cable": "cable", "mixed": "mixed",
    "makeup": "makeup", "circ": "circulation", "circulation": "circulation", "bearing": "bearing", "filter": "filter",
    "battery": "battery", "devicepower": "battery", "rssi": "radio", "snr": "radio", "rx": "radio",
    "today": "period", "yesterday": "period", "period": "period", "daily": "period", "day": "period", "month": "period",
    "balance": "balance", "occupancy": "occupancy", "occupied": "occupancy", "cover": "cover",
}  # fmt: skip

_CHINESE: Mapping[str, str] = {
    "功率因数": "factor", "无功功率": "reactive", "无功电量": "reactive energy", "视在功率": "apparent",
    "有功功率": "power", "有功电量": "energy", "有功电能": "energy", "剩余电流": "residual current",
    "漏电": "residual current", "电压": "voltage", "电流": "current", "功率": "power", "电量": "energy",
    "电能": "energy", "频率": "frequency", "温度": "temperature", "水温": "temperature", "湿度": "humidity",
    "液位": "level", "水位": "level", "压力": "pressure", "压差": "pressure", "流量": "flow", "状态": "status",
    "总": "total", "平均": "average", "A相": "l1", "B相": "l2", "C相": "l3", "零线": "neutral", "中性线": "neutral",
    "正向": "import", "反向": "export", "供水": "supply", "出水": "supply", "回水": "return", "进水": "return",
    "上部": "top", "顶部": "top", "中部": "middle", "下部": "bottom", "底部": "bottom", "设定": "setpoint",
    "室外": "outdoor", "室内": "room", "水浸": "leak", "漏水": "leak", "柜门": "door", "烟感": "smoke",
    "脱扣": "trip", "水泵": "pump", "水箱": "tank", "电缆": "cable", "热水": "hot", "冷水": "cold", "补水": "makeup",
    "余额": "balance",
}  # fmt: skip

_SYMBOLS: Mapping[str, str] = {
    "u": "voltage", "v": "voltage", "i": "current", "p": "power", "q": "reactive", "s": "apparent", "pf": "factor",
    "cos": "factor", "ep": "energy", "epi": "energy import", "epe": "energy export", "epp": "energy import",
    "epn": "energy export", "eq": "reactive energy", "f": "frequency", "t": "temperature",
}  # fmt: skip
_WHICH: Mapping[str, str] = {
    "": "", "a": "l1", "b": "l2", "c": "l3", "1": "l1", "2": "l2", "3": "l3", "l1": "l1", "l2": "l2", "l3": "l3",
    "ab": "l1 l2", "bc": "l2 l3", "ca": "l3 l1", "n": "neutral", "0": "neutral", "t": "total", "sum": "total",
    "total": "total", "tot": "total", "avg": "average",
}  # fmt: skip
_SYMBOL = re.compile(
    rf"({'|'.join(sorted(_SYMBOLS, key=len, reverse=True))})_?({'|'.join(sorted(_WHICH, key=len, reverse=True))})",
    re.IGNORECASE,
)
_METER_NAMES: Mapping[str, str] = {
    # of meters read by SML and OBIS (1.8.0, 2.8.0), as Tasmota's scripts call them
    "total_in": "energy import", "total_out": "energy export", "e_in": "energy import", "e_out": "energy export",
}  # fmt: skip
_DATA_IDENTIFIERS: Mapping[str, str] = {
    # DL/T 645-2007, annex A: the first four digits say what, the next two which
    "0201": "voltage", "0202": "current", "0203": "power", "0204": "reactive", "0205": "apparent", "0206": "factor",
    "0001": "energy import", "0002": "energy export",
}  # fmt: skip
_DI_WHICH: Mapping[str, str] = {"00": "total", "01": "l1", "02": "l2", "03": "l3"}
_OF_UNITS: Mapping[str, str] = {
    "voltage": "voltage", "current": "current", "power": "power", "reactive power": "reactive",
    "apparent power": "apparent", "energy": "energy", "reactive energy": "reactive energy", "frequency": "frequency",
    "temperature": "temperature", "pressure": "pressure", "volume flow": "flow",
}  # fmt: skip
_OF_PHASES = frozenset({"voltage", "current", "power", "reactive", "apparent", "factor"})
_GENERIC = frozenset({"active", "phase", "per", "of", "u2"})
_PIECE = re.compile(r"[Ll][123](?![0-9a-z])|[A-Z]+(?![a-z])|[A-Z]?[a-z]+\d?|\d+")


def phase_of_element(key: str, of: int) -> str:
    """`L2` for the second of a list of three voltages, currents or powers, `N` for a fourth current; else nothing."""
    path, _, last = key.rpartition(".")
    number = int(last) if last.isdecimal() else of
    measured = tags(path.rpartition(".")[2]) & _OF_PHASES
    if of not in (3, 4) or number >= of or not measured or (of == 4 and measured != {"current"}):
        return ""
    return ("L1", "L2", "L3", "N")[number]


@lru_cache(maxsize=16_384)
def tags(name: str) -> frozenset[str]:
    """What a name of a point or its words in Chinese or English say; empty where they say nothing we know."""
    found = frozenset(tag for word in _found(name) for tag in word.split())
    # reactive power, power factor: of the two words the telling one
    return found - {"power"} if found & {"reactive", "apparent", "factor"} else found


def unknown_words(name: str) -> int:
    """How many words of a point's name say more than we know: `evap_sat_temp` is not just any temperature."""
    return sum(not tags(word) and not word.isdigit() and word not in _GENERIC for word in name.split("_"))


def tags_of_key(key: str, quantity: str | None = None, *, state: bool = False) -> frozenset[str]:
    """What the key of a value says. Its last part says what is measured, the others only where; where no part does,
    `quantity` (what the value's unit measures) does. A state is a status whatever it is called: a relay of Tasmota is
    called POWER.
    """
    path, _, last = key.replace("/", ".").rpartition(".")
    where = tags(path) - QUANTITIES if path else frozenset()
    found = tags(last)
    if state:
        relay = frozenset({"relay"}) if last.upper().startswith(("POWER", "OUTPUT")) else frozenset()
        return where | (found - QUANTITIES) | relay | {"status"}
    if not found & QUANTITIES:
        measured = frozenset(_OF_UNITS.get(quantity or "", "").split())
        found |= measured or tags(path) & QUANTITIES
    return where | found


def _found(name: str) -> Iterator[str]:
    last = name.rsplit(".", 1)[-1]
    if len(last) == 8 and last[:4] in _DATA_IDENTIFIERS:
        yield _DATA_IDENTIFIERS[last[:4]]
        yield _DI_WHICH.get(last[4:6], "")
        return
    if last.lower() in _METER_NAMES:
        yield _METER_NAMES[last.lower()]
        return
    symbol = _SYMBOL.fullmatch(last)
    if symbol is not None:
        yield _SYMBOLS[symbol[1].lower()]
        yield _WHICH[symbol[2].lower()]
        return
    left = name
    for word, meaning in _CHINESE.items():  # the longest first: 功率因数 is no 功率
        if word in left:
            left = left.replace(word, " ")
            yield meaning
    for piece in _PIECE.findall(left):
        yield _WORDS.get(piece.lower(), "")
