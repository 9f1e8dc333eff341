"""The way in told in pieces: cut and restarted anywhere, it must end in the same."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from history.entries import Entry
from ingest.intake import Intake, Intaken
from plant.site import Plant


def cut_and_restarted(where: Plant, run: Sequence[Entry], cuts: Iterable[int]) -> tuple[Intaken, bytes]:
    """What a run of entries (offsets from 1) gives with a restart at the beginning, at each cut and at the end; and
    the intake's state then.
    """
    numbered = list(enumerate(run, 1))
    pieces, intake = Intaken.nothing(), Intake(where)
    for begin, end in itertools.pairwise(sorted({0, len(run), *(min(cut, len(run)) for cut in cuts)})):
        intake = Intake.restore(where, intake.state())
        pieces = pieces + intake.feed_many(numbered[begin:end])
    return pieces, Intake.restore(where, intake.state()).state()
