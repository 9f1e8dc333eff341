"""What LoRaWAN network servers share: values that a payload codec has made, and how well the radio was heard."""

from __future__ import annotations

from ingest.decoders.findings import Findings, Node, leaves
from ingest.decoders.loose import parse_number
from ingest.reasons import Refused, RejectReason
from plant.quality import Reason

_LEVELS = {"h": 1.0, "high": 1.0, "l": 0.0, "low": 0.0}
"""How codecs write the level of a digital input; ON and OFF are numbers everywhere."""

_RADIO = ("rssi", "snr")


def add_values(findings: Findings, tree: object) -> None:
    """Every number of a codec's object by its own path; words that name a mode or a model are no reading.

    A current loop (`…_mA`) of exactly 0 is broken or not connected: a live 4–20 mA loop never falls below 3.6 mA
    (NAMUR NE 43).
    """
    for path, _, raw in leaves(tree) if isinstance(tree, dict | list) else ():
        level = _LEVELS.get(raw.strip().lower()) if isinstance(raw, str) else None
        if path.endswith("_mA") and not isinstance(raw, bool) and parse_number(raw) == 0:
            findings.doubt(path, raw, Reason.SENTINEL)
        else:
            findings.add(path, raw if level is None else level)


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
