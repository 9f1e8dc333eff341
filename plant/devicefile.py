"""Templates and their uses as files write them; the templates we ship are in `plant/devices/*.yaml`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, Field

from plant.bindingfile import BindingFile, DecoderText, TopicText
from plant.catalogue import Catalogue, EquipmentType, Text
from plant.device import Template, TemplateLine, fill
from plant.errors import BadInput, Problem
from plant.repeating import For
from plant.site import Clock, Site
from plant.suggestions import did_you_mean
from plant.units import UNITS, conversion, unit_symbol
from plant.yamlfile import Located, Strict, load_located
from plant.yamlnodes import Path

M = TypeVar("M", bound=BaseModel)
D = TypeVar("D", bound="DeviceFile")

_NAME = re.compile(r"[a-z][a-z0-9_]*")


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError("a template is named by small letters, digits and '_'")
    return value


class LineFile(Strict):
    """One value of a device; see `plant.device.TemplateLine`."""

    key: str | None = None
    point: str | None = None
    unit: str | None = None
    scale: float = 1.0
    offset: float = 0.0
    sentinels: tuple[float, ...] = ()
    topic: TopicText | None = None
    decoder: DecoderText | None = None


class TemplateFile(Strict):
    """A model of a device; see `plant.device.Template`."""

    name: Annotated[str, AfterValidator(_name)]
    zh: str
    en: str
    type: str
    topic: TopicText
    decoder: DecoderText = "plain"
    shared: bool = False
    clock: Clock = Clock.DEVICE
    time: str | None = None
    zone: str | None = None
    defaults: dict[str, str] = Field(default_factory=dict)
    source: str = ""
    bindings: tuple[LineFile, ...]

    def template(self) -> Template:
        """The template it stands for."""
        return Template(
            name=self.name,
            text=Text(self.zh, self.en),
            type=self.type,
            topic=self.topic,
            decoder=self.decoder,
            lines=tuple(TemplateLine(**dict(line)) for line in self.bindings),
            shared=self.shared,
            clock=self.clock,
            time=self.time,
            zone=self.zone,
            defaults=self.defaults,
            source=self.source,
        )


class DeviceFile(Strict):
    """A device and what it feeds: by a template, by bindings, or by both (a binding goes before the template's)."""

    template: str | None = None
    device: str | None = None
    topic: TopicText | None = None
    values: dict[str, str] = Field(default_factory=dict, alias="with")
    points: dict[str, str] = Field(default_factory=dict)
    bindings: tuple[BindingFile, ...] = ()


class FeedFile(DeviceFile):
    """A device at the top of a file, for an equipment that is described anywhere in the site."""

    equipment: str
    repeat: For | None = Field(None, alias="for")


def filled_binding(file: BindingFile, values: Mapping[str, str]) -> BindingFile:
    """The binding with its placeholders filled."""
    key, device = (None if text is None else fill(text, values) for text in (file.key, file.device))
    return file.model_copy(update={"topic": fill(file.topic, values), "key": key, "device": device})


def filled_device(file: D, values: Mapping[str, str]) -> D:
    """The device with its placeholders filled."""
    return file.model_copy(
        update={
            "device": None if file.device is None else fill(file.device, values),
            "topic": None if file.topic is None else fill(file.topic, values),
            "values": {name: fill(value, values) for name, value in file.values.items()},
            "bindings": tuple(filled_binding(binding, values) for binding in file.bindings),
        }
    )


@cache
def shipped_files() -> tuple[Located[TemplateFile], ...]:
    """The files of `plant/devices`, by name. Raises ConfigError for one that is wrong."""
    folder = resources.files("plant") / "devices"
    entries = sorted((item for item in folder.iterdir() if item.name.endswith(".yaml")), key=lambda item: item.name)
    return tuple(
        load_located(entry.read_text("utf-8"), TemplateFile, file=f"plant/devices/{entry.name}") for entry in entries
    )


def shipped_templates() -> Mapping[str, Template]:
    """The templates we ship, by name."""
    return {file.value.name: file.value.template() for file in shipped_files()}


def templates_of(site: Site) -> tuple[Template, ...]:
    """The templates to choose from on a site: its own first, then those we ship."""
    return (*site.templates, *shipped_templates().values())


def check_template(located: Located[M], at: Path, file: TemplateFile, catalogue: Catalogue) -> Iterator[Problem]:
    """A template written at `at` of a file against the catalogue: its type, its points and their units."""
    kind = catalogue.types.get(file.type)
    if kind is None:
        hint = did_you_mean(file.type, catalogue.types)
        yield located.problem((*at, "type"), f"unknown equipment type {file.type!r}", hint=hint)
        return
    fed: set[str] = set()
    for number, line in enumerate(file.bindings):
        where = (*at, "bindings", number)
        for word, message, hint in _wrong(line, kind):
            yield located.problem((*where, word), message, hint=hint)
        if line.point is not None and line.point in fed:
            yield located.problem((*where, "point"), f"point {line.point!r} is fed twice", hint="keep one of the two")
        fed.add(line.point or "")


def _wrong(line: LineFile, kind: EquipmentType) -> Iterable[tuple[str, str, str]]:
    """(word, message, hint) of what is wrong with a line."""
    point = None if line.point is None else kind.points.get(line.point)
    if line.point is not None and point is None:
        yield "point", f"{kind.name} has no point {line.point!r}", did_you_mean(line.point, kind.points)
    if line.scale == 0:
        yield "scale", "a scale of 0 makes every value the same", "leave it out for 1"
    if line.unit is None:
        return
    try:
        symbol = unit_symbol(line.unit)
        if point is not None:
            conversion(symbol, point.unit)
    except BadInput as error:
        yield "unit", str(error), "" if point is None else f"expected a unit of {UNITS[point.unit].quantity}"
