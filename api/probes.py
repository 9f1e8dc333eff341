"""What keeps the service from doing its job: what the data path reports, and questions to the parts that may hang."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from anyio import CapacityLimiter, move_on_after, to_thread

from api.deps import ApiDeps, Live
from maintenance.ledger.queries import newest_happening
from plant.errors import DutyroomError

_PATIENCE_S = 2.0


class Probe:
    """Asks a part that may hang; while one question is unanswered no second one is put."""

    def __init__(self, name: str, ask: Callable[[], object]) -> None:
        self._name = name
        self._ask = ask
        self._asking = False
        self._limiter = CapacityLimiter(1)

    async def fault(self) -> str | None:
        """Why the part does not work, in words for anybody; None when it does."""
        if self._asking:
            return f"{self._name}: still does not answer"
        with move_on_after(_PATIENCE_S):
            return await to_thread.run_sync(self._run, abandon_on_cancel=True, limiter=self._limiter)
        return f"{self._name}: does not answer within {_PATIENCE_S:.0f} s"

    def _run(self) -> str | None:
        self._asking = True
        try:
            self._ask()
        except DutyroomError as error:
            # The message may name files and addresses of the server; its kind is enough for a probe.
            return f"{self._name}: {type(error).__name__}"
        finally:
            self._asking = False
        return None


def probes(deps: ApiDeps) -> tuple[Probe, ...]:
    """Ledger and telemetry store, each asked the cheapest question that reaches its disk or server."""

    def ask_store() -> object:
        return deps.history.latest(next(iter(deps.configuration.plant().site.equipment), ""))

    return Probe("ledger", lambda: deps.ledger.read(newest_happening)), Probe("history", ask_store)


def standing_faults(live: Live, most_lag: int) -> list[str]:
    """What the data path itself reports, and consumers more than `most_lag` entries behind the journal."""
    reasons = [] if live.broker_connected else ["broker: not connected"]
    reasons += [f"{part}: {why}" for part, why in sorted(live.faults.items())]
    reasons += [
        f"{consumer}: {lag} entries behind the journal, expected at most {most_lag}"
        for consumer, lag in sorted(lags(live).items())
        if lag > most_lag
    ]
    return reasons


def lags(live: Live) -> Mapping[str, int]:
    """How many journal entries each consumer still has to read."""
    return {name: max(0, live.journal_offset - offset) for name, offset in live.consumers.items()}
