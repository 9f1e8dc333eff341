"""A binding as files write it: in a site file, and without its topic in a template of a device model."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from plant.site import Binding, Clock
from plant.yamlfile import Strict

_WORD = re.compile(r"[a-z0-9_]+")


def check_topic(value: str) -> str:
    """Raises ValueError for what is no topic and no topic filter."""
    levels = value.split("/")
    misplaced = any(("+" in level or "#" in level) and len(level) > 1 for level in levels) or "#" in levels[:-1]
    if not value or misplaced or "\x00" in value or len(value.encode()) > 65_535:
        raise ValueError("no topic or topic filter; '+' stands for a whole level, '#' for all the rest")
    return value


def _decoder(value: str) -> str:
    if not _WORD.fullmatch(value):
        raise ValueError("a decoder is named by small letters, digits and '_'")
    return value


TopicText = Annotated[str, AfterValidator(check_topic)]
DecoderText = Annotated[str, AfterValidator(_decoder)]


class BindingFile(Strict):
    """What feeds one point; the fields are those of `plant.site.Binding`."""

    topic: TopicText
    point: str
    key: str | None = None
    unit: str | None = None
    scale: float = 1.0
    offset: float = 0.0
    sentinels: tuple[float, ...] = ()
    clock: Clock = Clock.DEVICE
    time: str | None = None
    zone: str | None = None
    device: str | None = None
    decoder: DecoderText = "native"

    def binding(self) -> Binding:
        """The binding it stands for."""
        return Binding(**dict(self))
