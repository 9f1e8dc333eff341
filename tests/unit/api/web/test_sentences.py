"""Rule expressions in words: names, units, states, windows, and the keys of nodes as an explanation shows them."""

from __future__ import annotations

import pytest

from api.web.language import Language
from api.web.sentences import Name, Sentences
from plant.catalogue import Text

NAMES = {
    "temp": Name(Text("水温", "water temperature"), "Cel"),
    "air": Name(Text("气温", "air temperature"), "Cel"),
    "flow": Name(Text("流量", "flow"), "m3/h"),
    "on": Name(Text("运行", "run status"), "bool"),
    "limit": Name(Text("限值", "limit"), "Cel", 42.5),
    "rated": Name(Text("额定", "rated flow"), "m3/h"),
    "weather.outdoor_temp": Name(Text("室外温度", "outdoor temperature"), "Cel"),
    "p": Name(Text("所列测点", "the point"), "Cel"),
}


@pytest.mark.parametrize(
    ("text", "chinese", "english"),
    [
        ("temp > 42", "水温 高于 42 ℃", "water temperature is above 42 ℃"),
        ("temp > limit", "水温 高于 限值（42.5 ℃）", "water temperature is above limit (42.5 ℃)"),
        ("10 <= flow", "10 m³/h 不高于 流量", "10 m³/h is at most flow"),
        ("temp - air >= 5", "水温 − 气温 不低于 5 K", "water temperature − air temperature is at least 5 K"),
        ("flow < 0.1 * (rated + 2)", "流量 低于 0.1 × (额定 + 2)", "flow is below 0.1 × (rated flow + 2)"),
        ("on and not on", "运行 为“是”，且 运行 为“否”", "run status is on and run status is off"),
        (
            "on or (on and temp < 1)",
            "运行 为“是”，或 （运行 为“是”，且 水温 低于 1 ℃）",
            "run status is on or (run status is on and water temperature is below 1 ℃)",
        ),
        ("not (temp > 1)", "不满足（水温 高于 1 ℃）", "not (water temperature is above 1 ℃)"),
        ('held(on, "15m")', "运行 为“是” 已持续 15 分钟", "run status is on for 15 min"),
        ('mean(temp, "5m") < 3', "水温 的 5 分钟均值 低于 3 ℃", "the 5 min mean of water temperature is below 3 ℃"),
        (
            "default(temp - air, 0)",
            "(水温 − 气温)（缺则取 0）",
            "(water temperature − air temperature) (or 0 without it)",
        ),
        ("known(on)", "运行 有数据", "run status is known"),
        ("weather.outdoor_temp != 0", "室外温度 不等于 0 ℃", "outdoor temperature is not 0 ℃"),
        (
            'quality(p, "sentinel")',
            "所列测点 的质量为 传感器断线码",
            "the quality of the point is code of a broken sensor",
        ),
        # keys of nodes: milliseconds for held, instants of the grid for windows, decimals after #
        ("held(on,900000)", "运行 为“是” 已持续 15 分钟", "run status is on for 15 min"),
        (
            "(mean(temp,60,48)>42.5#3)",
            "水温 的 10 分钟均值 高于 42.5 ℃",
            "the 10 min mean of water temperature is above 42.5 ℃",
        ),
        ("share(on,6,5)", "1 分钟内 运行 为“是” 的时间占比", "the share of 1 min in which run status is on"),
        ("mean(temp,8640,6912,144x600000@Asia/Shanghai)", "水温 的 1 天均值", "the 1 d mean of water temperature"),
        # what cannot be read is shown as it stands
        ("temp >", "temp >", "temp >"),
        ("unheard_of(temp)", "unheard_of(水温)", "unheard_of(water temperature)"),
    ],
)
def test_an_expression_in_words(text: str, chinese: str, english: str) -> None:
    assert Sentences(Language.ZH, NAMES, 10_000).say(text) == chinese
    assert Sentences(Language.EN, NAMES, 10_000).say(text) == english
