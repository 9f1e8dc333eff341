"""Where the broker is: `mqtt://[user:password@]host[:port]`."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from simulators.errors import ScenarioError


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """A broker's address; `str()` leaves the password out."""

    host: str
    port: int
    tls: bool = False
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"

    @staticmethod
    def parse(url: str) -> BrokerAddress:
        """From a URL. Raises ScenarioError saying what a URL looks like."""
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or port == -1:
            raise ScenarioError(f"{url!r} is no broker address such as mqtt://localhost:1883 or mqtts://user:pw@host")
        tls = parts.scheme == "mqtts"
        user = unquote(parts.username) if parts.username else None
        password = unquote(parts.password) if parts.password else None
        return BrokerAddress(parts.hostname, port or (8883 if tls else 1883), tls, user, password)
