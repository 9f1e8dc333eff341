"""JSON of any maker, by path: numbers, ON/OFF, values with units beside, records with times of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ingest.decoders.decoded import Decoded, Kind
from ingest.decoders.findings import DEPTH, Findings, Node, leaves, node, nodes, peek
from ingest.decoders.format import Decode, Format
from ingest.decoders.loose import parse_json, shown, text
from ingest.decoders.moments import Moment, bad_time, parse_moment
from ingest.reasons import Refused, RejectReason

PREFIX = re.compile(r"[A-Za-z_][\w.-]{0,31}\s*[=:]\s*(?=[{\[])", re.ASCII)
"""A name before the JSON."""

_TIMES = ("ts", "timestamp", "time", "datetime", "timestr", "timestampms", "collecttime", "sampletime", "recordtime",
          "devicetime", "reporttime", "uploadtime", "datatime", "acquisitiontime", "updatetime", "createtime", "utc",
          "date", "时间", "采集时间", "上报时间", "数据时间")  # fmt: skip
"""Names of members that hold the time, in lower case without `_`, `-` and blanks; the first that is there counts."""
_IDENTITIES = frozenset({
    "id", "uid", "uuid", "guid", "sn", "serial", "serialnumber", "mac", "imei", "imsi", "iccid", "eui", "deveui",
    "addr", "address", "ip", "version", "fw", "firmware", "deviceid", "devid", "devicesn", "metersn", "gwsn", "meterid",
    "clientid", "devicename", "name", "model", "did", "pid", "phone",
})  # fmt: skip
_DEVICE = ("deviceid", "devid", "devicesn", "metersn", "sn", "uid", "deveui", "imei", "mac", "devicename", "device")
_TIME_OF_DAY = re.compile(r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?", re.ASCII)


def decode(topic: str, payload: bytes) -> Decoded:
    """Each number of a JSON object or list by its dotted path (`ENERGY.Power.0`).

    An element of a list that names itself (`name`, `tag`, `id`, …) has that name in the path, not its place. A member
    `xvalue` has the unit of `xunit` beside it. Time is the member of a usual name (`ts`, `timestamp`, `date` with
    `time`, …); records of a list that have times of their own keep them. Raises Refused where there is no value.
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
    if decoded.kind is Kind.EMPTY and any(value is not None for _, _, value in leaves(message)):
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
    return {word: folded[word] for word in _TIMES if word in folded}


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
        is_time = _join(path, key) == self._time if self._time is not None else folded in _TIMES
        if (is_time and not isinstance(child, dict | list)) or (isinstance(child, str) and folded in _IDENTITIES):
            return
        self._value(child, _join(path, key), at, depth, _unit_beside(owner, key))

    def _value(self, raw: object, path: str, at: Moment | None, depth: int, unit: str | None) -> None:
        if isinstance(raw, dict | list):
            self.walk(raw, path, at, depth - 1)
        elif at is not None:
            self._findings.add_at(path, raw, at, unit)
        else:
            self._findings.add(path, raw, unit, stated=True)

    def _own_time(self, record: Node, path: str) -> Moment | None:
        try:
            return message_time(record)
        except Refused as refused:
            self._findings.refuse(RejectReason.BAD_TIME, f"{path}: {refused.rejected.detail}", path or None)
            return None


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _name(item: object) -> str | None:
    """What an element of a list calls itself."""
    found: Mapping[str, object] = {_folded(key): raw for key, raw in node(item).items()}
    for word in ("name", "tag", "key", "code", "point", "id", "sn", "metersn", "addr", "address"):
        raw = found.get(word)
        if (isinstance(raw, str) and raw) or (isinstance(raw, int) and not isinstance(raw, bool)):
            return str(raw)[:200]
    return None


def _unit_beside(owner: Node, key: str) -> str | None:
    """`S_unit` for `S_value`, `unit` for `value`."""
    if not key.lower().endswith(("value", "val")):
        return None
    stem = key[: -5 if key.lower().endswith("value") else -3]
    for word in ("unit", "Unit", "units", "uom", "unit_of_measurement"):
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
