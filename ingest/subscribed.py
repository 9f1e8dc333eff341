"""What a broker's session was asked for, kept over restarts: what nobody wants any more must be given back.

A session outlives us. A filter that left the configuration while we were down or the broker away is in no list of ours
any more, yet the broker goes on sending for it, for ever.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from ingest.broker import Broker

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger(__name__)


class _Kept(BaseModel):
    """The file: whose session it is, for people who look, and the filters it may hold."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    broker: str
    client_id: str
    filters: list[str]


class Subscribed:
    """The filters that one broker's session may hold; never fewer than it does. Not for several threads at once."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._path = broker.session_file
        self._filters = frozenset(self._read())

    @property
    def filters(self) -> frozenset[str]:
        """What the session may hold."""
        return self._filters

    def asking(self, filters: Iterable[str]) -> None:
        """They are about to be subscribed to; durable before the broker hears of it."""
        self._keep(self._filters.union(filters))

    def released(self, filters: Iterable[str]) -> None:
        """The broker has confirmed that it sends no more for them."""
        self._keep(self._filters.difference(filters))

    def _keep(self, filters: frozenset[str]) -> None:
        if filters == self._filters:
            return
        self._filters = filters
        if self._path is None:
            return
        kept = _Kept(broker=self._broker.url, client_id=self._broker.client_id, filters=sorted(filters))
        try:
            _write(self._path, kept.model_dump_json(indent=1))
        except OSError as error:
            # A full disk must not keep us from hearing; at worst a filter stays subscribed that nobody wants.
            _log.warning("subscriptions_not_kept", file=str(self._path), reason=str(error), advice="dutyroom doctor")

    def _read(self) -> Iterable[str]:
        if self._path is None or not self._path.exists():
            return ()
        try:
            kept = _Kept.model_validate(json.loads(self._path.read_text(encoding="utf-8")))
        except (OSError, ValueError, ValidationError) as error:
            _log.warning(
                "subscriptions_unreadable", file=str(self._path), reason=str(error)[:300],
                advice="remove the file; filters of an earlier configuration may stay subscribed",
            )  # fmt: skip
            return ()
        return kept.filters


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)
