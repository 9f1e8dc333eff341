"""What LoRaWAN network servers share: values that a payload codec has made, and how well the radio was heard."""

from __future__ import annotations

from collections.abc import Iterator

from ingest.decoders.findings import DEPTH, Findings, Node, first_moment, node, nodes
from ingest.decoders.generic import unit_beside
from ingest.decoders.loose import parse_number
from ingest.decoders.moments import Moment
from ingest.reasons import Refused, RejectReason
from plant.quality import Reason

_LEVELS = {"h": 1.0, "high": 1.0, "l": 0.0, "low": 0.0}
"""How codecs write the level of a digital input; ON and OFF are numbers everywhere."""

_RADIO = ("rssi", "snr")
_BYTES = "bytes"
"""Where the template of a codec puts the bytes it was given."""
_MEASUREMENT = frozenset({"measurementId", "measurementValue"})
_TIMES = ("timestamp", "time", "ts")
_NAMES = ("name", "channel", "id")
_WRONG = Moment(-1)


def add_values(findings: Findings, tree: object) -> None:
    """Every number of a codec's object by its own path; words that name a mode or a model are no reading.

    A current loop (`…_mA`) of exactly 0 is broken or not connected: a live 4–20 mA loop never falls below 3.6 mA
    (NAMUR NE 43).
    """
    for path, raw, at, unit in _values(tree, "", None, findings) if isinstance(tree, dict | list) else ():
        level = _LEVELS.get(raw.strip().lower()) if isinstance(raw, str) else None
        if path.endswith("_mA") and not isinstance(raw, bool) and parse_number(raw) == 0:
            findings.doubt(path, raw, Reason.SENTINEL, at=at)
        else:
            findings.add_at(path, raw if level is None else level, at, unit, stated=True)


def is_raw(tree: object) -> bool:
    """Whether no codec has made anything of the bytes: nothing is there, or what a new codec's template returns."""
    return tree is None or (isinstance(tree, dict) and set(tree) == {_BYTES} and isinstance(tree[_BYTES], list))


def _values(
    raw: object, path: str, at: Moment | None, findings: Findings, depth: int = DEPTH
) -> Iterator[tuple[str, object, Moment | None, str | None]]:
    """(path, value, time, unit beside it) of all a codec has made. Elements of a list that name themselves are named,
    measurements that have a number of their own (SenseCAP) by it; records of a list that have times of their own (what
    a Milesight kept while it was not heard) keep these.
    """
    if isinstance(raw, dict) and depth:
        if raw.keys() >= _MEASUREMENT:
            own = _own_time(raw, path, at, findings)
            if own is not _WRONG:
                yield _join(path, raw["measurementId"]), raw["measurementValue"], own, unit_beside(raw)
            return
        for name, child in raw.items():
            if name == "value" and not isinstance(child, dict | list):
                yield _join(path, name), child, at, unit_beside(raw)
            elif path or name != _BYTES or not isinstance(child, list):
                yield from _values(child, _join(path, name), at, findings, depth - 1)
    elif isinstance(raw, list) and depth:
        measured, records = _all_have(raw, *_MEASUREMENT), len(nodes(raw)) == len(raw) and _all_have(raw, *_TIMES)
        names = [_name(item) for item in raw]
        named = all(names) and len(set(names)) == len(names)
        for number, item in enumerate(raw):
            if measured:
                yield from _values(item, path, at, findings, depth - 1)
            elif not records:
                own_name = names[number] if named else number
                yield from _values(item, _join(path, own_name), at, findings, depth - 1)
            elif (own := _own_time(item, path, at, findings)) is not _WRONG:
                rest = {name: child for name, child in item.items() if name not in _TIMES}
                yield from _values(rest, path, own, findings, depth - 1)
    elif not isinstance(raw, dict | list):
        yield path, raw, at, None


def _all_have(items: list[object], *names: str) -> bool:
    """Whether every object of a list, or of the lists in it, has one of these members."""
    flat = [one for item in items for one in (item if isinstance(item, list) else [item])]
    return bool(flat) and all(any(name in node(one) for name in names) for one in flat)


def _name(item: object) -> str | None:
    """What an element of a list calls itself."""
    found = next((node(item)[word] for word in _NAMES if word in node(item)), None)
    return str(found)[:64] if isinstance(found, str | int) and not isinstance(found, bool) and found != "" else None


def _join(path: str, name: object) -> str:
    return f"{path}.{name}" if path else str(name)


def _own_time(record: Node, path: str, at: Moment | None, findings: Findings) -> Moment | None:
    """A record's time, `at` where it has none; `_WRONG`, and a refusal, where what it says is no time."""
    try:
        return first_moment(record, *_TIMES) or at
    except Refused as refused:
        findings.refuse(RejectReason.BAD_TIME, f"{path}: {refused.rejected.detail}")
        return _WRONG


def add_radio(findings: Findings, gateways: list[Node]) -> None:
    """The states `rx.rssi` (dBm) and `rx.snr` (dB) of the gateway that heard the device best."""
    heard = [(number, one) for one in gateways if (number := parse_number(one.get("rssi"))) is not None]
    if heard:
        _, best = max(heard, key=lambda pair: pair[0])
        for name in _RADIO:
            findings.state(f"rx.{name}", best.get(name))


def codec_missing(member: str, bytes_member: str) -> Refused:
    """The refusal of an uplink that holds only the device's raw bytes."""
    detail = (
        f"only raw bytes ({bytes_member!r}) and no {member!r}; give the device a payload codec in the network server"
    )
    return Refused(RejectReason.CODEC_MISSING, detail)
