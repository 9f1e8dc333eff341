"""Statuses and commands in the trade's words."""

from __future__ import annotations

import pytest

from api.web.switches import switched
from plant.catalogue import Text
from plant.cataloguefile import load_catalogue


@pytest.mark.parametrize(
    ("type", "point", "on", "words"),
    [
        ("pump", "pump_command", True, Text("开", "on")),
        ("pump", "pump_status", False, Text("停止", "stopped")),
        ("chiller", "chiller_run_status", True, Text("运行", "running")),
        ("chiller", "chiller_alarm_status", False, Text("正常", "normal")),
        ("hot_water_tank", "water_leak_status", True, Text("动作", "tripped")),
        ("lv_feeder", "door_open_status", True, Text("是", "yes")),
    ],
)
def test_a_status_says_what_it_means(type: str, point: str, on: bool, words: Text) -> None:
    assert switched(load_catalogue().types[type].points[point], on) == words


def test_what_is_no_known_status_says_yes_or_no() -> None:
    assert switched(None, True) == Text("是", "yes")
