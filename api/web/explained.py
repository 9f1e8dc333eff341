"""The tree of an explanation as a page shows it: each part in words with its value, wrappers left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.web import figures
from api.web.sentences import Name, Sentences
from plant.quality import Reason
from rules.proof import Json

_WRAPPED = 1


@dataclass(frozen=True, slots=True)
class Part:
    """One part: a number as `shown`, or a condition that is true, false or (None) unknown; `doubt` of its reading."""

    words: str
    shown: str | None
    truth: bool | None
    doubt: Reason | None
    parts: Sequence[Part]

    @property
    def known(self) -> bool:
        """Whether it has a value."""
        return self.shown is not None or self.truth is not None


def part_of(tree: Json, sentences: Sentences) -> Part:
    """A tree of `rules.proof` in words."""
    if not isinstance(tree, dict):
        raise TypeError(f"not a tree: {tree!r}")
    return _part(tree, sentences)


def _part(tree: Mapping[str, Any], sentences: Sentences) -> Part:
    children = _children(tree)
    value, unit = tree.get("value"), _unit(tree, sentences.names)
    shown = figures.quantity(float(value), unit) if isinstance(value, str) else None
    reason = Reason[tree["quality"].upper()] if "quality" in tree else Reason.NONE
    return Part(
        sentences.say(tree.get("name") or tree["text"]),
        shown,
        value if isinstance(value, bool) else None,
        reason if reason is not Reason.NONE else None,
        [_part(child, sentences) for child in children if not _constant(child)],
    )


def _children(tree: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The parts of a node; what only rounds or renames its one part is passed over."""
    parts: Sequence[Mapping[str, Any]] = tree.get("of", ())
    while len(parts) == _WRAPPED and _bare(parts[0]["text"]) == _bare(tree["text"]) and "name" not in parts[0]:
        parts = parts[0].get("of", ())
    return parts


def _bare(text: str) -> str:
    return text.rpartition("#")[0] if text.rpartition("#")[2].isdigit() and "#" in text else text


def _constant(tree: Mapping[str, Any]) -> bool:
    """A bare number: it stands in the words of what it is part of."""
    return not tree.get("of") and tree.get("unit") == "1" and _bare(tree["text"]).replace(".", "").isdigit()


def _unit(tree: Mapping[str, Any], names: Mapping[str, Name]) -> str:
    """The unit a quantity was declared in, which may be finer than its dimension says (L/s, mA)."""
    found = names.get(tree.get("name") or tree["text"])
    return found.unit if found is not None and found.unit else str(tree.get("unit", "1"))
