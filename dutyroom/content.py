"""A configuration revision as bytes: catalogue, site and rules, canonical, so that equal content has an equal hash."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import zstandard

import plant.canonical as canonical
from plant.errors import Corrupt
from plant.site import Plant
from rules.model import Rule


@dataclass(frozen=True, slots=True)
class Content:
    """What exists and by which rules it is judged."""

    plant: Plant
    rules: tuple[Rule, ...]

    @staticmethod
    def of(plant: Plant, rules: Sequence[Rule]) -> Content:
        """Rules in the order of their ids."""
        return Content(plant, tuple(sorted(rules, key=lambda rule: rule.id)))

    def encode(self) -> bytes:
        """Canonical bytes, compressed."""
        rules = msgspec.json.encode(self.rules, order="deterministic")
        body = msgspec.msgpack.encode((canonical.encode(self.plant), rules))
        return zstandard.ZstdCompressor(level=9).compress(body)

    @staticmethod
    def decode(data: bytes) -> Content:
        """Raises Corrupt when the bytes are no configuration of this version."""
        try:
            plant, rules = msgspec.msgpack.decode(
                zstandard.ZstdDecompressor().decompress(data), type=tuple[bytes, bytes]
            )
            return Content(canonical.decode(plant), msgspec.json.decode(rules, type=tuple[Rule, ...]))
        except (msgspec.MsgspecError, zstandard.ZstdError) as error:
            raise Corrupt(f"a stored configuration cannot be read ({error}); import the plant again") from error


def digest(content: bytes) -> str:
    """The hash a revision is known by."""
    return hashlib.sha256(content).hexdigest()
