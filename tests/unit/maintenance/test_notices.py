"""Notices reach a real HTTP server, signed; what cannot be delivered is retried, then kept where people see it."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx2
import pytest
from structlog.testing import capture_logs

from maintenance.channels import (
    Channel,
    Delivered,
    LogChannel,
    Message,
    Outcome,
    Refused,
    TryLater,
    Webhook,
    classify,
    sign,
)
from maintenance.ledger import Policy, Route, outbox
from maintenance.ledger.rows import Notice, NoticeKind, NoticeState
from maintenance.notices import ATTEMPTS, Dispatcher, Ids, Round, render, retry_at
from maintenance.texts import NOTICES, RESOLUTIONS, SEVERITIES, STATES, VERDICTS
from maintenance.ticket import Resolution, State, Verdict
from plant.catalogue import Text
from plant.errors import BadInput, Conflict
from plant.severity import Severity
from tests.unit.maintenance.builders import HOUR, MINUTE, SECOND, T0, Course, Desk, desk

SECRET = b"shared with the receiver"
NOW = T0 + HOUR


@dataclass
class Receiver:
    """A real HTTP server that answers as told and keeps what it got."""

    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?key=k1"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Listening on a free port; answers 204 when it was told nothing else."""
    state = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.got.append((dict(self.headers), body))
            self.send_response(state.answers.pop(0) if state.answers else 204)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.port = server.server_port
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@asynccontextmanager
async def _webhook(url: str) -> AsyncIterator[Webhook]:
    async with httpx2.AsyncClient() as client:
        yield Webhook(url, SECRET, allowed_hosts={"127.0.0.1"}, client=client, clock=lambda: NOW)


@pytest.fixture
def hooked(tmp_path: Path) -> Iterator[Desk]:
    """A desk whose one channel is called hook."""
    with desk(tmp_path, Policy(routes=(Route("hook"),))) as office:
        yield office


class Clock:
    """System time that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


def _dispatcher(office: Desk, channel: Channel, clock: Clock) -> Dispatcher:
    return Dispatcher(office.ledger, {"hook": channel}, names=Ids(), clock=clock)


def _rows(office: Desk) -> list[Notice]:
    return list(reversed(office.ledger.read(outbox.listed)))


async def test_a_notice_arrives_signed_once_and_is_noted(hooked: Desk, receiver: Receiver) -> None:
    hooked.engine(Course().raised())
    async with _webhook(receiver.url) as hook:
        dispatcher = _dispatcher(hooked, hook, Clock())
        assert await dispatcher.round() == Round(delivered=1)
        assert await dispatcher.round() == Round()

    ((headers, body),) = receiver.got
    expected = hmac.new(SECRET, f"{NOW}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["X-Dutyroom-Signature"] == f"t={NOW},v1={expected}"
    (row,) = _rows(hooked)
    assert (headers["Idempotency-Key"], row.state, row.sent_at) == (row.key, NoticeState.SENT, NOW)
    told = json.loads(body)
    assert (told["schema_version"], told["kind"], told["ticket"]["id"]) == (1, "opened", "WO-20261123-001")
    assert told["text"]["zh"] == "【重要】新工单:ch-1 CH-04(WO-20261123-001,待确认)"
    assert told["text"]["en"] == "[P2 serious] New ticket: ch-1, CH-04 (WO-20261123-001, Open)"


async def test_a_failed_attempt_is_repeated_later_under_the_same_key(hooked: Desk, receiver: Receiver) -> None:
    receiver.answers = [503]
    hooked.engine(Course().raised())
    clock = Clock()
    async with _webhook(receiver.url) as hook:
        dispatcher = _dispatcher(hooked, hook, clock)
        assert await dispatcher.round() == Round(failed=1)
        clock.now += 5 * SECOND - 1
        assert await dispatcher.round() == Round()
        clock.now += 1
        assert await dispatcher.round() == Round(delivered=1)

    keys = [headers["Idempotency-Key"] for headers, _ in receiver.got]
    assert keys == [keys[0]] * 2
    assert _rows(hooked)[0].attempts == 2


async def test_a_refusal_is_a_dead_letter_at_once_and_can_be_sent_again(hooked: Desk, receiver: Receiver) -> None:
    receiver.answers = [400]
    hooked.engine(Course().raised())
    async with _webhook(receiver.url) as hook:
        dispatcher = _dispatcher(hooked, hook, Clock())
        await dispatcher.round()
        (dead,) = hooked.ledger.read(outbox.listed, NoticeState.DEAD)
        assert dead.last_answer == "400"
        assert await dispatcher.round() == Round()

        hooked.ledger.write(outbox.revive, dead.id)
        assert await dispatcher.round() == Round(delivered=1)

    with pytest.raises(Conflict, match="is no dead letter"):
        hooked.ledger.write(outbox.revive, dead.id)


async def test_attempts_end_and_the_notice_stays_visible(hooked: Desk) -> None:
    hooked.engine(Course().raised())
    clock = Clock()
    dispatcher = _dispatcher(hooked, Scripted(TryLater("503")), clock)
    for _ in range(ATTEMPTS):
        assert await dispatcher.round() == Round(failed=1)
        clock.now += HOUR
    assert await dispatcher.round() == Round()

    (dead,) = hooked.ledger.read(outbox.listed, NoticeState.DEAD)
    assert (dead.attempts, dead.last_answer) == (ATTEMPTS, "503")


async def test_nothing_waiting_is_lost_when_the_service_restarts(tmp_path: Path, receiver: Receiver) -> None:
    policy = Policy(routes=(Route("hook"),))
    with desk(tmp_path, policy) as office:
        office.engine(Course().raised(), Course(equipment="ch-2").raised())
    with desk(tmp_path, policy) as office:
        async with _webhook(receiver.url) as hook:
            assert await _dispatcher(office, hook, Clock()).round() == Round(delivered=2)

    assert len(receiver.got) == 2


async def test_an_address_that_does_not_answer_is_tried_later() -> None:
    async with _webhook("http://127.0.0.1:1/hook?key=secret") as hook:
        outcome = await hook.send(Message("k", b"{}", "", ""))

    assert isinstance(outcome, TryLater)
    assert "secret" not in outcome.answer


@pytest.mark.parametrize("url", ["http://169.254.169.254/", "ftp://127.0.0.1/", "file:///etc/passwd", "127.0.0.1"])
async def test_an_address_on_nobodys_list_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match="is not allowed"):
        async with _webhook(url):
            pass


async def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answers = [302]
    async with _webhook(receiver.url) as hook:
        assert isinstance(await hook.send(Message("k", b"{}", "", "")), Refused)
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    ("status", "after", "outcome"),
    [
        (200, None, Delivered("200 ok")),
        (204, None, Delivered("204 ok")),
        (301, None, Refused("301 ok")),
        (400, None, Refused("400 ok")),
        (404, None, Refused("404 ok")),
        (408, None, TryLater("408 ok")),
        (429, "30", TryLater("429 ok", 30 * SECOND)),
        (429, "soon", TryLater("429 ok")),
        (500, None, TryLater("500 ok")),
        (503, "2", TryLater("503 ok", 2 * SECOND)),
    ],
)
def test_what_an_answer_means(status: int, after: str | None, outcome: Outcome) -> None:
    assert classify(status, "ok\n", after) == outcome


@pytest.mark.parametrize(
    ("failures", "asked", "pause"),
    [
        (1, None, 5 * SECOND),
        (2, None, 10 * SECOND),
        (1, 60 * SECOND, 60 * SECOND),
        (12, None, HOUR),
        (1, 30 * HOUR, HOUR),
    ],
)
def test_pauses_double_up_to_an_hour_or_last_as_long_as_asked(failures: int, asked: int | None, pause: int) -> None:
    assert retry_at(failures, NOW, asked) == NOW + pause


def test_the_signature_is_the_documented_one() -> None:
    # printf '1700000000000.{"a":1}' | openssl dgst -sha256 -hmac key
    assert sign(b"key", b'{"a":1}', 1_700_000_000_000) == (
        "t=1700000000000,v1=2c8bc12f88d77789404ce0a63cf69acf735ba98832f7a7d36147f537be556f3e"
    )


class Scripted:
    """A channel that always answers the same."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.seen: list[str] = []

    async def send(self, message: Message) -> Outcome:
        self.seen.append(message.key)
        return self.outcome


