"""Entries for tests of the journal."""

from __future__ import annotations

from hypothesis import strategies as st

from history.entries import ClockEpoch, Command, Config, Entry, Message, Tick

T0 = 1_700_000_000_000

_ints = st.integers(-(2**62), 2**62)
_text = st.text(max_size=30)

entries = st.one_of(
    st.builds(
        Message,
        received_at=_ints,
        topic=_text,
        payload=st.binary(max_size=60),
        broker=_text,
        generation=st.integers(0, 2**31),
        qos=st.integers(0, 2),
        retain=st.booleans(),
        dup=st.booleans(),
        mid=st.integers(0, 65_535),
        draining=st.booleans(),
    ),
    st.builds(Tick, plant_time=_ints, listening=st.booleans()),
    st.builds(
        Command,
        id=st.integers(0, 2**62),
        author=_text,
        action=_text,
        equipment=_text,
        rule=_text,
        args=st.dictionaries(_text, _text, max_size=3),
    ),
    st.builds(Config, revision=st.integers(0, 2**31), sha256=_text, content=st.binary(max_size=60)),
    st.builds(ClockEpoch, plant_time=_ints, previous=_ints),
)


def message(number: int, *, at: int | None = None, size: int = 20) -> Message:
    """A message that can be told from every other by its number; `at` defaults to one a second."""
    return Message(T0 + number * 1_000 if at is None else at, f"site/{number}", f"{number:>{size}}".encode())


def messages(first: int, count: int) -> list[Entry]:
    """`count` messages numbered from `first`."""
    return [message(number) for number in range(first, first + count)]
