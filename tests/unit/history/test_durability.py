"""What a kill leaves of the journal.

A killed process: every batch whose `append` returned is there (the kernel holds the pages; that fsync also saves them
from a power cut is SQLite's word, which no test here can check). A write-ahead log cut at any byte, as a power cut may
leave the part not yet synced: the journal opens, and holds a whole number of batches from the front.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

from history.entries import Entry
from history.journal import JournalFile
from history.verify import verify
from tests.unit.history.entries import message, messages

_WRITER = """
import sys
from pathlib import Path
from history.journal import JournalFile
from tests.unit.history.entries import messages
with JournalFile(Path(sys.argv[1])) as journal:
    while True:
        journal.append(messages(journal.last_offset + 1, 7))
        print(journal.last_offset, flush=True)
"""


def held(path: Path) -> list[tuple[int, Entry]]:
    with JournalFile(path) as journal:
        found: list[tuple[int, Entry]] = []
        while len(found) < journal.last_offset:
            found += journal.read(len(found))
    return found


def test_what_was_returned_survives_sigkill(tmp_path: Path) -> None:
    random = Random(7)
    path = tmp_path / "journal.db"
    returned = 0
    for _ in range(4):
        with subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for _ in range(random.randint(1, 60)):
                returned = int(writer.stdout.readline())
            writer.kill()
            rest = writer.stdout.read().split("\n")[:-1]
        returned = int(rest[-1]) if rest else returned
        found = held(path)
        assert len(found) >= returned
        assert len(found) % 7 == 0
        assert found == list(enumerate(messages(1, len(found)), 1))
    assert verify(path).problems == []


def test_a_log_cut_anywhere_opens_at_the_end_of_a_batch(tmp_path: Path) -> None:
    random = Random(11)
    live, copy = tmp_path / "live.db", tmp_path / "copy"
    ends, sizes = [0], [0]
    with JournalFile(live) as journal:
        for _ in range(25):
            ends.append(journal.append([message(ends[-1] + 1 + n, size=400) for n in range(random.randint(1, 30))]))
            sizes.append(Path(f"{live}-wal").stat().st_size)
        copy.mkdir()
        for name in ("live.db", "live.db-wal"):  # as a crash leaves them: the log not yet moved into the file
            shutil.copy(tmp_path / name, copy / name)
    log = (copy / "live.db-wal").read_bytes()
    assert len(log) == sizes[-1]  # no checkpoint has begun the log anew, so its length tells what was durable
    for cut in [len(log), *(random.randint(sizes[1], len(log)) for _ in range(40))]:
        there = tmp_path / f"cut-{cut}"
        there.mkdir()
        shutil.copy(copy / "live.db", there / "live.db")
        (there / "live.db-wal").write_bytes(log[:cut])
        found = held(there / "live.db")
        complete = max(end for end, size in zip(ends, sizes, strict=True) if size <= cut)
        assert len(found) == complete
        assert [offset for offset, _ in found] == list(range(1, complete + 1))
        assert verify(there / "live.db").problems == []
