"""What a status or a command says, in the trade's words: a pump runs, a command is on, a leak detector is quiet."""

from __future__ import annotations

from plant.catalogue import Fold, Kind, Point, Text

_RUNS = ("Run_Status", "_On_Off_Status")
"""How Brick's names for run states end."""
_COMMANDS = (Text("停", "off"), Text("开", "on"))
_RUN = (Text("停止", "stopped"), Text("运行", "running"))
_ALARM = (Text("正常", "normal"), Text("动作", "tripped"))
_ELSE = (Text("否", "no"), Text("是", "yes"))


def switched(point: Point | None, on: bool) -> Text:
    """The word for one of the two values of a point; yes or no for one that is none of the known kinds."""
    return _words(point)[on]


def _words(point: Point | None) -> tuple[Text, Text]:
    if point is None or point.unit != "bool":
        return _ELSE
    if point.kind is Kind.COMMAND:
        return _COMMANDS
    if point.fold is Fold.MAX:
        return _ALARM
    return _RUN if (point.brick or "").endswith(_RUNS) else _ELSE
