"""Carries people's acts and configurations from the ledger into the journal, in order (SEMANTICS §3)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol

import structlog

from dutyroom.content import Content
from dutyroom.labels import give_codes
from history.entries import Command, Config
from history.protocols import Journal
from maintenance.ledger.ledger import Ledger
from plant.errors import DutyroomError
from plant.site import Plant

_POLL_SECONDS = 0.25
_APPEND_SECONDS = 30.0

log = structlog.get_logger()


class Sink(Protocol):
    """Takes an entry for the journal; the future gives its offset once it is durable."""

    def submit(self, entry: Command | Config) -> Future[int]: ...


class Relay:
    """Polls the ledger, also one that another process writes. An act may go twice; the engine ignores the second."""

    def __init__(self, ledger: Ledger, sink: Sink, on_plant: Callable[[Plant], None]) -> None:
        self.ledger, self.sink, self.on_plant = ledger, sink, on_plant
        self.trouble: str | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)

    def start(self) -> None:
        """Begin to carry."""
        self._thread.start()

    def stop(self) -> None:
        """End after the act in hand."""
        self._stopping.set()
        self._thread.join(_APPEND_SECONDS)

    def _run(self) -> None:
        while not self._stopping.wait(_POLL_SECONDS):
            try:
                self.round()
            except (DutyroomError, TimeoutError) as error:
                if self.trouble != str(error):
                    self.trouble = str(error)
                    log.warning("people's acts wait", why=self.trouble)
            else:
                if self.trouble is not None:
                    log.info("people's acts go on")
                    self.trouble = None

    def carry_configs(self, journal: Journal) -> None:
        """Write waiting configurations straight into a journal that nobody else writes yet."""
        for revision in self.ledger.pending_configs():
            offset = journal.append([Config(revision.revision, revision.sha256, revision.content)])
            self.ledger.mark_config_relayed(revision.revision, offset)

    def round(self) -> None:
        """Carry everything that waits; configurations first, since acts may name what they bring."""
        for revision in self.ledger.pending_configs():
            entry = Config(revision.revision, revision.sha256, revision.content)
            offset = self.sink.submit(entry).result(_APPEND_SECONDS)
            self.ledger.mark_config_relayed(revision.revision, offset)
            plant = Content.decode(revision.content).plant
            give_codes(self.ledger, plant)
            self.on_plant(plant)
        for command in self.ledger.pending_commands():
            offset = self.sink.submit(command).result(_APPEND_SECONDS)
            self.ledger.mark_relayed(command.id, offset)
