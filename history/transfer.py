"""A journal as one portable file: a header line of JSON, then a zstd stream of records that ends with a count.

Each record is its length (4 bytes, big-endian) and a msgpack tuple (kind, first, n, at, crc, body): `c` a
configuration, `b` a batch, both as stored, `e` the end with the number of batches in `n`, the last offset in `first`.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec
import zstandard

from history.batches import WriterLock, open_reader, open_writer, translated
from history.codec import checksum
from history.stored import BOUNDS
from plant.errors import BadInput, Conflict, Corrupt

_Record = tuple[str, int, int, int, int, bytes]
_RECORD = msgspec.msgpack.Decoder(_Record)
_LONGEST_HEADER = 1_000


class _Header(msgspec.Struct, rename={"format": "dutyroom-journal"}):
    """The first line of the file, for people and `file`."""

    format: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Transferred:
    """What was written or read: offsets of the first and last entry (1 and 0 when none) and the number of batches."""

    first: int
    last: int
    batches: int


def export_journal(path: Path, target: Path) -> Transferred:
    """Write the whole journal at `path` to `target`, from one snapshot, even while it is being written.

    `target` appears complete or not at all. Raises Conflict when it exists, Corrupt when a batch fails its checksum.
    """
    if target.exists():
        raise Conflict(f"{target} exists already; remove it or name another file")
    beside = target.with_name(target.name + ".part")
    db = open_reader(path)
    try:
        with beside.open("wb") as file, translated(path):
            db.execute("BEGIN")  # one snapshot for both tables
            first, last = db.execute(BOUNDS).fetchone()
            header = _Header(1, *((1, 0) if first is None else (first, last)))
            file.write(msgspec.json.encode(header) + b"\n")
            batches = _write_records(db, path, file, header.last)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    finally:
        db.close()
        beside.unlink(missing_ok=True)
    return Transferred(header.first, header.last, batches)


def import_journal(source: Path, path: Path) -> Transferred:
    """Make the journal at `path` from an exported file.

    The journal appears complete or not at all. Raises Conflict when one with entries (or a writer) is there, BadInput
    when `source` is no exported journal, Corrupt when it is cut short or damaged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = WriterLock(path)
    beside = path.with_name(path.name + ".importing")
    try:
        _check_empty(path)
        _remove(beside)
        with source.open("rb") as file:
            header = _read_header(file, source)
            batches = _fill(beside, file, source, header)
        _remove(path)
        beside.replace(path)
    finally:
        _remove(beside)
        lock.release()
    return Transferred(header.first, header.last, batches)


def _write_records(db: sqlite3.Connection, path: Path, file: BinaryIO, last: int) -> int:
    batches = 0
    with zstandard.ZstdCompressor(level=3, write_checksum=True).stream_writer(file, closefd=False) as out:
        for offset, crc, body in db.execute("SELECT at_offset, crc, body FROM config_entries ORDER BY at_offset"):
            _put(out, ("c", offset, 0, 0, crc, body))
        for first, n, at, crc, body in db.execute("SELECT first, n, at, crc, body FROM batches ORDER BY first"):
            if checksum(first, body) != crc:
                raise Corrupt(f"{path}: the batch at offset {first} fails its checksum; nothing was exported")
            _put(out, ("b", first, n, at, crc, body))
            batches += 1
        _put(out, ("e", last, batches, 0, 0, b""))
    return batches


def _put(out: zstandard.ZstdCompressionWriter, record: _Record) -> None:
    packed = msgspec.msgpack.encode(record)
    out.write(len(packed).to_bytes(4, "big") + packed)


def _read_header(file: BinaryIO, source: Path) -> _Header:
    try:
        header = msgspec.json.decode(file.readline(_LONGEST_HEADER), type=_Header)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadInput(f"{source} is no exported journal; make one with `dutyroom journal export`") from None
    if header.format != 1:
        raise BadInput(
            f"{source} has export format {header.format}, this version reads 1; use the version that wrote it"
        )
    return header


def _records(file: BinaryIO, source: Path) -> Iterator[_Record]:
    """Every record up to the end record; raises Corrupt when the stream stops before it or is damaged."""
    with zstandard.ZstdDecompressor().stream_reader(file, closefd=False) as stream:
        try:
            while True:
                length = int.from_bytes(_exactly(stream, 4, source), "big")
                record = _RECORD.decode(_exactly(stream, length, source))
                if record[0] != "e" and checksum(record[1], record[5]) != record[4]:
                    raise Corrupt(f"{source}: the record of offset {record[1]} fails its checksum; export it again")
                yield record
                if record[0] == "e":
                    return
        except (zstandard.ZstdError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Corrupt(f"{source} is damaged ({error}); export it again") from error


def _exactly(stream: zstandard.ZstdDecompressionReader, size: int, source: Path) -> bytes:
    found = bytearray()
    while len(found) < size:
        more = stream.read(size - len(found))
        if not more:
            raise Corrupt(f"{source} is cut short; copy or export it again")
        found += more
    return bytes(found)


def _fill(beside: Path, file: BinaryIO, source: Path, header: _Header) -> int:
    db = open_writer(beside)
    batches, last = 0, header.first - 1
    try:
        with translated(beside):
            db.execute("PRAGMA journal_mode=DELETE")  # one file to rename, and no log as large as the journal
            db.execute("BEGIN")
            for kind, first, n, at, crc, body in _records(file, source):
                if kind == "c":
                    db.execute("INSERT INTO config_entries VALUES (?, ?, ?)", (first, crc, body))
                elif kind == "b" and first == last + 1:
                    db.execute("INSERT INTO batches VALUES (?, ?, ?, ?, ?)", (first, n, at, crc, body))
                    batches, last = batches + 1, last + n
                elif not (kind == "e" and first == last and n == batches):
                    raise Corrupt(f"{source}: after offset {last} comes a record {kind!r} of {first}; export it again")
            db.execute("COMMIT")
    finally:
        db.close()
    return batches


def _check_empty(path: Path) -> None:
    if not path.exists():
        return
    db = open_reader(path)
    try:
        with translated(path):
            last = db.execute(BOUNDS).fetchone()[1]
    finally:
        db.close()
    if last is not None:
        raise Conflict(f"{path} holds entries up to offset {last}; import into an empty data folder")


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
