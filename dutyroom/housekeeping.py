"""Keeps the disk in bounds: the journal's retention and the store's finished days, once a minute."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from dutyroom.discovery_consumer import DiscoveryConsumer
from dutyroom.rules_consumer import RulesConsumer
from dutyroom.settings import Settings
from dutyroom.store_consumer import StoreConsumer
from history.journal import JournalFile
from history.retention import Keep
from plant.errors import DutyroomError

_PAUSE_SECONDS = 60.0
_GB = 1 << 30

log = structlog.get_logger()


class Housekeeping:
    """A thread that trims what nobody needs any more; never past the slowest consumer."""

    def __init__(
        self,
        journal: JournalFile,
        rules: RulesConsumer | None,
        storing: StoreConsumer | None,
        discovering: DiscoveryConsumer | None,
        settings: Settings,
    ) -> None:
        self.journal, self.rules, self.storing, self.settings = journal, rules, storing, settings
        self.discovering = discovering
        self._stopping = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """The thread lives as long as the block."""
        thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(_PAUSE_SECONDS):
            try:
                self.round()
            except DutyroomError as error:
                log.warning("housekeeping waits", why=str(error))

    def round(self) -> None:
        """Trim the journal by age and size, as far as every consumer has a snapshot."""
        if self.rules is None or self.storing is None:
            return  # a collector of its own does not know how far the consumers are, and keeps everything
        after = min(self.rules.needed_after(), self.storing.needed_after())
        if self.discovering is not None and self.discovering.fatal is None:
            after = min(after, self.discovering.offset)
        keep = Keep(self.settings.retention.journal_ms, round(self.settings.retention.journal_gb * _GB), after)
        removed = self.journal.trim(keep, max(self.rules.passed, 0))
        if removed.entries:
            log.info("journal trimmed", entries=removed.entries, bytes=removed.bytes)
