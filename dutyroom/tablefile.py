"""A recording in a CSV file as a plant of its own and a run of journal entries: the same door as live messages."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from statistics import median

from history.entries import Message, Tick
from ingest.topics import Channel, NativeTopic
from plant.catalogue import Catalogue, Text
from plant.errors import BadInput, ConfigError, Problem
from plant.instants import parse_instant
from plant.site import Equipment, Mode, Plant, PlantClock, Site

AREA = "replay"
"""Area of the equipment of a file: `replay/NAME`."""

WORDS = {"true": 1.0, "false": 0.0, "on": 1.0, "off": 0.0}


@dataclass(frozen=True, slots=True)
class TableOptions:
    """How a file is to be read.

    `equipment` maps names to types; ("*", type) with `rows_of` makes one of each value of that column. `columns` maps
    columns to points, `parameters` an equipment's name to its parameters; `interval_ms` None: the median spacing.
    """

    equipment: Sequence[tuple[str, str]]
    rows_of: str | None
    columns: Mapping[str, str]
    parameters: Mapping[str, Mapping[str, float]]
    interval_ms: int | None
    zone: tzinfo
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its time, the equipment it is about, and the values that are not blank."""

    ts: int
    equipment: str
    points: Mapping[str, float | str]


@dataclass(frozen=True, slots=True)
class Table:
    """A file that was read: its plant, its rows in time order, the columns that are no point, and the interval."""

    plant: Plant
    rows: tuple[Row, ...]
    left_out: tuple[str, ...]
    interval_ms: int

    @property
    def last(self) -> int:
        """Time of the last row."""
        return self.rows[-1].ts

    def entries(self) -> Iterator[tuple[int, Message | Tick]]:
        """Journal entries with offsets from 1: each row as the message a device would send, then the plant clock."""
        offset = 0
        for place, row in enumerate(self.rows):
            offset += 1
            yield offset, Message(received_at=row.ts, topic=topic(self.plant.site.id, row), payload=payload(row))
            if place + 1 == len(self.rows) or self.rows[place + 1].ts != row.ts:
                offset += 1
                yield offset, Tick(row.ts)


def topic(site: str, row: Row) -> str:
    """The native topic of a row's equipment."""
    return str(NativeTopic(site, f"{AREA}/{row.equipment}", Channel.TELEMETRY))


def payload(row: Row) -> bytes:
    """The native message of a row."""
    return json.dumps({"ts": row.ts, "points": dict(row.points)}, separators=(",", ":")).encode()


def read_table(path: Path, options: TableOptions, catalogue: Catalogue, *, site: str = "file") -> Table:
    """Read a CSV file, gzipped or not.

    Raises ConfigError at file:line for a cell that cannot be read, BadInput where options and file do not fit.
    """
    header, lines = _cells(path)
    if not header or header[0] != "ts":
        raise BadInput(f"{path}: the first column is {header[:1]}, expected 'ts'")
    kinds = _kinds(options, header, lines, path)
    points = {column: options.columns.get(column, column) for column in header[1:]}
    known = {name for kind in set(kinds.values()) for name in _points(catalogue, kind)}
    _check_mapping(options, header, known, path)
    used = {column: point for column, point in points.items() if point in known}
    rows = _rows(path, header, lines, (used, kinds, options))
    if not rows:
        raise BadInput(f"{path}: no row is between the given times")
    interval = options.interval_ms or _spacing(rows)
    machines = {name: _machine(name, kind, options, interval) for name, kind in kinds.items()}
    made = Site(site, str(options.zone), Text(site, site), machines, PlantClock.TOPIC, Mode.LIVE)
    left_out = tuple(column for column in header[1:] if column not in used and column != options.rows_of)
    return Table(Plant(catalogue, made), tuple(rows), left_out, interval)


def _cells(path: Path) -> tuple[list[str], list[list[str]]]:
    if not path.exists():
        raise BadInput(f"{path}: there is no such file")
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        lines = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path}: not a readable CSV file ({error})") from None
    return (lines[0], lines[1:]) if lines else ([], [])


