"""What a broker says or does not take fills no memory: the wire and the reader hold no more than they say."""

from __future__ import annotations

import socket
import tracemalloc

from ingest.mqtt.packets import Protocol, publish
from ingest.mqtt.reader import Reader
from ingest.mqtt.wire import MOST_UNSENT, Wire


def test_nothing_is_taken_from_who_does_not_read_until_he_does() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        wire = Wire(socket.create_connection(server.getsockname()))
        theirs, _ = server.accept()
    unsent = bytes(16 * MOST_UNSENT)
    try:
        theirs.sendall(b"more")
        assert wire.exchange(1) == b"more"
        wire.send(unsent)
        theirs.sendall(b"still more")
        assert [wire.exchange(0.01) for _ in range(3)] == [b"", b"", b""]
        taken, came = 0, b""
        while not came:
            taken += len(theirs.recv(2**20))
            came = wire.exchange(0)
        assert came == b"still more"
        assert taken > MOST_UNSENT
    finally:
        theirs.close()
        wire.close([])


def test_long_topics_that_never_come_again_are_not_kept() -> None:
    reader = Reader(Protocol.V311, 1_000)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(1_000):
            arrived = reader.feed(publish(Protocol.V311, 1, f"{number:060000}", b"1"))
            assert len(arrived.messages) == 1
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert held < 20 * 2**20
