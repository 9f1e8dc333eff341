"""The live stream and the server over a real socket: resume, caps, and a shutdown that ends every stream."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx2
import pytest

from api.guard.origin import SESSION_COOKIE
from api.server import serve
from maintenance.ledger import Ledger, sessions, users
from maintenance.people import Actor, Role
from plant.errors import Unavailable
from rules.events import EventKind
from tests.unit.api.house import MINUTE, T0, House, event, opened

DEADLINE_S = 20
STREAM = "/api/v1/stream"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A small site that allows two streams a user and three in all."""
    with opened(tmp_path, streams_per_user=2, streams=3) as fresh:
        yield fresh


class Listener:
    """One open stream, read event by event."""

    def __init__(self, answer: httpx2.Response) -> None:
        self.answer = answer
        self._lines = answer.aiter_lines()
        self.last_id = ""

    async def next(self) -> dict[str, object]:
        """The next event but clocks: its name, id (as sent) and data."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                found = await self._event()
                if found["event"] != "clock":
                    return found

    async def clock(self) -> dict[str, object]:
        """The next clock event."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                found = await self._event()
                if found["event"] == "clock":
                    return found

    async def ended(self) -> None:
        """Read to the end of the stream."""
        async with asyncio.timeout(DEADLINE_S):
            with suppress(StopAsyncIteration):
                while True:
                    await anext(self._lines)

    async def _event(self) -> dict[str, object]:
        fields: dict[str, str] = {}
        while True:
            line = await anext(self._lines)
            if not line and "data" in fields:
                self.last_id = fields.get("id", self.last_id)
                return {"event": fields["event"], "id": fields.get("id"), **json.loads(fields["data"])}
            name, colon, value = line.partition(": ")
            if colon and name:
                fields[name] = value


@asynccontextmanager
async def _client(port: int, house: House, role: Role = Role.VIEWER) -> AsyncIterator[httpx2.AsyncClient]:
    base = f"http://127.0.0.1:{port}"
    async with httpx2.AsyncClient(base_url=base, headers=house.bearer(role), timeout=DEADLINE_S) as client:
        yield client


@asynccontextmanager
async def _listen(client: httpx2.AsyncClient, last_id: str | None = None) -> AsyncIterator[Listener]:
    headers = {} if last_id is None else {"Last-Event-ID": last_id}
    async with client.stream("GET", STREAM, headers=headers) as answer:
        assert answer.status_code == 200
        yield Listener(answer)


async def _until(true: Callable[[], bool]) -> None:
    for _ in range(DEADLINE_S * 50):
        if true():
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"did not become true within {DEADLINE_S} s")


def _taken(house: House) -> int:
    taken: int = house.app.state.office.places.taken
    return taken


async def test_a_stream_begins_with_what_stands_and_goes_on_with_what_happens(house: House) -> None:
    house.engine(event())
    async with serve(house.app) as port, _client(port, house) as client, _listen(client) as listener:
        assert listener.answer.headers["content-type"].startswith("text/event-stream")
        assert listener.answer.headers["x-accel-buffering"] == "no"
        snapshot = await listener.next()
        assert snapshot["event"] == "snapshot"
        assert [ticket["id"] for ticket in snapshot["tickets"]] == ["WO-20261123-001"]  # type: ignore[attr-defined]
        assert [alarm["rule"] for alarm in snapshot["alarms"]] == ["BH-01"]  # type: ignore[attr-defined]
        assert snapshot["id"] == "2"  # raised, opened
        house.engine(event(EventKind.CLEARED, T0 + MINUTE))
        changes = [await listener.next() for _ in range(4)]
    # A row about alarm and ticket makes two events, and only the second carries its number.
    assert [(change["event"], change["id"]) for change in changes] == [
        ("alarm", None),
        ("ticket", "3"),
        ("alarm", None),
        ("ticket", "4"),
    ]
    assert changes[0]["alarm"]["cleared_at"] == "2026-11-23T02:01:00Z"  # type: ignore[index]
    assert changes[3]["happened"]["kind"] == "moved"  # type: ignore[index]
    assert changes[3]["ticket"]["state"] == "verifying"  # type: ignore[index]


async def test_a_reconnect_gets_everything_it_missed_and_nothing_twice(house: House) -> None:
    house.engine(event())
    async with serve(house.app) as port, _client(port, house) as client:
        async with _listen(client) as listener:
            await listener.next()
            last = listener.last_id
        for number in range(30):
            house.ledger.comment("WO-20261123-001", Actor("li.wei", Role.CREW), f"{number}", T0 + number)
        async with _listen(client, last) as listener:
            missed = [await listener.next() for _ in range(30)]
            house.ledger.comment("WO-20261123-001", Actor("li.wei", Role.CREW), "live", T0 + 31)
            after = await listener.next()
    assert [change["happened"]["text"] for change in missed] == [str(number) for number in range(30)]  # type: ignore[index]
    assert [change["id"] for change in missed] == [str(number) for number in range(3, 33)]
    assert after["happened"]["text"] == "live"  # type: ignore[index]


