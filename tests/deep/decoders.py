"""Every decoder against messages nobody has seen, far more of them than the daily run tries."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, given, seed, settings

from ingest.decoders import Decoded, Kind
from tests.support.messages import messages, taken_apart

EXAMPLES = 20_000
FORGIVEN = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)


@dataclass
class Tried:
    """How many messages a decoder was given and how they ended; `raised` is the first that it could not bear."""

    examples: int = 0
    understood: int = 0
    readings: int = 0
    refused: int = 0
    raised: str = ""

    def failures(self, needed: int) -> list[str]:
        """Why this proves nothing, or the contrary."""
        if self.raised:
            return [self.raised]
        if self.examples < needed:
            return [f"only {self.examples} of {needed} messages"]
        missing = [name for name, count in (("sense", self.understood), ("refusals", self.refused)) if not count]
        return [f"never made {name}" for name in missing]


def try_decoder(name: str, number: int, needed: int) -> Tried:
    """`needed` random messages for one format, from the seed `number`."""
    tried = Tried()

    @seed(number)
    @settings(
        max_examples=needed,
        deadline=None,
        database=None,
        suppress_health_check=FORGIVEN,
        phases=[Phase.generate, Phase.shrink],
    )
    @given(messages(name))
    def law(message: tuple[str, bytes]) -> None:
        topic, payload = message
        try:
            decoded = taken_apart(name, topic, payload)
        except Exception as error:
            tried.raised = f"{type(error).__name__} on {topic!r} {payload[:200]!r}"
            raise
        _count(tried, decoded)

    try:
        law()
    except Exception:  # noqa: BLE001 - what it was is in `raised`, or it is hypothesis' own and told here
        tried.raised = tried.raised or "hypothesis gave up"
    return tried


def _count(tried: Tried, decoded: Decoded) -> None:
    tried.examples += 1
    tried.understood += not decoded.rejected and decoded.kind is not Kind.EMPTY
    tried.readings += decoded.kind is Kind.READING and bool(decoded.values or decoded.samples)
    tried.refused += bool(decoded.rejected)
