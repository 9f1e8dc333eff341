"""The catalogue from its files: media and equipment types, checked as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path as FilePath
from typing import TypeVar

from plant.catalogue import (
    Catalogue,
    Derived,
    EquipmentType,
    Flatline,
    Fold,
    Kind,
    Parameter,
    Point,
    PointFamily,
    Text,
)
from plant.errors import ConfigError, NotFound, Problem
from plant.typecheck import check_media, check_names, check_type, placeholders
from plant.typefile import FlatlineFile, MediaFile, Medium, PointFile, TypeFile
from plant.yamlfile import Located, in_file_order, load_located, load_yaml

T = TypeVar("T")

MEDIA = "media.yaml"
GATEWAY = "gateway"

ONLINE = Point(
    name="online_status",
    unit="bool",
    kind=Kind.STATUS,
    low=0.0,
    high=1.0,
    text=Text("在线状态", "Online status"),
    decimals=0,
)
"""Every type has it: whether the equipment's device says it is there (or its last will says it is not)."""


def load_catalogue(directory: FilePath | None = None) -> Catalogue:
    """The catalogue of a directory of `<type>.yaml` files and `media.yaml`; without one, the catalogue we ship.

    Raises ConfigError with every mistake found, NotFound where there is no such directory.
    """
    if directory is None:
        return _packaged()
    if not directory.is_dir():
        raise NotFound(f"no directory {directory}")
    return _load(directory, str(directory))


@cache
def _packaged() -> Catalogue:
    return _load(resources.files("plant") / "types", "plant/types")


def _load(directory: Traversable, name: str) -> Catalogue:
    media: Mapping[str, Medium] = {}
    problems: list[Problem] = []
    located: dict[str, Located[TypeFile]] = {}
    for entry in sorted(directory.iterdir(), key=lambda item: (item.name != MEDIA, item.name)):
        if not entry.name.endswith(".yaml"):
            continue
        try:
            where = f"{name}/{entry.name}"
            if entry.name == MEDIA:
                media = load_yaml(entry.read_text("utf-8"), MediaFile, file=where).media
                continue
            found = load_located(entry.read_text("utf-8"), TypeFile, file=where)
        except ConfigError as error:
            problems += error.problems
            continue
        wrong = [*check_names(found, entry.name.removesuffix(".yaml")), *check_media(found, media)]
        problems += wrong
        if not wrong:
            located[found.value.name] = found
    if problems:
        raise ConfigError(*in_file_order(problems))
    catalogue = Catalogue(
        {
            kind: _type(file.value, media, behind_gateway=GATEWAY in located and kind != GATEWAY)
            for kind, file in located.items()
        }
    )
    for kind, file in located.items():
        problems += check_type(file, catalogue.types[kind], catalogue)
    if problems:
        raise ConfigError(*in_file_order(problems))
    return catalogue


def _type(file: TypeFile, media: Mapping[str, Medium], *, behind_gateway: bool) -> EquipmentType:
    points = {name: _point(name, point, file, media) for name, point in file.points.items()}
    points.setdefault(ONLINE.name, ONLINE)
    families = {}
    for name, family in file.families.items():
        point = _point(name, family.point, file, media)
        families[name] = PointFamily(name, point, placeholders(name), family.fixed)
    relations = dict(file.relations)
    if behind_gateway:
        relations.setdefault("gateway", GATEWAY)
    return EquipmentType(
        name=file.name,
        text=Text(file.zh, file.en),
        step_ms=file.step,
        points=points,
        families=families,
        parameters={
            name: Parameter(name, item.unit, item.range[0], item.range[1], Text(item.zh, item.en), item.default)
            for name, item in file.parameters.items()
        },
        derived={
            name: Derived(name, item.unit, item.expression, Text(item.zh, item.en), item.decimals)
            for name, item in file.derived.items()
        },
        active=file.active,
        relations=relations,
        by_service=file.by_service,
    )


def _point(name: str, file: PointFile, type_file: TypeFile, media: Mapping[str, Medium]) -> Point:
    medium = media[file.medium] if file.medium is not None else Medium()
    # check_media has seen to it that one of the two has a unit and a range
    low, high = file.range or medium.range or (0.0, 1.0)
    decimals = _first(file.decimals, medium.decimals)
    return Point(
        name=name,
        unit=file.unit or medium.unit or "1",
        kind=file.kind or medium.kind or Kind.SENSOR,
        low=low,
        high=high,
        text=Text(file.zh, file.en),
        decimals=3 if decimals is None else decimals,
        fold=file.fold or medium.fold or Fold.LAST,
        sampling=file.sampling or medium.sampling or type_file.sampling,
        flatline=_flatline(file.flatline or medium.flatline),
        jump=_first(file.jump, medium.jump),
        sentinels=_first(file.sentinels, medium.sentinels) or (),
        brick=file.brick,
        typical=None if file.typical is None else (file.typical[0], file.typical[1]),
    )


def _first(own: T | None, shared: T | None) -> T | None:
    """What the point says, else what its medium says; 0 and nothing are things to say too."""
    return own if own is not None else shared


def _flatline(file: FlatlineFile | None) -> Flatline | None:
    return Flatline(file.tolerance, file.window) if file is not None else None
