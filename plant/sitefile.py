"""The registry of a site from YAML: one file, or a folder of files of which one holds the site itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Annotated

from pydantic import AfterValidator, Field

from plant.bindingfile import BindingFile, TopicText
from plant.catalogue import Text
from plant.device import PLACEHOLDER, fill
from plant.devicefile import DeviceFile, FeedFile, TemplateFile, filled_binding, filled_device
from plant.errors import ConfigError, NotFound, Problem
from plant.repeating import For, rows
from plant.site import Binding, Equipment, Mode, PlantClock
from plant.yamlfile import Duration, Located, Strict, in_file_order, load_located
from plant.yamlnodes import Path

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_LEVEL = r"[^/+#$\s\x00-\x1f][^/+#\s\x00-\x1f]*"
_PATH = re.compile(f"{_LEVEL}/{_LEVEL}")


def wrong_id(value: str) -> str | None:
    """What is wrong with an id, None where nothing is."""
    if _ID.fullmatch(value):
        return None
    return "an id is letters, digits, '.', '-' and '_', at most 64, and begins with a letter or digit"


def wrong_path(value: str) -> str | None:
    """What is wrong with a path, None where nothing is."""
    return (
        None if _PATH.fullmatch(value) else "a path is area/name, without blanks, '+' and '#', and is a part of topics"
    )


def _site_id(value: str) -> str:
    if wrong := wrong_id(value):
        raise ValueError(wrong)
    return value


def _equipment_id(value: str) -> str:
    """Before `for` has filled in its placeholders; what they make of it is checked after."""
    _site_id(PLACEHOLDER.sub("x", value))
    return value


def _path(value: str) -> str:
    if wrong := wrong_path(PLACEHOLDER.sub("x", value)):
        raise ValueError(wrong)
    return value


def _positive(value: int) -> int:
    if value <= 0:
        raise ValueError("the interval must be above 0")
    return value


class TextFile(Strict):
    """A name in both languages."""

    zh: str
    en: str


class RuleFile(Strict):
    """What an equipment says of one rule."""

    mode: Mode | None = None
    params: dict[str, float] = Field(default_factory=dict)


class EquipmentFile(Strict):
    """One machine, or with `for` many that differ in the values of their placeholders."""

    id: Annotated[str, AfterValidator(_equipment_id)]
    path: Annotated[str, AfterValidator(_path)]
    type: str
    name: TextFile
    parameters: dict[str, float] = Field(default_factory=dict)
    members: dict[str, dict[str, tuple[str, ...]]] = Field(default_factory=dict)
    bindings: tuple[BindingFile, ...] = ()
    devices: tuple[DeviceFile, ...] = ()
    relations: dict[str, str | tuple[str, ...]] = Field(default_factory=dict)
    interval: Annotated[Duration, AfterValidator(_positive)] | None = None
    rules: dict[str, RuleFile] = Field(default_factory=dict)
    retired: bool = False
    commissioned: bool = True
    repeat: For | None = Field(None, alias="for")


class SiteHead(Strict):
    """The site itself."""

    id: Annotated[str, AfterValidator(_site_id)]
    zone: str
    name: TextFile
    clock: PlantClock = PlantClock.SYSTEM
    mode: Mode = Mode.OBSERVE
    discover: tuple[TopicText, ...] = ()


class SiteFile(Strict):
    """One file of a registry."""

    site: SiteHead | None = None
    equipment: tuple[EquipmentFile, ...] = ()
    templates: tuple[TemplateFile, ...] = ()
    devices: tuple[FeedFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Wire:
    """A binding and where it was written: at `at` of a file, as itself or (`made`) by a template used there."""

    binding: Binding
    located: Located[SiteFile]
    at: Path
    made: bool

    def problem(self, word: str, message: str, *, expected: str = "", hint: str = "") -> Problem:
        """A problem with one word of the binding; of a binding that a template made, with its use."""
        at = self.at if self.made else (*self.at, word)
        prefix = f"{self.binding.topic}: " if self.made else ""
        return self.located.problem(at, prefix + message, expected=expected, hint=hint)


@dataclass(frozen=True, slots=True)
class Entry:
    """One machine as written, and where: `at` is its key path in the file."""

    located: Located[SiteFile]
    at: Path
    file: EquipmentFile
    equipment: Equipment
    wires: tuple[Wire, ...] = ()

    def problem(self, path: Path, message: str, *, expected: str = "", hint: str = "", key: bool = False) -> Problem:
        """A problem with a value of this machine, or with the key itself."""
        report = self.located.key_problem if key else self.located.problem
        return report((*self.at, *path), message, expected=expected, hint=hint)

    @property
    def place(self) -> str:
        """`file:line`, to point from one problem at another place."""
        spot = self.located.document.values[self.at]
        return f"{self.located.document.file}:{spot.line}"

    def wired(self, wires: tuple[Wire, ...]) -> Entry:
        """The machine with these bindings."""
        return replace(self, wires=wires, equipment=replace(self.equipment, bindings=tuple(w.binding for w in wires)))


def read_site(path: FilePath) -> tuple[Located[SiteFile], list[Located[SiteFile]], list[Problem]]:
    """The file that holds the site, all files, and what is wrong with the set of files.

    Raises ConfigError where a file is malformed or none holds the site, NotFound where there is no such path.
    """
    problems: list[Problem] = []
    files: list[Located[SiteFile]] = []
    for file in _files(path):
        try:
            files.append(load_located(file, SiteFile))
        except ConfigError as error:
            problems += error.problems
    heads = [file for file in files if file.value.site is not None]
    for second in heads[1:]:
        first = heads[0].document.file
        problems.append(second.key_problem(("site",), "the site is described twice", hint=f"it is in {first} already"))
    if not heads:
        hint = "begin with site: {id: …, zone: …, name: {zh: …, en: …}}"
        if not problems:
            problems.append(Problem(str(path), 1, 1, "no file here holds the key 'site'", hint=hint))
        raise ConfigError(*in_file_order(problems))
    return heads[0], files, problems


def _files(path: FilePath) -> list[FilePath]:
    if not path.is_dir():
        return [path]
    files = sorted(path.rglob("*.yaml"))
    if not files:
        raise NotFound(f"no .yaml file in {path}")
    return files


def read_entries(located: Located[SiteFile], problems: list[Problem]) -> Iterator[Entry]:
    """The machines of one file, those that one entry stands for each by itself; adds what is wrong to `problems`."""
    for number, file in enumerate(located.value.equipment):
        at: Path = ("equipment", number)
        if file.repeat is None:
            yield Entry(located, at, file, _equipment(file, {}))
            continue
        try:
            found = rows(file.repeat)
        except ValueError as error:
            problems.append(located.problem((*at, "for"), str(error)))
            continue
        yield from (Entry(located, at, _filled(file, values), _equipment(file, values)) for values in found)


def _filled(file: EquipmentFile, values: Mapping[str, str]) -> EquipmentFile:
    """The entry of one row: everything in it that may hold placeholders, filled."""
    relations: dict[str, str | tuple[str, ...]] = {
        name: fill(ids, values) if isinstance(ids, str) else tuple(fill(one, values) for one in ids)
        for name, ids in file.relations.items()
    }
    return file.model_copy(
        update={
            "id": fill(file.id, values),
            "path": fill(file.path, values),
            "name": TextFile(zh=fill(file.name.zh, values), en=fill(file.name.en, values)),
            "relations": relations,
            "bindings": tuple(filled_binding(binding, values) for binding in file.bindings),
            "devices": tuple(filled_device(device, values) for device in file.devices),
        }
    )


def _equipment(written: EquipmentFile, values: Mapping[str, str]) -> Equipment:
    file = _filled(written, values)
    return Equipment(
        id=file.id,
        path=file.path,
        type=file.type,
        text=Text(file.name.zh, file.name.en),
        parameters=file.parameters,
        members=file.members,
        relations={name: (ids,) if isinstance(ids, str) else ids for name, ids in file.relations.items()},
        interval_ms=file.interval,
        rule_modes={rule: said.mode for rule, said in file.rules.items() if said.mode is not None},
        rule_params={rule: said.params for rule, said in file.rules.items() if said.params},
        retired=file.retired,
        commissioned=file.commissioned,
    )
