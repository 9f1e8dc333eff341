"""Templates: what a model of a device says under which key, in which unit, and which points that feeds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from plant.catalogue import Text
from plant.site import Binding, Clock

DEVICE = "device"
"""The placeholder that stands for the one device: its name in topics, its serial number in messages."""

PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def fill(text: str, values: Mapping[str, str]) -> str:
    """`text` with each `{name}` of `values` replaced; braces around other words stay."""
    return PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)


def holders(texts: Iterable[str | None]) -> tuple[str, ...]:
    """The placeholders in these texts, each once, in order."""
    return tuple(dict.fromkeys(name for text in texts if text is not None for name in PLACEHOLDER.findall(text)))


@dataclass(frozen=True, slots=True)
class TemplateLine:
    """One value of a device: its key in the message, its unit, and the point it feeds (None: whoever uses it says).

    The fields are those of `plant.site.Binding`; `topic` and `decoder` None: as the template says.
    """

    key: str | None
    point: str | None = None
    unit: str | None = None
    scale: float = 1.0
    offset: float = 0.0
    sentinels: tuple[float, ...] = ()
    topic: str | None = None
    decoder: str | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """A model of a device. `type` is the equipment type its lines' points are of.

    `topic`, keys and units may hold placeholders such as `{device}`; `defaults` gives those that seldom differ.
    `shared`: messages of several devices come on one topic and each names its device, which then is `{device}`.
    `source` says where the maker describes the messages.
    """

    name: str
    text: Text
    type: str
    topic: str
    decoder: str
    lines: tuple[TemplateLine, ...]
    shared: bool = False
    clock: Clock = Clock.DEVICE
    time: str | None = None
    zone: str | None = None
    defaults: Mapping[str, str] = field(default_factory=dict)
    source: str = ""

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics of its lines, each once."""
        return tuple(dict.fromkeys(line.topic or self.topic for line in self.lines))

    def placeholders(self, *, topic: bool = True) -> tuple[str, ...]:
        """What a use must give a value to, `defaults` aside; without those of the topics where `topic` is false."""
        texts = [*(line.key for line in self.lines), *(["{device}"] if self.shared else [])]
        found = holders([*(self.topics if topic else ()), *texts])
        return tuple(name for name in found if name not in self.defaults)

    def bindings(self, use: Use) -> tuple[Binding, ...]:
        """The bindings of one device; lines that feed no point are left out."""
        values = {**self.defaults, **use.values}
        made = []
        for line in self.lines:
            point = use.points.get(line.key or "") if use.points else line.point
            if point is not None:
                made.append(self._binding(line, point, values, use.topic))
        return tuple(made)

    def _binding(self, line: TemplateLine, point: str, values: Mapping[str, str], topic: str | None) -> Binding:
        return Binding(
            topic=fill(topic or line.topic or self.topic, values),
            point=point,
            key=None if line.key is None else fill(line.key, values),
            unit=line.unit,
            scale=line.scale,
            offset=line.offset,
            sentinels=line.sentinels,
            clock=self.clock,
            time=self.time,
            zone=self.zone,
            device=values[DEVICE] if self.shared else None,
            decoder=line.decoder or self.decoder,
        )


@dataclass(frozen=True, slots=True)
class Use:
    """One device of a model.

    `values` fill the placeholders; `topic` takes the place of the template's; `points` says for each key as the
    template writes it which point it feeds (empty: the points the template names).
    """

    values: Mapping[str, str]
    topic: str | None = None
    points: Mapping[str, str] = field(default_factory=dict)
