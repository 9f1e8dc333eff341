"""What checks, outcomes and faults are called, and what to do about each fault."""

from __future__ import annotations

from collections.abc import Mapping

from maintenance.commissioning.report import Cause, Check, Outcome
from maintenance.commissioning.stage import Stage
from plant.catalogue import Text

OUTCOMES: Mapping[Outcome, Text] = {
    Outcome.PASSED: Text("通过", "passed"),
    Outcome.FAILED: Text("不通过", "failed"),
    Outcome.NOT_ENOUGH: Text("数据不足", "not enough data"),
}

STAGES: Mapping[Stage, Text] = {
    Stage.FAILED: Text("核验不通过", "Failed"),
    Stage.UNCHECKED: Text("从未核验", "Never checked"),
    Stage.NOT_ENOUGH: Text("数据不足", "Not enough data"),
    Stage.WITHHELD: Text("已退回调试", "Back in commissioning"),
    Stage.COMMISSIONED: Text("已投用", "Commissioned"),
}

CHECKS: Mapping[Check, Text] = {
    Check.HEARD: Text("测点有数据", "Points are heard"),
    Check.RATE: Text("上送周期", "Rate of readings"),
    Check.CLOCK: Text("设备时钟", "Clock of the device"),
    Check.RANGE: Text("量程与断线码", "Range and sensor codes"),
    Check.SCALE: Text("单位与倍率", "Unit and scale"),
    Check.DIRECTION: Text("供回水与进出方向", "Supply and return"),
    Check.PHASES: Text("相序与互感器", "Phases and current transformers"),
    Check.BALANCE: Text("进线与馈线平衡", "Incomer and feeders"),
}

WAITING: Mapping[Check, Text] = {
    Check.SCALE: Text("设备运行一段时间后再核验", "let the machine run, then check again"),
    Check.DIRECTION: Text("设备带负荷运行后再核验", "let the machine run under load, then check again"),
    Check.PHASES: Text("三相都有负荷后再核验", "check again when all three phases carry load"),
    Check.BALANCE: Text("进线带负荷后再核验", "check again when the incomer carries load"),
}
"""What a check without enough data waits for; the others wait for readings."""

MORE_DATA = Text("读数再多一些后核验", "wait for more readings, then check again")

CAUSES: Mapping[Cause, Text] = {
    Cause.NEVER_SEEN: Text("从未收到", "never heard"),
    Cause.TOO_SLOW: Text("上送太慢", "comes too slowly"),
    Cause.TOO_FAST: Text("上送太快", "comes too fast"),
    Cause.CLOCK_AHEAD: Text("设备时钟超前", "the device's clock is ahead"),
    Cause.CLOCK_BEHIND: Text("数据总是迟到", "readings are always late"),
    Cause.SENTINEL: Text("断线码或非数值", "codes of a broken sensor, or words"),
    Cause.OUT_OF_RANGE: Text("超出量程", "outside the physical range"),
    Cause.SCALE: Text("倍率错误", "wrong scale"),
    Cause.FAHRENHEIT: Text("实为华氏度", "is in degrees Fahrenheit"),
    Cause.KELVIN: Text("实为开尔文", "is in kelvin"),
    Cause.HERTZ: Text("变频器赫兹当作百分比", "hertz of a drive read as percent"),
    Cause.SWAPPED: Text("两个测点接反", "two sensors the wrong way round"),
    Cause.CT_REVERSED: Text("互感器极性接反", "current transformer the wrong way round"),
    Cause.PHASES_CROSSED: Text("电流与电压相序不一致", "currents on the phases of other voltages"),
    Cause.PHASE_SUM: Text("分相之和与总功率不符", "phases do not sum up to the total"),
    Cause.CT_RATIO: Text("互感器变比错误", "ratio of the current transformer wrong"),
}

ADVICE: Mapping[Cause, Text] = {
    Cause.NEVER_SEEN: Text(
        "核对绑定的主题和键名；用 dutyroom decode 看报文里有没有它",
        "compare topic and key of its binding with a message (dutyroom decode)",
    ),
    Cause.TOO_SLOW: Text(
        "缩短网关上送周期，或在设备上登记实际的 interval",
        "shorten the gateway's period, or declare interval as it is",
    ),
    Cause.TOO_FAST: Text(
        "放慢网关上送周期，或在设备上登记实际的 interval",
        "lengthen the gateway's period, or declare interval as it is",
    ),
    Cause.CLOCK_AHEAD: Text("给设备校时（NTP），核对时区", "set its clock (NTP) and its time zone"),
    Cause.CLOCK_BEHIND: Text(
        "给设备校时；差整小时为时区不符，在绑定里写 zone；固定滞后时写 clock: arrival",
        "set its clock; whole hours are another time zone: name it in the binding (zone); for a steady lag bind with "
        "clock: arrival",
    ),
    Cause.SENTINEL: Text(
        "查传感器接线，或在绑定里写明该代码（sentinels）",
        "check the sensor's wiring, or name the code in the binding (sentinels)",
    ),
    Cause.OUT_OF_RANGE: Text(
        "核对单位、倍率和点表；与就地仪表比较", "compare unit, scale and register with the local gauge"
    ),
    Cause.SCALE: Text(
        "在绑定里改 scale 或单位，使读数与就地仪表一致",
        "set scale or unit of the binding until it reads as the gauge does",
    ),
    Cause.FAHRENHEIT: Text("绑定的单位写 degF", "say unit: degF in the binding"),
    Cause.KELVIN: Text("绑定的单位写 K", "say unit: K in the binding"),
    Cause.HERTZ: Text("绑定的 scale 写 2（50 Hz 即 100 %）", "set scale: 2 in the binding (50 Hz is 100 %)"),
    Cause.SWAPPED: Text("对调两个测点的绑定或接线", "exchange the two bindings, or the wires"),
    Cause.CT_REVERSED: Text("对调该相互感器二次侧 S1、S2", "exchange S1 and S2 of that transformer"),
    Cause.PHASES_CROSSED: Text("按电压相序重接电流回路", "connect the currents in the order of the voltages"),
    Cause.PHASE_SUM: Text(
        "核对总功率与分相功率的寄存器和变比", "compare registers and ratio of the total and of the phases"
    ),
    Cause.CT_RATIO: Text(
        "核对铭牌变比与仪表设定，改正仪表或绑定的 scale",
        "compare the nameplate with the meter's setting; mend the meter or scale",
    ),
}


def advice_on(check: Check) -> Text:
    """What to do where there was not enough data."""
    return WAITING.get(check, MORE_DATA)
