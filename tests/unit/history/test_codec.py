"""Batches of entries as bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from history.codec import checksum, compress, decompress, newest_time, pack, pack_config, unpack, unpack_config
from history.entries import ClockEpoch, Command, Config, Entry, Message, Tick
from plant.errors import Corrupt
from plant.instants import NEVER
from tests.unit.history.entries import entries


@given(st.lists(entries, max_size=20))
def test_what_is_packed_comes_back_equal_and_in_order(batch: list[Entry]) -> None:
    assert unpack(decompress(compress(pack(batch)))) == tuple(batch)


@given(st.builds(Config, revision=st.integers(0, 9), sha256=st.text(max_size=9), content=st.binary()))
def test_a_configuration_comes_back_equal(config: Config) -> None:
    assert unpack_config(pack_config(config)) == config


@given(st.binary(max_size=200))
def test_foreign_bytes_are_reported_as_corrupt(junk: bytes) -> None:
    with pytest.raises(Corrupt):
        decompress(junk)
    with pytest.raises(Corrupt):
        unpack(b"\xc1" + junk)
    with pytest.raises(Corrupt):
        unpack_config(b"\xc1" + junk)


@pytest.mark.parametrize("kinds", [b"\x00", b"\x09"], ids=["more kinds than entries", "unknown kind"])
def test_kinds_that_do_not_fit_the_entries_are_corrupt(kinds: bytes) -> None:
    whole = pack([Tick(1)])
    assert whole.count(b"\xc4\x01\x01") == 1  # bin8 of length 1: the kind of a tick
    with pytest.raises(Corrupt):
        unpack(whole.replace(b"\xc4\x01\x01", b"\xc4\x01" + kinds))


def test_checksum_depends_on_place_and_content() -> None:
    assert len({checksum(1, b"ab"), checksum(2, b"ab"), checksum(1, b"ba")}) == 3


def test_newest_time_is_the_latest_of_receipts_ticks_and_clock_steps() -> None:
    command = Command(1, "li", "reset", "ch-1", "CH-01")
    assert newest_time([command]) == NEVER
    assert newest_time([Message(5, "t", b""), command, Tick(3)]) == 5
    assert newest_time([Message(5, "t", b""), Tick(7), ClockEpoch(6, 9)]) == 7
