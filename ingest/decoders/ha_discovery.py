"""Home Assistant's MQTT discovery: devices announce what they will say, and where. Configuration, never a measurement.

https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery, for one entity and for a whole device.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ingest.decoders.decoded import Decoded, Kind
from ingest.decoders.findings import Node, json_object, node, peek_object
from ingest.decoders.format import Format
from ingest.reasons import Refused, RejectReason

_LEVEL = r"[a-zA-Z0-9_-]+"
_TOPIC = re.compile(rf"(?P<prefix>{_LEVEL})/(?P<component>[a-z_]+)/(?:(?P<node>{_LEVEL})/)?(?P<object>{_LEVEL})/config")
_DEVICE = "device"
_STATUS = "homeassistant/status"
_MOST_COMPONENTS = 512
_STATELESS = frozenset({"button", "device_automation", "notify", "scene", "tag"})

_TELLING = frozenset({"state_topic", "stat_t", "command_topic", "cmd_t", "components", "cmps"})

_SHORT: Mapping[str, str] = {
    "avty_t": "availability_topic",
    "cmps": "components",
    "dev": "device",
    "dev_cla": "device_class",
    "exp_aft": "expire_after",
    "p": "platform",
    "stat_cla": "state_class",
    "stat_t": "state_topic",
    "uniq_id": "unique_id",
    "unit_of_meas": "unit_of_measurement",
    "val_tpl": "value_template",
}
_SHORT_DEVICE: Mapping[str, str] = {
    "ids": "identifiers",
    "mdl": "model",
    "mf": "manufacturer",
    "sn": "serial_number",
}

_STEP = r"""(?:\.([A-Za-z_]\w*)|\[\s*(?:'([^']*)'|"([^"]*)"|(\d+))\s*\])"""
_TEMPLATE = re.compile(rf"\{{\{{-?\s*value_json((?:{_STEP})+)\s*(?:\|\s*(?:float|is_defined)\s*)?-?\}}\}}", re.ASCII)
_WHOLE = re.compile(r"\{\{-?\s*value\s*(?:\|\s*(?:float|is_defined)\s*)?-?\}\}")
_STEPS = re.compile(_STEP, re.ASCII)


@dataclass(frozen=True, slots=True)
class Announcement:
    """One value that a device says it has.

    `topic` is where it comes and `key` its dotted path in the message there, None where the message is the value.
    `template` is set where the value is worked out in a way that is not read here: then `key` says nothing.
    `identity` names the entity among all (its topic), so that a later announcement replaces it; `removed`: it is gone.
    """

    identity: str
    removed: bool = False
    component: str = ""
    topic: str = ""
    key: str | None = None
    template: str | None = None
    name: str | None = None
    unit: str | None = None
    device_class: str | None = None
    state_class: str | None = None
    device: str | None = None
    device_name: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    availability_topic: str | None = None


def announcements(topic: str, payload: bytes) -> tuple[Announcement, ...]:
    """What one message on `homeassistant/…/config` announces; entities without a state topic (buttons) are left out.

    An empty message removes the entity, or the whole device, of its topic. Raises Refused where it is no announcement.
    """
    found = _TOPIC.fullmatch(topic)
    if found is None:
        detail = (
            f"{topic[:200]!r} is no topic of discovery; expected homeassistant/<component>/[<node>/]<object>/config"
        )
        raise Refused(RejectReason.NOT_A_FRAME, detail)
    if not payload.strip():
        return (Announcement(topic, removed=True),)
    message = _long(json_object(payload), _SHORT)
    if found["component"] == _DEVICE:
        return tuple(_components(topic, message))
    return tuple(_entity(topic, found["component"], message, message))


def decode(topic: str, payload: bytes) -> Decoded:
    """Configuration, or whether Home Assistant is there; raises Refused where it is none that can be read."""
    if topic == _STATUS:
        return Decoded(kind=Kind.STATUS)
    announced = announcements(topic, payload)
    return Decoded(kind=Kind.CONFIG, device=next((one.device for one in announced if one.device), None))


def _components(topic: str, message: Node) -> Iterator[Announcement]:
    """One message for a whole device: each component has what is its own, the rest holds for all."""
    components = node(message.get("components"))
    if len(components) > _MOST_COMPONENTS:
        detail = f"{len(components)} components; expected at most {_MOST_COMPONENTS}"
        raise Refused(RejectReason.TOO_LARGE, detail)
    for name, raw in components.items():
        own = _long(node(raw), _SHORT)
        platform = _text(own.get("platform")) or ""
        if set(own) <= {"platform"}:
            yield Announcement(f"{topic}#{name}", removed=True, component=platform)
        else:
            yield from _entity(f"{topic}#{name}", platform, {**message, **own}, own)


def _entity(identity: str, component: str, message: Node, own: Node) -> Iterator[Announcement]:
    base = _text(message.get("~")) or ""
    state_topic = _with_base(_text(message.get("state_topic")), base)
    if not state_topic or component in _STATELESS:
        return
    template = _text(message.get("value_template"))
    key = None if template is None else path_of(template)
    whole = template is None or _WHOLE.fullmatch(template.strip()) is not None
    device = _long(node(message.get("device")), _SHORT_DEVICE)
    yield Announcement(
        identity,
        component=component,
        topic=state_topic,
        key=key,
        template=template if key is None and not whole else None,
        name=_text(own.get("name")),
        unit=_text(message.get("unit_of_measurement")),
        device_class=_text(message.get("device_class")),
        state_class=_text(message.get("state_class")),
        device=_identifier(device),
        device_name=_text(device.get("name")),
        manufacturer=_text(device.get("manufacturer")),
        model=_text(device.get("model")),
        availability_topic=_with_base(_text(message.get("availability_topic")), base),
    )


def path_of(template: str) -> str | None:
    """`{{ value_json.ENERGY.Power }}` → `ENERGY.Power`, `{{ value_json['em:0'].a }}` → `em:0.a`; None for all else.

    Anything that computes is code of another program and is not run.
    """
    found = _TEMPLATE.fullmatch(template.strip())
    if found is None:
        return None
    steps = ["".join(step) for step in _STEPS.findall(found[1])]
    return ".".join(steps) if all(steps) else None


def _long(message: Node, names: Mapping[str, str]) -> Node:
    """The members by their full names; an abbreviation gives way to the full name beside it."""
    spelt = {names[name]: raw for name, raw in message.items() if name in names}
    return spelt | {name: raw for name, raw in message.items() if name not in names}


def _with_base(topic: str | None, base: str) -> str | None:
    """`~` at the beginning or the end stands for the base topic."""
    if topic is None:
        return None
    if topic.startswith("~"):
        return base + topic[1:]
    return topic[:-1] + base if topic.endswith("~") else topic


def _identifier(device: Node) -> str | None:
    """The first of a device's identifiers, else its serial number."""
    raw = device.get("identifiers")
    first = raw[0] if isinstance(raw, list) and raw else raw
    return _text(first) or _text(device.get("serial_number"))


def _text(raw: object) -> str | None:
    return raw if isinstance(raw, str) and raw else None


def _claims(topic: str, payload: bytes) -> bool:
    found = _TOPIC.fullmatch(topic)
    if topic == _STATUS or (found is not None and found["prefix"] == "homeassistant"):
        return True
    # The prefix is the user's to choose; below another one the members tell an announcement.
    return found is not None and not _TELLING.isdisjoint(peek_object(payload))


FORMAT = Format("ha_discovery", decode, _claims)