async def test_more_than_a_batch_is_missed_and_all_of_it_comes(house: House) -> None:
    raised = 450
    house.engine(*[event(rule=f"BH-{number:03d}") for number in range(raised)])
    async with serve(house.app) as port, _client(port, house) as client, _listen(client, "0") as listener:
        ids: list[int] = []
        while len(ids) < 2 * raised:
            change = await listener.next()
            if change["id"] is not None:
                ids.append(int(str(change["id"])))
    assert ids == list(range(1, 2 * raised + 1))  # each alarm: raised, opened


async def test_a_number_from_the_future_begins_anew(house: House) -> None:
    async with serve(house.app) as port, _client(port, house) as client, _listen(client, "999") as listener:
        snapshot = await listener.next()
    assert (snapshot["event"], snapshot["id"]) == ("snapshot", "0")


async def test_the_clock_comes_first_and_says_whether_anybody_listens(house: House) -> None:
    house.set_live(listening=False)
    async with serve(house.app) as port, _client(port, house) as client, _listen(client) as listener:
        clock = await listener.clock()
    assert clock == {"event": "clock", "id": None, "plant_time": "2026-11-23T03:00:00Z", "listening": False}


async def test_places_are_few_and_given_back(house: House) -> None:
    async with serve(house.app) as port, _client(port, house) as viewer, _client(port, house, Role.CREW) as crew:
        async with _listen(viewer), _listen(viewer):
            third = await viewer.get(STREAM)
            assert (third.status_code, third.headers["retry-after"]) == (429, "5")
            async with _listen(crew):
                assert (await crew.get(STREAM)).status_code == 503
        await _until(lambda: _taken(house) == 0)
        async with _listen(viewer) as listener:
            assert (await listener.next())["event"] == "snapshot"


async def test_streams_end_when_the_service_goes_down(house: House) -> None:
    async with asyncio.timeout(DEADLINE_S), serve(house.app) as port:
        client = await asyncio.to_thread(socket.create_connection, ("127.0.0.1", port))
        request = f"GET {STREAM} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {house.tokens[Role.VIEWER]}\r\n\r\n"
        client.sendall(request.encode())
        await _until(lambda: _taken(house) == 1)
    assert _taken(house) == 0
    client.settimeout(DEADLINE_S)
    received = b"".join(iter(lambda: client.recv(65_536), b""))
    client.close()
    assert received.endswith(b"0\r\n\r\n")  # the chunked body was finished, not cut


async def test_the_port_is_free_again_after_serving(house: House) -> None:
    async with serve(house.app) as port, _client(port, house) as client:
        assert (await client.get("/healthz")).status_code == 200
    with socket.create_server(("127.0.0.1", port)):
        pass


async def test_a_taken_port_is_said_so(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(Unavailable, match=f"port {port}.*choose another port"):
            async with serve(house.app, port=port):
                pass


async def test_what_another_process_writes_comes_too(house: House, tmp_path: Path) -> None:
    house.engine(event())
    async with serve(house.app) as port, _client(port, house) as client, _listen(client) as listener:
        await listener.next()
        with Ledger.open(tmp_path / "ledger.db") as command_line:
            command_line.comment("WO-20261123-001", Actor("li.wei", Role.CREW), "by hand", T0)
        change = await listener.next()
    assert change["happened"]["text"] == "by hand"  # type: ignore[index]


async def test_a_revoked_token_ends_its_stream(tmp_path: Path) -> None:
    with opened(tmp_path, sign_in_again_s=0) as house:
        async with serve(house.app) as port, _client(port, house) as client, _listen(client) as listener:
            await listener.next()
            house.ledger.write(users.revoke_tokens, "a viewer", T0, author="test")
            await listener.ended()


async def test_a_browser_s_session_opens_a_stream_and_its_end_ends_it(tmp_path: Path) -> None:
    with opened(tmp_path, sign_in_again_s=0) as house:
        async with serve(house.app) as port, httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            client.cookies.set(SESSION_COOKIE, house.session(Role.VIEWER))
            async with _listen(client) as listener:
                assert (await listener.next())["event"] == "snapshot"
                house.ledger.write(sessions.end_all, "a viewer", house.clock_ms, author="test")
                await listener.ended()
            assert (await client.get(STREAM)).status_code == 401
