"""Writes a small data folder with the version checked out, packed as one file, for the upgrade test of later versions.

    python -m tests.support.olddata tests/data/upgrade/NAME.tar.zst

A pump that does not start is heard for 90 s of plant time by `dutyroom run` on a real Mosquitto: a journal, a ledger
with a user, an alarm, a ticket that was acknowledged, the embedded store and snapshots, left by an orderly end.
`expected.json` in it says what was there.
"""

from __future__ import annotations

import asyncio
import io
import json
import signal
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import zstandard

from history.duck import DuckStore
from maintenance.ledger import Ledger, queries, users
from maintenance.moves import Move
from maintenance.people import Actor, Role
from maintenance.ticket import State
from plant.reading import SeriesKey
from tests.integration.test_service import EXPECTED, SECONDS, T0, publish, put_site, raised, service, until_heard
from tests.support.programs import Mosquitto, wait_until

SITE = "upgrade"
POINTS = ("pump_command", "pump_status")


def known(folder: Path) -> dict[str, Any]:
    """What a data folder holds, in words that outlive a schema: alarms, tickets, users, readings."""
    with Ledger.open(folder / "ledger.db") as ledger:
        alarms = [[line[0], line[1], line[4]] for line in ledger.projection().alarms]
        tickets = ledger.read(queries.list_tickets, queries.TicketFilter(), cursor=None, limit=100).items
        people = [[user.name, user.role.value] for user in ledger.read(users.listed)]
    store = DuckStore(folder / "telemetry")
    try:
        readings = {}
        for point in POINTS:
            found = store.raw(SeriesKey("p1", point, "pump"), 0, 2 * T0)
            readings[point] = [list(pair) for pair in zip(found.ts.tolist(), found.value.tolist(), strict=True)]
    finally:
        store.close()
    return {
        "alarms": alarms,
        "tickets": [[ticket.id, ticket.equipment, ticket.rule, ticket.state.value] for ticket in tickets],
        "users": people,
        "readings": readings,
    }


def unpack(file: Path, target: Path) -> dict[str, Any]:
    """Make the folder `target` again and return what was there when it was packed."""
    with tarfile.open(fileobj=io.BytesIO(zstandard.ZstdDecompressor().decompress(file.read_bytes()))) as tar:
        tar.extractall(target, filter="data")
    expected: dict[str, Any] = json.loads((target / "expected.json").read_text(encoding="utf-8"))
    (target / "expected.json").unlink()
    return expected


async def fill(folder: Path, broker: Mosquitto) -> None:
    """Let a service live in the folder for a while."""
    put_site(folder, SITE)
    with service(folder, broker.url) as process:
        await until_heard(broker, SITE, folder)
        await publish(broker, SITE)
        wait_until(lambda: raised(folder) == EXPECTED, seconds=60, what="the alarm")
        with Ledger.open(folder / "ledger.db") as ledger:
            at = T0 + SECONDS * 1000
            ledger.add_user("li.wei", Role.CREW, author="fixture", now=at)
            (ticket,) = ledger.read(queries.list_tickets, queries.TicketFilter(), cursor=None, limit=9).items
            ledger.move_ticket(ticket.id, Move(State.ACKNOWLEDGED, Actor("li.wei", Role.CREW), at))
        process.send_signal(signal.SIGTERM)
        if process.wait(60) != 0:
            raise RuntimeError("the service did not end in good order")


def pack(folder: Path, target: Path) -> None:
    """The folder and what is in it as one file; times and owners left out, so that it says nothing of a machine."""
    expected = json.dumps(known(folder), indent=1).encode()
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(found for found in folder.rglob("*") if found.is_file() and found.suffix != ".lock"):
            _add(tar, str(path.relative_to(folder)), path.read_bytes())
        _add(tar, "expected.json", expected)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(zstandard.ZstdCompressor(level=19).compress(raw.getvalue()))


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    tar.addfile(entry, io.BytesIO(data))


def main() -> None:
    """Entry of the command above."""
    target = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "data"
        with Mosquitto(Path(scratch) / "mosquitto") as broker:
            asyncio.run(fill(folder, broker))
        pack(folder, target)
    sys.stderr.write(f"{target}: {target.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
