"""Which batches leave the journal's front, and giving their pages back to the disk."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from history.batches import pragma

_STEP_BATCHES = 256
_STEP_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Keep:
    """What must stay.

    Batches whose newest entry is younger than `age_ms` stay while the file is below `size_bytes`. Entries beyond
    offset `after` stay whatever the age or size: the slowest consumer or a pinned incident needs them.
    """

    age_ms: int
    size_bytes: int
    after: int


@dataclass(frozen=True, slots=True)
class Removed:
    """What retention took away."""

    entries: int = 0
    batches: int = 0
    bytes: int = 0

    def plus(self, other: Removed) -> Removed:
        """Both together."""
        return Removed(self.entries + other.entries, self.batches + other.batches, self.bytes + other.bytes)


def step(db: sqlite3.Connection, keep: Keep, now: int) -> Removed:
    """Remove a bounded number of batches in one transaction; `batches` is 0 when nothing more may go.

    Bounded, because the writer waits meanwhile. The newest batch always stays: it carries the last offset.
    """
    cut, removed = _choose(db, keep, now)
    if removed.batches:
        db.execute("BEGIN IMMEDIATE")
        try:
            db.execute("DELETE FROM batches WHERE first < ?", (cut,))
            # Of the configurations of removed batches only the one in force at the new front is still needed.
            db.execute(
                "DELETE FROM config_entries WHERE at_offset < "
                "(SELECT max(at_offset) FROM config_entries WHERE at_offset <= ?)",
                (cut,),
            )
            db.execute("COMMIT")
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")
    # As a script: `execute` takes a step without columns for the end and would free one page only.
    db.executescript(f"PRAGMA incremental_vacuum({_STEP_BYTES // pragma(db, 'page_size')})")
    return removed


def _choose(db: sqlite3.Connection, keep: Keep, now: int) -> tuple[int, Removed]:
    """The offset below which everything goes, and how much that is."""
    excess = (pragma(db, "page_count") - pragma(db, "freelist_count")) * pragma(db, "page_size") - keep.size_bytes
    rows = db.execute("SELECT first, n, at, length(body) FROM batches ORDER BY first LIMIT ?", (_STEP_BATCHES + 1,))
    held = rows.fetchall()
    cut, removed = 0, Removed()
    for first, n, at, size in held[:-1]:
        too_old = at < now - keep.age_ms
        if first + n - 1 > keep.after or not (too_old or excess > 0) or removed.bytes > _STEP_BYTES:
            break
        excess -= size
        cut, removed = first + n, removed.plus(Removed(n, 1, size))
    return cut, removed
