"""JSON of any maker, by path: numbers, ON/OFF, values with units beside, records with times of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ingest.decoders.decoded import Decoded, Kind
from ingest.decoders.findings import DEPTH, Findings, Node, leaves, node, nodes, peek
from ingest.decoders.format import Decode, Format
from ingest.decoders.loose import parse_json, parse_number, shown, text
from ingest.decoders.moments import Moment, bad_time, parse_moment
from ingest.reasons import Refused, RejectReason
from plant.quality import Quality, Reason

PREFIX = re.compile(r"[A-Za-z_][\w.-]{0,31}\s*[=:]\s*(?=[{\[])", re.ASCII)
"""A name before the JSON."""

_TIMES = ("ts", "timestamp", "time", "datetime", "timestr", "timestampms", "collecttime", "sampletime", "recordtime",
          "devicetime", "reporttime", "uploadtime", "datatime", "acquisitiontime", "updatetime", "createtime", "utc",
          "sourcetimestamp", "servertimestamp", "eventtime", "measuredat", "readat", "unixtime", "epoch",
          "date", "时间", "采集时间", "上报时间", "数据时间")  # fmt: skip
"""Names of members that hold the time, in lower case without `_`, `-` and blanks; the first that is there counts."""
_SHORT_TIMES = ("t", "tm", "dt")
"""Times where they are too large for anything else."""
_IDENTITIES = frozenset({
    "id", "uid", "uuid", "guid", "sn", "serial", "serialnumber", "mac", "imei", "imsi", "iccid", "eui", "deveui",
    "addr", "address", "ip", "version", "fw", "firmware", "deviceid", "devid", "devicesn", "metersn", "gwsn", "meterid",
    "clientid", "devicename", "name", "model", "did", "pid", "phone",
})  # fmt: skip
_DEVICE = ("deviceid", "devid", "devicesn", "metersn", "sn", "uid", "deveui", "imei", "mac", "devicename", "device")
_ERRORS = ("err", "error", "errcode", "errorcode")
_QUALITIES = ("quality", "q", "qc")
_VALIDITIES = ("valid", "isvalid")
_BAD_WORDS = frozenset({"bad", "error", "fault", "failed", "failure", "invalid"})
_STATUS_CODES = ("statuscode",)
_FINE = frozenset({"", "0", "none", "ok", "false", "success", "no error"})
_DIGITS_APART = re.compile(r"20\d{6} \d{6}", re.ASCII)
_TIME_OF_DAY = re.compile(r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?", re.ASCII)


def decode(topic: str, payload: bytes) -> Decoded:
    """Each number of a JSON object or list by its dotted path (`ENERGY.Power.0`).

    An element of a list that names itself (`name`, `tag`, `id`, …) has that name in the path, not its place. A member
    `xvalue` has the unit of `xunit` beside it; an error beside a value makes it a bad reading, an OPC quality one of
    that quality. Text may end in a known unit (`23.5 °C`). Time is the member of a usual name (`ts`, `timestamp`,
    `date` with `time`, …); records of a list that have times of their own keep them. Raises Refused where there is no
    value.
    """
    return by_path(parse(text(payload)), None)


def timed(path: str) -> Decode:
    """As `decode`, with the time in the member at `path`."""

    def decode_timed(_topic: str, payload: bytes) -> Decoded:
        return by_path(parse(text(payload)), path)

    return decode_timed


def parse(source: str) -> object:
    """JSON, with or without a name before it (`IOTJS={…}`); raises Refused (not_json)."""
    found = PREFIX.match(source)
    return parse_json(source[found.end() :] if found else source)


def by_path(message: object, time: str | None) -> Decoded:
    """A JSON value taken apart; `time` is the path of its time, None: found by name. Raises Refused."""
    if not isinstance(message, dict | list):
        raise Refused(RejectReason.NOT_A_VALUE, f"{shown(message)} is no value; expected a number or an object")
    if time is not None:
        at = parse_moment(member(message, time))
    else:
        at = message_time(message) if isinstance(message, dict) else None
    findings = Findings(at)
    _Walk(findings, time).walk(message, "", None, DEPTH)
    decoded = findings.decoded(_device(node(message)), otherwise=Kind.EMPTY)
    if decoded.kind is Kind.EMPTY and any(value is not None for _, _, value in leaves(message, "", 8 * DEPTH)):
        raise Refused(RejectReason.NOT_A_VALUE, f"no number in {shown(message)}")
    return decoded


def member(message: object, path: str) -> object:
    """What is at a dotted path, None where nothing is; a name may hold dots itself."""
    if isinstance(message, dict):
        if path in message:
            return message[path]
        for at, sign in enumerate(path):
            if sign == "." and path[:at] in message:
                return member(message[path[:at]], path[at + 1 :])
    if isinstance(message, list):
        head, _, rest = path.partition(".")
        if head.isascii() and head.isdigit() and len(head) < 6 and int(head) < len(message):
            return member(message[int(head)], rest) if rest else message[int(head)]
    return None


def message_time(message: Node) -> Moment | None:
    """The time of an object by the usual names; raises Refused (bad_time) for what is written as a time and is none."""
    named = _times(message)
    if not named:
        return None
    day, clock = named.get("date"), named.get("time")
    if isinstance(day, str) and isinstance(clock, str) and _TIME_OF_DAY.fullmatch(clock.strip()):
        return parse_moment(f"{day.strip()} {clock.strip()}")
    if isinstance(day, str) and isinstance(clock, str) and _DIGITS_APART.fullmatch(f"{day} {clock}"):
        return parse_moment(day + clock)
    for word in _TIMES:
        raw = named.get(word)
        if isinstance(raw, bool) or (isinstance(raw, str) and _TIME_OF_DAY.fullmatch(raw.strip())):
            continue
        if isinstance(raw, str | int | float):
            found = parse_moment(raw)
            if found is not None:
                return found
        elif raw is not None and word in ("ts", "timestamp"):
            raise bad_time(raw)
    return None


def _times(message: Node) -> dict[str, object]:
    folded = {_folded(key): raw for key, raw in message.items()}
    named = {word: folded[word] for word in _TIMES if word in folded}
    short = next((word for word in _SHORT_TIMES if _is_epoch(folded.get(word))), None)
    if not named and short is not None:
        named["ts"] = folded[short]
    return named


def _is_epoch(raw: object) -> bool:
    """`t` is a temperature at most makers and the time at some; no temperature is beyond 10⁹."""
    return isinstance(raw, int | float) and not isinstance(raw, bool) and 10**9 <= raw < 10**20


def _folded(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "").replace(" ", "")


def _device(message: Node) -> str | None:
    folded = {_folded(key): raw for key, raw in message.items()}
    named = next((folded[word] for word in _DEVICE if isinstance(folded.get(word), str) and folded[word]), None)
    return str(named)[:200] if named is not None else None


class _Walk:
    """Goes through all members; knows which hold times and identities rather than values."""

    def __init__(self, findings: Findings, time: str | None) -> None:
        self._findings = findings
        self._time = time

    def walk(self, raw: object, path: str, at: Moment | None, depth: int) -> None:
        """Add the values at and below `path`; `at` is the time of the record they are in, None: the message's."""
        if isinstance(raw, dict) and depth:
            own = at if not path or self._time is not None else self._own_time(raw, path) or at
            trust = trust_of(raw)
            if trust is not None:
                self._doubted(raw, path, own, trust)
                return
            for key, child in raw.items():
                self._member(raw, key, child, path, own, depth)
        elif isinstance(raw, list) and depth:
            self._list(raw, path, at, depth)

    def _list(self, items: list[object], path: str, at: Moment | None, depth: int) -> None:
        names = [_name(one) for one in items]
        named = all(names) and len(set(names)) == len(names)
        records = self._time is None and len(nodes(items)) == len(items) and all(_times(one) for one in nodes(items))
        for number, item in enumerate(items):
            if records and not named:
                self.walk(item, path, self._own_time(node(item), path), depth - 1)
            else:
                self._value(item, _join(path, str(names[number] if named else number)), at, depth, None)

    def _member(self, owner: Node, key: str, child: object, path: str, at: Moment | None, depth: int) -> None:
        folded = _folded(key)
        if folded in (*_ERRORS, *_QUALITIES, *_VALIDITIES, *_STATUS_CODES) and _is_one_value(owner):
            return
        is_time = _join(path, key) == self._time if self._time is not None else folded in _TIMES
        is_time = is_time or (folded in _SHORT_TIMES and _is_epoch(child))
        if (is_time and not isinstance(child, dict | list)) or (isinstance(child, str) and folded in _IDENTITIES):
            return
        self._value(child, _join(path, key), at, depth, _unit_beside(owner, key))

    def _doubted(self, owner: Node, path: str, at: Moment | None, trust: tuple[Quality, Reason]) -> None:
        """An object whose value the device does not vouch for."""
        key = next(key for key in owner if _folded(key) in _VALUES)
        self._findings.doubt(_join(path, key), owner[key], trust[1], trust[0], unit=_unit_beside(owner, key), at=at)

    def _value(self, raw: object, path: str, at: Moment | None, depth: int, unit: str | None) -> None:
        if isinstance(raw, dict | list):
            self.walk(raw, path, at, depth - 1)
            return
        self._findings.add_at(path, raw, at, unit, stated=True)

    def _own_time(self, record: Node, path: str) -> Moment | None:
        try:
            return message_time(record)
        except Refused as refused:
            self._findings.refuse(RejectReason.BAD_TIME, f"{path}: {refused.rejected.detail}", path or None)
            return None


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