def _kinds(options: TableOptions, header: Sequence[str], lines: Sequence[Sequence[str]], path: Path) -> dict[str, str]:
    """Type of each equipment the rows are about."""
    if options.rows_of is None:
        if len(options.equipment) != 1 or options.equipment[0][0] == "*":
            raise BadInput("without --rows-of a file is about one equipment: --equipment NAME:TYPE")
        if "unit" in header:
            units = {line[header.index("unit")] for line in lines if len(line) == len(header)}
            if len(units) > 1:
                raise BadInput(f"{path}: 'unit' has {len(units)} values; say --rows-of unit --equipment '*:TYPE'")
        return dict(options.equipment)
    if options.rows_of not in header:
        raise BadInput(f"{path}: there is no column {options.rows_of!r}; the columns are {', '.join(header)}")
    place = header.index(options.rows_of)
    named = dict(options.equipment)
    values = sorted({line[place] for line in lines if len(line) > place and line[place]})
    kinds = {value: named.get(value, named.get("*", "")) for value in values}
    without = [value for value, kind in kinds.items() if not kind]
    if without:
        raise BadInput(f"{path}: no type is given for {', '.join(without[:5])}; say --equipment '*:TYPE'")
    return kinds


def _points(catalogue: Catalogue, kind: str) -> set[str]:
    if kind not in catalogue.types:
        raise BadInput(f"there is no equipment type {kind!r}; there are {', '.join(sorted(catalogue.types))}")
    return set(catalogue.types[kind].points)


def _check_mapping(options: TableOptions, header: Sequence[str], known: set[str], path: Path) -> None:
    for column, point in options.columns.items():
        if column not in header:
            raise BadInput(f"{path}: --map names column {column!r}, which is not there")
        if point not in known:
            raise BadInput(f"--map {column}={point}: {point!r} is no point of the type")


def _rows(
    path: Path,
    header: Sequence[str],
    lines: Sequence[Sequence[str]],
    how: tuple[Mapping[str, str], Mapping[str, str], TableOptions],
) -> list[Row]:
    used, kinds, options = how
    places = [(header.index(column), point) for column, point in used.items()]
    owner = header.index(options.rows_of) if options.rows_of else None
    only = next(iter(kinds))
    rows: list[Row] = []
    for number, line in enumerate(lines, start=2):
        if not line:
            continue
        if len(line) != len(header):
            problem = Problem(str(path), number, 1, f"{len(line)} cells", expected=f"{len(header)}, as in the header")
            raise ConfigError(problem)
        try:
            ts = parse_instant(line[0], options.zone)
        except BadInput as error:
            raise ConfigError(Problem(str(path), number, 1, str(error), text=line[0])) from None
        if (options.start is not None and ts < options.start) or (options.end is not None and ts >= options.end):
            continue
        if rows and ts < rows[-1].ts and owner is None:
            raise ConfigError(
                Problem(str(path), number, 1, "goes back in time", text=line[0], hint="sort the file by ts")
            )
        points = {point: _value(line[place]) for place, point in places if line[place].strip()}
        rows.append(Row(ts, line[owner] if owner is not None else only, points))
    return sorted(rows, key=lambda row: row.ts) if owner is not None else rows


def _value(cell: str) -> float | str:
    """A number, a word for one, or the text as it is: the door decides what becomes of it."""
    text = cell.strip()
    try:
        number = float(text)
    except ValueError:
        return WORDS.get(text.lower(), text)
    return number if number == number and abs(number) != float("inf") else text


def _spacing(rows: Sequence[Row]) -> int:
    """Median time from a row of an equipment to its next."""
    last: dict[str, int] = {}
    gaps = []
    for row in rows:
        if row.equipment in last and row.ts > last[row.equipment]:
            gaps.append(row.ts - last[row.equipment])
        last[row.equipment] = row.ts
    return round(median(gaps)) if gaps else 60_000


def _machine(name: str, kind: str, options: TableOptions, interval_ms: int) -> Equipment:
    parameters = {**options.parameters.get("*", {}), **options.parameters.get(name, {})}
    return Equipment(name, f"{AREA}/{name}", kind, Text(name, name), parameters=parameters, interval_ms=interval_ms)
