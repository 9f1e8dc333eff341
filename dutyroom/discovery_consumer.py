"""The discovery consumer: journal → families of unbound topics → ledger, with its own offset and pace."""

from __future__ import annotations

import time
from collections.abc import Sequence

import structlog

from dutyroom.content import Content
from dutyroom.following import READ_LIMIT, Follower
from history.entries import Config, Entry, Message
from history.protocols import FollowedJournal
from ingest.bindings import Bindings
from ingest.discovery import Discovery
from maintenance.ledger import discovered
from maintenance.ledger.ledger import Ledger

_KEEP_SECONDS = 5.0
_LOOK_BACK = 100_000
"""Entries of the past that a first start reads: enough to know what comes, soon."""

log = structlog.get_logger()


class DiscoveryConsumer(Follower[Sequence[tuple[int, Entry]]]):
    """Watches what nobody has bound. A family is written at most once in `keep_seconds`, with the offset: counts are
    exact over restarts.
    """

    def __init__(
        self, journal: FollowedJournal, ledger: Ledger, *, site: str, keep_seconds: float = _KEEP_SECONDS
    ) -> None:
        super().__init__(discovered.CONSUMER, journal)
        self.ledger, self.site, self.keep_seconds = ledger, site, keep_seconds
        self._discovery: Discovery | None = None
        self._revision = 0
        self._kept_offset = 0
        self._kept_at = time.monotonic()

    @property
    def families(self) -> int:
        """How many families there are."""
        return len(self._discovery.families) if self._discovery is not None else 0

    @property
    def evicted(self) -> int:
        """How many families were forgotten for want of room, since the start."""
        return self._discovery.evicted if self._discovery is not None else 0

    def recover(self) -> None:
        """Take up the families the ledger holds, and the configuration in force where they were written."""
        kept = self.ledger.offset(self.name, self.site)
        first = self.journal.first_offset - 1
        self.offset = self._kept_offset = max(kept, first, self.journal.last_offset - _LOOK_BACK if not kept else 0)
        config = self.journal.config_at(self.offset)
        if config is not None:
            bindings = Bindings(Content.decode(config.content).plant)
            self._discovery = Discovery(bindings, [one.family for one in self.ledger.read(discovered.listed)])
            self._discovery.rebind(bindings)
            self._revision = config.revision
        log.info("discovery ready", offset=self.offset, families=self.families)

    def read_on(self) -> Sequence[tuple[int, Entry]]:
        """The entries as they are."""
        return self.journal.read(self.offset, READ_LIMIT)

    def take(self, stretch: Sequence[tuple[int, Entry]]) -> None:
        """Look at every message; write what changed when it is time."""
        for offset, entry in stretch:
            if isinstance(entry, Message):
                if self._discovery is not None:
                    self._discovery.observe(offset, entry)
            elif isinstance(entry, Config) and entry.revision != self._revision:
                self._configure(entry)
        self.offset = stretch[-1][0]
        if time.monotonic() - self._kept_at >= self.keep_seconds:
            self._keep()

    def idle(self) -> None:
        """Write what changed when it is time."""
        if self._kept_offset < self.offset and time.monotonic() - self._kept_at >= self.keep_seconds:
            self._keep()

    def finish(self) -> None:
        """Write everything."""
        self._keep()

    def _configure(self, config: Config) -> None:
        bindings = Bindings(Content.decode(config.content).plant)
        if self._discovery is None:
            self._discovery = Discovery(bindings)
        else:
            self._discovery.rebind(bindings)
        self._revision = config.revision
        self._kept_at = 0.0  # whoever has just bound a family should not see it on the list

    def _keep(self) -> None:
        changed, gone = self._discovery.take_changes() if self._discovery is not None else ([], [])

        def write() -> bool:
            self.ledger.write(discovered.keep, changed, gone, site=self.site, offset=self.offset)
            return True

        self._kept_at = time.monotonic()
        if self.insist(write):
            self._kept_offset = self.offset