_NAMES = ("name", "tag", "key", "code", "point", "metric", "variable", "parameter", "flag", "n", "id", "serviceid",
          "sn", "metersn", "addr", "address")  # fmt: skip
"""Members by which an element of a list may name itself."""


def _name(item: object) -> str | None:
    """What an element of a list calls itself."""
    found: Mapping[str, object] = {_folded(key): raw for key, raw in node(item).items()}
    for word in _NAMES:
        raw = found.get(word)
        if (isinstance(raw, str) and raw) or (isinstance(raw, int) and not isinstance(raw, bool)):
            return str(raw)[:200]
    return None


_VALUES = frozenset({"value", "val", "v"})
_BESIDE_VALUES = frozenset({"tag", "key", "code", "point", "t", "unit", "units", "uom", "unitofmeasurement", "type"})
_BESIDE_VALUES |= {
    "description",
    "desc",
    "label",
    "datatype",
    *_STATUS_CODES,
    *_ERRORS,
    *_QUALITIES,
    *_VALIDITIES,
    *_TIMES,
    *_IDENTITIES,
}


def _is_one_value(owner: Node) -> bool:
    """An object about one value, where `q` is a quality; in a meter's flat one, `q` is its reactive power."""
    folded = {_folded(key) for key, raw in owner.items() if not (isinstance(raw, str) and _folded(key) == "status")}
    return len(folded & _VALUES) == 1 and folded - _VALUES <= _BESIDE_VALUES


