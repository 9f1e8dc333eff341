"""Rows of figures: well formed, void where a message was lost, ranks and slopes worked out by hand."""

from __future__ import annotations

import json

import pytest

from benchmarks.child import Look
from benchmarks.rows import Account, Row, missing, percentile, row, slope


def test_a_row_is_one_line_of_json_with_the_six_promised_keys() -> None:
    line = row("some_figure", "msg/s", [3.0, 1.0, 2.0]).as_json()
    assert "\n" not in line
    found = json.loads(line)
    assert set(found) == {"name", "value", "unit", "target", "ok", "note"}
    assert (found["name"], found["value"], found["unit"]) == ("some_figure", 2.0, "msg/s")
    assert found["target"] is None
    assert found["ok"] is None


def test_the_note_tells_how_many_runs_and_how_far_apart() -> None:
    assert row("x", "µs", [5.0, 1.0, 9.0], note="small").note == "3 runs: min 1 · median 5 · max 9; small"


def test_a_figure_carries_four_digits() -> None:
    assert row("x", "µs", [123_456.0]).value == 123_500.0


def test_with_nothing_lost_the_value_stands_beside_its_account() -> None:
    found = row("x", "msg/s", [10.0, 12.0], accounts=[Account(100, 100), Account(50, 50)])
    assert found.value == 11.0
    assert found.note.startswith("sent 150 · stored 150 · lost 0; ")


@pytest.mark.parametrize(
    "accounts",
    [
        pytest.param([Account(100, 99), Account(100, 100)], id="one lost"),
        pytest.param([Account(100, 101), Account(100, 100)], id="one too many"),
        pytest.param([Account(100, 99), Account(100, 101)], id="loss in one run hidden by the other"),
    ],
)
def test_loss_in_any_run_voids_the_figure_and_says_why(accounts: list[Account]) -> None:
    found = row("x", "msg/s", [10.0, 12.0], accounts=accounts)
    assert found.value is None
    assert found.note.startswith("void: ")
    assert json.loads(found.as_json())["value"] is None
    assert " void " in found.as_text()


def test_what_could_not_be_measured_has_no_value_and_a_reason() -> None:
    assert missing("x", "msg/s", "no broker") == Row("x", None, "msg/s", "not measured: no broker")


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.001, 1.0)])
def test_percentiles_are_nearest_ranks(share: float, expected: float) -> None:
    assert percentile([float(n) for n in range(100, 0, -1)], share) == expected


def test_slope_leaves_out_the_first_and_the_last_twentieth() -> None:
    # 1 s of standing still, then 100 items in 10 s, then a tail of 20 s: 5 … 95 items take 9 s.
    samples = [(0.0, 0.0), (1.0, 0.0), (11.0, 100.0), (31.0, 100.0)]
    assert slope(samples, 100) == pytest.approx(10.0)


def test_slope_lies_between_two_looks() -> None:
    # 5 items at 0.5 s, 50 at 5 s; the other half in 5 s more, 95 at 9.5 s.
    assert slope([(0.0, 0.0), (5.0, 50.0), (10.0, 100.0)], 100) == pytest.approx(90 / 9)


def test_slope_of_a_run_that_did_not_end_is_refused() -> None:
    with pytest.raises(ValueError, match="never pass 95"):
        slope([(0.0, 0.0), (5.0, 50.0)], 100)


def test_a_look_reads_the_figures_of_the_service() -> None:
    text = """\
# TYPE dutyroom_journal_offset gauge
dutyroom_journal_offset 120.0
# TYPE dutyroom_consumer_offset gauge
dutyroom_consumer_offset{consumer="rules"} 110.0
dutyroom_consumer_offset{consumer="store"} 100.0
# TYPE dutyroom_listening gauge
dutyroom_listening 1.0
# TYPE process_cpu_seconds counter
process_cpu_seconds_total 2.5
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 3e+08
# TYPE dutyroom_thread_cpu_seconds counter
dutyroom_thread_cpu_seconds_total{thread="rules"} 1.5
dutyroom_thread_cpu_seconds_total{thread="store"} 0.5
"""
    assert Look.of(text, 7.0) == Look(7.0, 120, 100, 110, True, 2.5, 3e8, {"rules": 1.5, "store": 0.5})
