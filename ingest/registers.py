"""One reading after another of a meter: what a register that fell or leapt has done (DQ-08)."""

from __future__ import annotations

from ingest.repairs import Finding, RepairKind

At = tuple[int, float]
"""A time, ms UTC, and a value."""

ROLLED = 0.01
"""A register that was within this share of its end, and is now within as much of zero, has rolled over."""

_DECIMAL = tuple(10.0**digits for digits in range(4, 11))
_BINARY = tuple(float(2**bits / 10**decimals) for bits in (16, 24, 31, 32) for decimals in range(4))
ENDS: tuple[float, ...] = tuple(sorted((*_DECIMAL, *_BINARY)))
"""Where the registers of the trade end: four to ten digits, or 16 to 32 bits with none to three decimals."""


def register_end(before: float, after: float, high: float) -> float | None:
    """The end of the register that rolled over between two readings; None where it did not.

    `high` is the end the catalogue knows, if it is a real one. Source: DOMAIN §1.5 DQ-08, within 1 % of the end.
    """
    for end in (high, *ENDS):
        if (1 - ROLLED) * end <= before <= end and 0 <= after <= ROLLED * end:
            return end
    return None


def decided(before: At, doubtful: At, end: float | None, *, returned: bool) -> Finding:
    """What the doubtful step of a meter was, now that the next reading has come.

    `returned`: the next reading goes on from `before`, so the doubtful one was none. `end`: see register_end.
    """
    ts, value = doubtful
    stood = before[1]
    if returned:
        return Finding(RepairKind.SPIKE, ts, value, stood, stood)
    if end is not None:
        return Finding(RepairKind.ROLLOVER, ts, value, end + value, stood, end)
    if value < stood:
        return Finding(RepairKind.RESET, ts, value, stood + value, stood, stood)
    return Finding(RepairKind.REBASE, ts, value, stood, stood, stood - value)