def trust_of(owner: Node) -> tuple[Quality, Reason] | None:
    """What an object with a value says of its quality, None where it vouches for it or says nothing."""
    if not _is_one_value(owner):
        return None
    folded = {_folded(key): raw for key, raw in owner.items()}
    error = next((folded[word] for word in _ERRORS if word in folded), None)
    if error is not None and not isinstance(error, dict | list) and str(error).strip().lower() not in _FINE:
        return Quality.BAD, Reason.DEVICE_FAILURE
    if str(folded.get("status")).strip().lower() in _BAD_WORDS:
        return Quality.BAD, Reason.DEVICE_FAILURE
    if any(parse_number(folded.get(word)) == 0.0 for word in _VALIDITIES):
        return Quality.BAD, Reason.DEVICE_FAILURE
    if "statuscode" in folded:
        return _status_code(folded["statuscode"])
    return _quality(next((folded[word] for word in _QUALITIES if word in folded), None), simatic="qc" in folded)


_TRUSTED = frozenset({*_ERRORS, *_QUALITIES})


def trust_beside(owner: Node) -> tuple[Quality, Reason] | None:
    """As `trust_of` for an object known to be about one value, whatever else stands in it."""
    return trust_of({"value": None, **{name: raw for name, raw in owner.items() if _folded(name) in _TRUSTED}})


def unit_beside(owner: Node) -> str | None:
    """The unit an object about one value names."""
    return next((said for word in _UNITS if isinstance(said := owner.get(word), str) and said.strip()), None)


def _status_code(raw: object) -> tuple[Quality, Reason] | None:
    """A status code of OPC UA (part 4, 7.39), bare or as `{"Code"}`: its two highest bits are the severity."""
    code = node(raw).get("Code", raw)
    if not isinstance(code, int) or isinstance(code, bool):
        return None
    severity = (code >> 30) & 3
    if severity > 1:
        return Quality.BAD, Reason.DEVICE_FAILURE
    return (Quality.UNCERTAIN, Reason.OUT_OF_SPECIFICATION) if severity == 1 else None


def _quality(raw: object, *, simatic: bool) -> tuple[Quality, Reason] | None:
    """An OPC quality: a word, true/false, or a number of which the two highest of eight bits count (of two: `qc`)."""
    level: int | None
    match raw:
        case bool():
            level = 3 if raw else 0
        case int():
            level = raw if simatic else (raw >> 6) & 3
        case str():
            level = {"bad": 0, "uncertain": 1, "good": 3}.get(raw.strip().lower())
        case _:
            level = None
    if level == 0:
        return Quality.BAD, Reason.DEVICE_FAILURE
    return (Quality.UNCERTAIN, Reason.OUT_OF_SPECIFICATION) if level == 1 else None


_UNITS = ("unit", "Unit", "units", "uom", "unit_of_measurement")


def _unit_beside(owner: Node, key: str) -> str | None:
    """`S_unit` for `S_value`, `unit` for `value`."""
    if not key.lower().endswith(("value", "val")):
        return None
    stem = key[: -5 if key.lower().endswith("value") else -3]
    for word in _UNITS:
        unit = owner.get(f"{stem}{word}")
        if isinstance(unit, str) and unit.strip():
            return unit.strip()
    return None


def _claims(_topic: str, payload: bytes) -> bool:
    source = payload[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if source[:1] not in (b"{", b"[") and not PREFIX.match(source.decode("utf-8", "replace")):
        return False
    found = peek(payload)
    return not (isinstance(found, dict) and "value" in found)


FORMAT = Format("json", decode, _claims, timed)