async def test_a_broken_channel_holds_up_no_other(tmp_path: Path) -> None:
    with desk(tmp_path, Policy(routes=(Route("broken"), Route("works")))) as office:
        office.engine(*(Course(equipment=f"ch-{n}").raised() for n in range(60)))
        broken, works = Scripted(TryLater("away")), Scripted(Delivered("ok"))
        dispatcher = Dispatcher(office.ledger, {"broken": broken, "works": works}, names=Ids(), clock=Clock())

        await dispatcher.round()
        await dispatcher.round()

    assert len(works.seen) == 60
    assert len(broken.seen) == 2


async def test_a_channel_breaking_and_mending_is_logged_once_each(hooked: Desk) -> None:
    hooked.engine(Course().raised(), Course(equipment="ch-2").raised())
    channel, clock = Scripted(TryLater("away")), Clock()
    dispatcher = _dispatcher(hooked, channel, clock)
    with capture_logs() as logs:
        for _ in range(4):
            await dispatcher.round()
            clock.now += HOUR
        channel.outcome = Delivered("ok")
        await dispatcher.round()

    assert [line["event"] for line in logs] == ["channel does not take notices", "channel works again"]


async def test_a_channel_nobody_made_is_a_dead_letter_that_says_so(tmp_path: Path) -> None:
    with desk(tmp_path, Policy(routes=(Route("pager"),))) as office:
        office.engine(Course().raised())
        await Dispatcher(office.ledger, {"log": LogChannel()}, names=Ids(), clock=Clock()).round()

        assert _rows(office)[0].last_answer == "no channel is called pager; known: log"


async def test_the_log_channel_writes_one_line() -> None:
    with capture_logs() as logs:
        await LogChannel().send(Message("k1", b"{}", "新工单", "New ticket"))

    assert [(line["event"], line["key"], line["zh"]) for line in logs] == [("notice", "k1", "新工单")]


def test_a_finished_ticket_says_how_it_ended_and_things_have_names(hooked: Desk) -> None:
    class Names(Ids):
        def equipment(self, id: str) -> Text:
            return Text("1号冷机", "Chiller 1")

        def rule(self, id: str) -> Text:
            return Text("冷凝器趋近温度高", "Condenser approach high")

    hooked.engine(Course().raised(), Course().cleared(T0 + MINUTE), Course().verified(T0 + HOUR))
    closed = _rows(hooked)[-1]

    message = render(closed, Names())
    assert closed.kind is NoticeKind.CLOSED
    assert message.zh == "【重要】工单已结束:1号冷机 冷凝器趋近温度高(WO-20261123-001,自行恢复)"
    assert "Chiller 1, Condenser approach high (WO-20261123-001, Cleared by itself)" in message.en


def test_every_word_has_both_languages() -> None:
    for table, words in (
        (STATES, set(State)),
        (RESOLUTIONS, set(Resolution)),
        (VERDICTS, set(Verdict)),
        (SEVERITIES, set(Severity)),
        (NOTICES, set(NoticeKind)),
    ):
        assert set(table) == words
        assert all(text.zh and text.en and text.zh != text.en for text in table.values())
