"""Ways out of the house: a signed webhook, and the log. Each says what became of a message; none retries by itself."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import httpx2
import structlog

from plant.errors import BadInput

SIGNATURE = "X-Dutyroom-Signature"
_TRY_LATER = frozenset({408, 425, 429})
_TIMEOUT_S = 10.0
_LONGEST_ANSWER = 200


@dataclass(frozen=True, slots=True)
class Message:
    """A rendered notice: `body` is what a machine gets (JSON, UTF-8), `zh` and `en` are the line for people.

    `key` is the same at every attempt, so a receiver can drop what it has had.
    """

    key: str
    body: bytes
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """The channel has taken the message."""

    answer: str


@dataclass(frozen=True, slots=True)
class TryLater:
    """Not now; `after_ms` is how long the receiver asked to be left alone, None when it did not say."""

    answer: str
    after_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Sending the same again cannot succeed."""

    answer: str


Outcome = Delivered | TryLater | Refused


class Channel(Protocol):
    """One way to reach people or machines."""

    async def send(self, message: Message) -> Outcome:
        """Try once. Everything that can go wrong outside is an outcome, not an exception."""


LOGGED = "logged"
"""What `LogChannel` answers."""


class LogChannel:
    """Writes each notice as one line of the service's log."""

    def __init__(self) -> None:
        self._log = structlog.get_logger("dutyroom.notices")

    async def send(self, message: Message) -> Outcome:
        """Always delivered."""
        self._log.info("notice", key=message.key, zh=message.zh, en=message.en)
        return Delivered(LOGGED)


class Webhook:
    """POSTs the body, signed, to one address.

    The receiver checks `X-Dutyroom-Signature: t=<ms>,v1=<hex>`: hex is HMAC-SHA256 of `<t>.<body>` under the shared
    secret, and t should be near its own time. Only 2xx counts as delivered; redirects are not followed, since the
    address they lead to is on nobody's list.
    """

    def __init__(
        self, url: str, secret: bytes, *, allowed_hosts: Set[str], client: httpx2.AsyncClient, clock: Callable[[], int]
    ) -> None:
        """`clock` gives system time, ms UTC. Raises BadInput when the address is not on the list."""
        host = urlsplit(url).hostname
        if urlsplit(url).scheme not in ("http", "https") or host not in allowed_hosts:
            listed = ", ".join(sorted(allowed_hosts)) or "none"
            raise BadInput(
                f"webhook host {host!r} is not allowed; expected http or https to one of: {listed}; "
                "add the host to the list of allowed hosts if it is right"
            )
        self._url = url
        self._secret = secret
        self._client = client
        self._clock = clock

    async def send(self, message: Message) -> Outcome:
        """One attempt of at most 10 s."""
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": message.key,
            SIGNATURE: sign(self._secret, message.body, self._clock()),
        }
        try:
            response = await self._client.post(
                self._url, content=message.body, headers=headers, timeout=_TIMEOUT_S, follow_redirects=False
            )
        except httpx2.HTTPError as error:
            # The text of some errors holds the whole address, and addresses may hold keys.
            return TryLater(type(error).__name__)
        return classify(response.status_code, response.text, response.headers.get("Retry-After"))


def sign(secret: bytes, body: bytes, now: int) -> str:
    """The signature header's value for a body sent at `now`, ms UTC."""
    digest = hmac.new(secret, f"{now}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={now},v1={digest}"


def classify(status: int, body: str, retry_after: str | None = None) -> Outcome:
    """What an HTTP answer means: 2xx taken; 408, 425, 429 and 5xx later; all else refused for good."""
    answer = f"{status} {body.strip()}"[:_LONGEST_ANSWER].strip()
    if 200 <= status < 300:
        return Delivered(answer)
    if status in _TRY_LATER or status >= 500:
        seconds = retry_after if retry_after is not None and retry_after.isascii() and retry_after.isdecimal() else None
        return TryLater(answer, None if seconds is None else int(seconds) * 1000)
    return Refused(answer)
