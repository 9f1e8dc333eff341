"""Sends what waits in the outbox: every notice until its channel has taken it, or until it is a dead letter.

Delivery is at least once: a service killed between a channel's answer and the ledger's note of it sends the same
notice again after the restart, with the same idempotency key. Nothing is lost, since the row is written in the
transaction of the change it tells of.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog

from maintenance.channels import Channel, Delivered, Message, Outcome, Refused, TryLater
from maintenance.ledger import Ledger, outbox
from maintenance.ledger.rows import Notice, NoticeKind
from maintenance.texts import NOTICE_LINE, NOTICES, RESOLUTIONS, SEVERITIES, STATES
from maintenance.ticket import Resolution, State
from plant.catalogue import Text
from plant.severity import Severity

FIRST_RETRY_MS = 5_000
LONGEST_RETRY_MS = 3_600_000
ATTEMPTS = 20
"""Over 10 hours with these pauses; then the notice is a dead letter, which a person can send again."""

_log = structlog.get_logger("dutyroom.notices")


class Names(Protocol):
    """What equipment and rules are called."""

    def equipment(self, id: str) -> Text:
        """The equipment's name, or its id in both languages when it is not known."""

    def rule(self, id: str) -> Text:
        """The rule's title, or its id in both languages when it is not known."""


class Ids:
    """Names for a site of which nothing is known: the ids themselves."""

    def equipment(self, id: str) -> Text:
        """The id."""
        return Text(id, id)

    def rule(self, id: str) -> Text:
        """The id."""
        return Text(id, id)


def render(notice: Notice, names: Names) -> Message:
    """The facts of a notice in words, and as JSON with both lines beside them."""
    facts = json.loads(notice.facts)
    ticket = facts["ticket"]
    state = STATES[State(ticket["state"])]
    if ticket["resolution"] is not None:
        state = RESOLUTIONS[Resolution(ticket["resolution"])]
    subject = names.rule(ticket["rule"]) if ticket["rule"] is not None else Text(ticket["title"], ticket["title"])
    parts = {
        "severity": SEVERITIES[Severity[ticket["severity"]]],
        "what": NOTICES[NoticeKind(facts["kind"])],
        "equipment": names.equipment(ticket["equipment"]),
        "subject": subject,
        "id": Text(ticket["id"], ticket["id"]),
        "state": state,
    }
    zh = NOTICE_LINE.zh.format(**{name: text.zh for name, text in parts.items()})
    en = NOTICE_LINE.en.format(**{name: text.en for name, text in parts.items()})
    body = json.dumps(facts | {"key": notice.key, "text": {"zh": zh, "en": en}}, ensure_ascii=False, sort_keys=True)
    return Message(notice.key, body.encode(), zh, en)


def retry_at(attempts: int, now: int, after_ms: int | None) -> int | None:
    """When to try again after `attempts` failures: 5 s, doubling up to 1 h, or as the receiver asked; None: give up."""
    if attempts >= ATTEMPTS:
        return None
    pause = min(FIRST_RETRY_MS << (attempts - 1), LONGEST_RETRY_MS)
    return now + max(pause, min(after_ms or 0, LONGEST_RETRY_MS))


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of sending did."""

    delivered: int = 0
    failed: int = 0


class Dispatcher:
    """Takes due notices from the ledger to their channels, each channel at its own pace."""

    def __init__(
        self, ledger: Ledger, channels: Mapping[str, Channel], *, names: Names, clock: Callable[[], int]
    ) -> None:
        """`clock` is system time, ms UTC: pauses between attempts are real time also where plant time runs faster."""
        self._ledger = ledger
        self._channels = channels
        self._names = names
        self._clock = clock
        self._broken: set[str] = set()

    async def run(self, stop: asyncio.Event, *, pause_s: float = 1.0) -> None:
        """Send until `stop` is set, looking every `pause_s` seconds."""
        while not stop.is_set():
            await self.round()
            try:
                await asyncio.wait_for(stop.wait(), pause_s)
            except TimeoutError:
                continue

    async def round(self) -> Round:
        """Try everything that is due once. A channel that answers "later" is left alone until the next round."""
        notices = await asyncio.to_thread(self._ledger.read, outbox.due, self._clock())
        by_channel: dict[str, list[Notice]] = {}
        for notice in notices:
            by_channel.setdefault(notice.channel, []).append(notice)
        rounds = await asyncio.gather(*(self._channel(name, waiting) for name, waiting in by_channel.items()))
        return Round(sum(done.delivered for done in rounds), sum(done.failed for done in rounds))

    async def _channel(self, name: str, notices: list[Notice]) -> Round:
        delivered = failed = 0
        for notice in notices:
            outcome = await self._send(name, notice)
            await self._note(notice, outcome)
            self._tell(name, outcome)
            if isinstance(outcome, Delivered):
                delivered += 1
                continue
            failed += 1
            if isinstance(outcome, TryLater):
                break
        return Round(delivered, failed)

    async def _send(self, name: str, notice: Notice) -> Outcome:
        channel = self._channels.get(name)
        if channel is None:
            return Refused(f"no channel is called {name}; known: {', '.join(sorted(self._channels)) or 'none'}")
        return await channel.send(render(notice, self._names))

    async def _note(self, notice: Notice, outcome: Outcome) -> None:
        now = self._clock()
        match outcome:
            case Delivered(answer):
                done = self._ledger.submit(outbox.sent, notice.id, now, answer)
            case TryLater(answer, after_ms):
                again = retry_at(notice.attempts + 1, now, after_ms)
                done = self._ledger.submit(outbox.failed, notice.id, answer, again)
            case Refused(answer):
                done = self._ledger.submit(outbox.failed, notice.id, answer, None)
        await asyncio.wrap_future(done)

    def _tell(self, name: str, outcome: Outcome) -> None:
        """Log when a channel breaks and when it mends, not every attempt."""
        if isinstance(outcome, Delivered):
            if name in self._broken:
                self._broken.discard(name)
                _log.info("channel works again", channel=name)
        elif name not in self._broken:
            self._broken.add(name)
            _log.warning("channel does not take notices", channel=name, answer=outcome.answer)
