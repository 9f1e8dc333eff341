"""The registry of a site from YAML: one file, or a folder of files of which one holds the site itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Annotated

from pydantic import AfterValidator, Field

from plant.catalogue import Text
from plant.errors import ConfigError, NotFound, Problem
from plant.site import Binding, Clock, Equipment, Mode, PlantClock
from plant.yamlfile import Duration, Located, Strict, in_file_order, load_located
from plant.yamlnodes import Path

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_LEVEL = r"[^/+#$\s\x00-\x1f][^/+#\s\x00-\x1f]*"
_PATH = re.compile(f"{_LEVEL}/{_LEVEL}")
_WORD = re.compile(r"[a-z0-9_]+")


def _site_id(value: str) -> str:
    if not _ID.fullmatch(value):
        raise ValueError("an id is letters, digits, '.', '-' and '_', at most 64, and begins with a letter or digit")
    return value


def _path(value: str) -> str:
    if not _PATH.fullmatch(value):
        raise ValueError("a path is area/name, without blanks, '+' and '#', and is a part of topics")
    return value


def _topic(value: str) -> str:
    levels = value.split("/")
    misplaced = any(("+" in level or "#" in level) and len(level) > 1 for level in levels) or "#" in levels[:-1]
    if not value or misplaced or "\x00" in value or len(value.encode()) > 65_535:
        raise ValueError("no topic or topic filter; '+' stands for a whole level, '#' for all the rest")
    return value


def _decoder(value: str) -> str:
    if not _WORD.fullmatch(value):
        raise ValueError("a decoder is named by small letters, digits and '_'")
    return value


def _positive(value: int) -> int:
    if value <= 0:
        raise ValueError("the interval must be above 0")
    return value


class TextFile(Strict):
    """A name in both languages."""

    zh: str
    en: str


class BindingFile(Strict):
    """What feeds one point."""

    topic: Annotated[str, AfterValidator(_topic)]
    point: str
    key: str | None = None
    unit: str | None = None
    scale: float = 1.0
    offset: float = 0.0
    clock: Clock = Clock.DEVICE
    decoder: Annotated[str, AfterValidator(_decoder)] = "native"
    time: str | None = None
    zone: str | None = None


class RuleFile(Strict):
    """What an equipment says of one rule."""

    mode: Mode | None = None
    params: dict[str, float] = Field(default_factory=dict)


class EquipmentFile(Strict):
    """One machine."""

    id: Annotated[str, AfterValidator(_site_id)]
    path: Annotated[str, AfterValidator(_path)]
    type: str
    name: TextFile
    parameters: dict[str, float] = Field(default_factory=dict)
    members: dict[str, dict[str, tuple[str, ...]]] = Field(default_factory=dict)
    bindings: tuple[BindingFile, ...] = ()
    relations: dict[str, str | tuple[str, ...]] = Field(default_factory=dict)
    interval: Annotated[Duration, AfterValidator(_positive)] | None = None
    rules: dict[str, RuleFile] = Field(default_factory=dict)
    retired: bool = False


class SiteHead(Strict):
    """The site itself."""

    id: Annotated[str, AfterValidator(_site_id)]
    zone: str
    name: TextFile
    clock: PlantClock = PlantClock.SYSTEM
    mode: Mode = Mode.OBSERVE


class SiteFile(Strict):
    """One file of a registry."""

    site: SiteHead | None = None
    equipment: tuple[EquipmentFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One machine as written, and where: `at` is its key path in the file."""

    located: Located[SiteFile]
    at: Path
    file: EquipmentFile
    equipment: Equipment

    def problem(self, path: Path, message: str, *, expected: str = "", hint: str = "", key: bool = False) -> Problem:
        """A problem with a value of this machine, or with the key itself."""
        report = self.located.key_problem if key else self.located.problem
        return report((*self.at, *path), message, expected=expected, hint=hint)

    @property
    def place(self) -> str:
        """`file:line`, to point from one problem at another place."""
        spot = self.located.document.values[self.at]
        return f"{self.located.document.file}:{spot.line}"


def read_site(path: FilePath) -> tuple[Located[SiteFile], list[Entry], list[Problem]]:
    """The file that holds the site, every machine of all files, and what is wrong with the set of files.

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
    return heads[0], [entry for file in files for entry in _entries(file)], problems


def _files(path: FilePath) -> list[FilePath]:
    if not path.is_dir():
        return [path]
    files = sorted(path.rglob("*.yaml"))
    if not files:
        raise NotFound(f"no .yaml file in {path}")
    return files


def _entries(located: Located[SiteFile]) -> Iterator[Entry]:
    for number, file in enumerate(located.value.equipment):
        yield Entry(located, ("equipment", number), file, _equipment(file))


def _equipment(file: EquipmentFile) -> Equipment:
    return Equipment(
        id=file.id,
        path=file.path,
        type=file.type,
        text=Text(file.name.zh, file.name.en),
        parameters=file.parameters,
        members=file.members,
        bindings=tuple(Binding(**dict(binding)) for binding in file.bindings),
        relations={name: (ids,) if isinstance(ids, str) else ids for name, ids in file.relations.items()},
        interval_ms=file.interval,
        rule_modes={rule: said.mode for rule, said in file.rules.items() if said.mode is not None},
        rule_params={rule: said.params for rule, said in file.rules.items() if said.params},
        retired=file.retired,
    )
