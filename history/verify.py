"""Reading a journal from end to end and saying whether it is whole."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from history.batches import open_reader
from history.codec import checksum, decompress, unpack, unpack_config
from plant.errors import Corrupt

_MOST_PROBLEMS = 100


@dataclass(slots=True)
class Report:
    """What a journal holds: sound entries and batches, offsets of the first and last (0 when none), what is wrong."""

    entries: int = 0
    batches: int = 0
    first: int = 0
    last: int = 0
    problems: list[str] = field(default_factory=list)


def verify(path: Path) -> Report:
    """Check the pages of the file, each batch's checksum and content, and that no offset is missing.

    May run while the journal is being written. Ends after a hundred problems. Raises Unavailable when there is no
    file, Corrupt when it is no journal at all.
    """
    report = Report()
    db = open_reader(path)
    try:
        report.problems += [text for (text,) in db.execute("PRAGMA quick_check(10)") if text != "ok"]
        _check_batches(db, report)
        _check_configs(db, report)
    except sqlite3.DatabaseError as error:
        report.problems.append(f"unreadable after offset {report.last}: {error}")
    finally:
        db.close()
    return report


def _check_batches(db: sqlite3.Connection, report: Report) -> None:
    for first, n, crc, body in db.execute("SELECT first, n, crc, body FROM batches ORDER BY first"):
        if len(report.problems) >= _MOST_PROBLEMS:
            report.problems.append("and so on: stopped looking")
            return
        if report.last and first != report.last + 1:
            report.problems.append(f"after offset {report.last} comes {first}: entries are missing or doubled")
        report.first = report.first or first
        report.last = first + n - 1
        problem = _problem_of(first, n, crc, body)
        if problem:
            report.problems.append(f"batch at offset {first}: {problem}")
        else:
            report.entries += n
            report.batches += 1


def _problem_of(first: int, n: int, crc: int, body: bytes) -> str:
    if checksum(first, body) != crc:
        return "checksum differs"
    try:
        found = len(unpack(decompress(body)))
    except Corrupt as error:
        return str(error)
    return "" if found == n else f"holds {found} entries instead of {n}"


def _check_configs(db: sqlite3.Connection, report: Report) -> None:
    for offset, crc, body in db.execute("SELECT at_offset, crc, body FROM config_entries ORDER BY at_offset"):
        if checksum(offset, body) != crc:
            report.problems.append(f"configuration at offset {offset}: checksum differs")
            continue
        try:
            unpack_config(decompress(body))
        except Corrupt as error:
            report.problems.append(f"configuration at offset {offset}: {error}")
