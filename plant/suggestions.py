"""What a misspelled word was probably meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint naming the nearest known word; empty where none is near."""
    near = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint naming the nearest known word, else a few of the known ones; empty where nothing is known."""
    words = sorted(known)
    if not words:
        return ""
    return nearest(word, words) or f"known: {', '.join(words[:8])}{', …' if len(words) > 8 else ''}"
