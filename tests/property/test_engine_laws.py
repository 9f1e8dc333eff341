"""The engine's laws on random sites, rules and journals; `python -m tests.deep` tries many more."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plant.instants import NEVER
from tests.support.journals import Batch, run, scenario, transitions
from tests.support.laws import LAWS, Law

MINUTES = 10


@pytest.mark.parametrize("law", [pytest.param(law, id=name) for name, law in LAWS.items()])
@settings(max_examples=3, deadline=None, database=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_law_holds_with_no_differing_transition(law: Law, seed: int) -> None:
    tried = law(seed, MINUTES)
    assert tried.differing == ()


def test_the_comparison_notices_readings_that_forget_what_was_seen_before_them() -> None:
    trial = scenario(7, 20)
    forgetful = [replace(item, seen=NEVER) if isinstance(item, Batch) else item for item in trial.journal]
    whole = [*(item for item in forgetful if isinstance(item, Batch)), trial.journal[-1]]
    assert transitions(run(trial, journal=whole).events) != transitions(run(trial).events)


def test_the_comparison_notices_a_single_swapped_pair_of_equal_timestamps() -> None:
    differing = 0
    for seed in range(6):
        trial = scenario(seed, MINUTES)
        turned = [replace(i, readings=i.readings[::-1]) if isinstance(i, Batch) else i for i in trial.journal]
        differing += transitions(run(trial, journal=turned).events) != transitions(run(trial).events)
    assert differing > 0
