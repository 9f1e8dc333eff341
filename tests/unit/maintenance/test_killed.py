"""A writer killed without warning: what it was told is committed is there, whole, and nothing is there twice."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from maintenance.ledger import Ledger, outbox, queries

# Commits one raised alarm an offset, from wherever the ledger is, and says each offset once it is committed.
WRITER = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from maintenance.ledger import EngineCommit, Ledger
    from tests.unit.maintenance.builders import Course, T0

    with Ledger.open(Path(sys.argv[1])) as ledger:
        epoch = ledger.take_lease("rules", "site")
        while True:
            here = ledger.offset("rules", "site")
            event = Course(T0, f"ch-{here + 1}").raised()
            ledger.commit_engine(EngineCommit("rules", "site", here, here + 1, epoch, T0, (event,)))
            sys.stdout.write(f"{here + 1}\\n")
            sys.stdout.flush()
    """
)


ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.faults
def test_each_offset_has_its_ticket_and_notice_exactly_once_however_often_the_writer_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    told = 0
    for commits in (1, 7, 4):
        command = [sys.executable, "-c", WRITER, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as writer:
            assert writer.stdout is not None
            for _ in range(commits):
                told = int(writer.stdout.readline())
            writer.kill()

    with Ledger.open(path) as ledger:
        offset = ledger.offset("rules", "site")
        machines = [job.equipment for job in ledger.read(queries.list_tickets, limit=1000).items]
        notices = [notice.ticket for notice in ledger.read(outbox.listed, limit=1000)]
        raised = len(ledger.projection().alarms)

    assert offset >= told
    assert sorted(machines) == sorted(f"ch-{n}" for n in range(1, offset + 1))
    assert (len(set(notices)), len(notices), raised) == (offset, offset, offset)
