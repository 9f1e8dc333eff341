"""How often somebody may do what costs or can be guessed: a few counters in memory, which forget by themselves."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Mapping
from enum import StrEnum

from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from api.problems import TooOften

MOST_KEYS = 20_000
"""Counters kept at once; who comes after shares one with all others who do."""
_OVERFLOW = "(overflow)"


class Purpose(StrEnum):
    """What is counted, and of whom."""

    SIGN_IN_ADDRESS = "sign_in_address"
    """Tries of a password from one address."""
    SIGN_IN_ACCOUNT = "sign_in_account"
    """Tries of a password for one account, from anywhere: the more there were, the longer the next one waits."""
    REPORT_ADDRESS = "report_address"
    """Reports without signing in, from one address."""
    REPORT_ASSET = "report_asset"
    """Reports without signing in, on one equipment."""
    WRITE = "write"
    """Changes by one signed-in user."""


ALLOWED: Mapping[Purpose, str] = {
    Purpose.SIGN_IN_ADDRESS: "20/minute; 100/hour",
    Purpose.SIGN_IN_ACCOUNT: "5/minute; 10/10 minutes; 20/30 minutes",
    Purpose.REPORT_ADDRESS: "5/minute; 30/hour",
    Purpose.REPORT_ASSET: "5/minute; 20/hour",
    Purpose.WRITE: "300/minute",
}


class Limits:
    """Counts by purpose and key. Used from the event loop only, so that asking and counting are one step."""

    def __init__(self, allowed: Mapping[Purpose, str] = ALLOWED, *, most_keys: int = MOST_KEYS) -> None:
        self._tiers: Mapping[Purpose, list[RateLimitItem]] = {
            purpose: parse_many(text) for purpose, text in allowed.items()
        }
        self._storage = MemoryStorage()
        self._limiter = FixedWindowRateLimiter(self._storage)
        self._most = most_keys

    def take(self, purpose: Purpose, whose: str) -> None:
        """Count one more; raises TooOften, and counts nothing, when `whose` share is used up."""
        key = self._key(purpose, whose)
        used_up = [tier for tier in self._tiers[purpose] if not self._limiter.test(tier, purpose.value, key)]
        if used_up:
            until = max(self._limiter.get_window_stats(tier, purpose.value, key).reset_time for tier in used_up)
            raise TooOften(max(1, math.ceil(until - time.time())))
        for tier in self._tiers[purpose]:
            self._limiter.hit(tier, purpose.value, key)

    def give_back(self, purpose: Purpose, whose: str) -> None:
        """Uncount one that was taken."""
        key = _hashed(whose)
        for tier in self._tiers[purpose]:
            if self._storage.get(tier.key_for(purpose.value, key)):
                self._storage.decr(tier.key_for(purpose.value, key))

    def forget(self, purpose: Purpose, whose: str) -> None:
        """Uncount all that `whose` has taken."""
        for tier in self._tiers[purpose]:
            self._limiter.clear(tier, purpose.value, _hashed(whose))

    def _key(self, purpose: Purpose, whose: str) -> str:
        key = _hashed(whose)
        known = any(self._storage.get(tier.key_for(purpose.value, key)) for tier in self._tiers[purpose])
        return key if known or len(self._storage.storage) < self._most else _OVERFLOW


def _hashed(whose: str) -> str:
    """A key of one length, whatever a stranger has typed."""
    return hashlib.sha256(whose.encode("utf-8", "surrogatepass")).hexdigest()[:32]
