"""The faults that can be injected: one explicit table (DOMAIN §2.6, §4.5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One way a machine fails (DOMAIN §2.6, §4.5).

    `knobs` maps a knob of the machine's model to its value at severity 1. `at` is the machine of the demo site it
    befalls unless a scenario says otherwise. `must` and `must_not` are rule ids. `of_point`: needs a point.
    """

    id: str
    zh: str
    en: str
    at: str
    knobs: Mapping[str, float]
    must: tuple[str, ...] = ()
    must_not: tuple[str, ...] = ()
    of_point: bool = False


_CHILLER, _CHWP, _TOWER = "plant/chiller-1", "plant/chw-pump-1", "plant/tower-1"
_TANK, _HEATER, _VALVE = "bath/tank-1", "bath/heater-1", "bath/mixing-valve-1"

FAULTS: Mapping[str, FaultKind] = {
    kind.id: kind
    for kind in (
        FaultKind(
            id="ch_cond_fouling",
            zh="冷凝器结垢",
            en="condenser fouled by scale or slime",
            at=_CHILLER,
            knobs={"condenser_fouling": 3.0},
            must=("CH-04",),
            must_not=("CT-01", "CH-05"),
        ),
        FaultKind(
            id="ch_noncondensable",
            zh="冷凝器内有不凝性气体",
            en="air in the condenser",
            at=_CHILLER,
            knobs={"noncondensable": 3.0},
            must=("CH-04",),
        ),
        FaultKind(
            id="ch_refrigerant_leak",
            zh="制冷剂泄漏",
            en="refrigerant leaking away",
            at=_CHILLER,
            knobs={
                "capacity_loss": 0.3,
                "evaporator_fouling": 3.0,
                "power_gain": 0.1,
                "superheat": 10.0,
                "subcooling": 5.0,
            },
            must=("CH-05", "CH-12", "CH-06"),
            must_not=("CH-04",),
        ),
        FaultKind(
            id="ch_low_cw_flow",
            zh="冷却水流量偏低",
            en="too little condenser water",
            at=_CHILLER,
            knobs={"cw_flow_loss": 0.5},
            must=("CH-09",),
            must_not=("CT-01",),
        ),
        FaultKind(
            id="ct_fill_fouling",
            zh="冷却塔填料结垢",
            en="tower fill scaled",
            at=_TOWER,
            knobs={"fill_loss": 0.4},
            must=("CT-01",),
            must_not=("CH-04",),
        ),
        FaultKind(
            id="ct_belt_slip",
            zh="冷却塔风机皮带打滑",
            en="tower fan belt slipping",
            at=_TOWER,
            knobs={"airflow_loss": 1.0},
            must=("CT-08", "CT-01"),
            must_not=("VF-01",),
        ),
        FaultKind(
            id="ct_makeup_fail",
            zh="冷却塔补水中断",
            en="no make-up water to the tower",
            at=_TOWER,
            knobs={"makeup_loss": 1.0},
            must=("CT-07",),
        ),
        FaultKind(
            id="pump_dead",
            zh="水泵跳停",
            en="pump stopped with its command on",
            at=_CHWP,
            knobs={"dead": 1.0},
            must=("PU-01",),
            must_not=("PU-03",),
        ),
        FaultKind(
            id="pump_impeller_wear",
            zh="水泵叶轮磨损",
            en="pump impeller worn",
            at=_CHWP,
            knobs={"impeller_loss": 0.3},
            must=("PU-07",),
            must_not=("PU-02",),
        ),
        FaultKind(
            id="strainer_clog",
            zh="过滤器堵塞",
            en="strainer clogged",
            at=_CHWP,
            knobs={"restriction": 4.0},
            must=("PU-08",),
            must_not=("PU-07",),
        ),
        FaultKind(
            id="cold_supply_loss",
            zh="混水阀冷水中断",
            en="mixing valve without cold water",
            at=_VALVE,
            knobs={"cold_lost": 1.0},
            must=("BH-05", "BH-20"),
            must_not=("BH-06",),
        ),
        FaultKind(
            id="mixing_stuck_hot",
            zh="混水阀卡在热侧",
            en="mixing valve seized on the hot side",
            at=_VALVE,
            knobs={"stuck_at": 0.75},
            must=("BH-05", "BH-19"),
            must_not=("BH-06",),
        ),
        FaultKind(
            id="mixing_stuck_cold",
            zh="混水阀卡在冷侧",
            en="mixing valve seized on the cold side",
            at=_VALVE,
            knobs={"stuck_at": 0.45},
            must=("BH-06", "BH-19"),
            must_not=("BH-05",),
        ),
        FaultKind(
            id="heater_dead",
            zh="加热接触器不吸合",
            en="heater contactor does not close: commanded, no power",
            at=_HEATER,
            knobs={"open_contactor": 1.0},
            must=("BH-11", "BH-01", "BH-03", "BH-06"),
        ),
        FaultKind(
            id="element_fail",
            zh="部分电热管烧断",
            en="heating elements burnt out",
            at=_HEATER,
            knobs={"element_loss": 0.667},
            must=("BH-12",),
            must_not=("BH-01", "BH-02"),
        ),
        FaultKind(
            id="thermostat_weld",
            zh="加热接触器粘连",
            en="heater contactor welded",
            at=_HEATER,
            knobs={"welded": 1.0},
            must=("BH-07",),
        ),
        FaultKind(
            id="circ_pump_fail",
            zh="热水循环泵停运",
            en="hot-water circulation stopped",
            at=_TANK,
            knobs={"circulation_off": 1.0},
            must=("BH-18", "BH-03"),
            must_not=("BH-01",),
        ),
        FaultKind(
            id="tank_low_level",
            zh="水箱补水中断",
            en="no make-up water to the tank",
            at=_TANK,
            knobs={"makeup_off": 1.0},
            must=("BH-08",),
        ),
        FaultKind(
            id="night_leak",
            zh="热水管网漏水",
            en="hot water leaking away",
            at=_TANK,
            knobs={"leak": 0.3},
            must=("BH-09", "BH-10"),
            must_not=("BH-01",),
        ),
        FaultKind(
            id="setpoint_low",
            zh="水箱温度设定过低",
            en="tank set point 10 K too low",
            at=_TANK,
            knobs={"setpoint_drop": 10.0},
            must=("BH-02", "BH-03", "BH-04"),
            must_not=("BH-11",),
        ),
        FaultKind(
            id="sensor_stuck",
            zh="传感器数值卡死",
            en="sensor holds one value",
            at=_CHILLER,
            knobs={"stuck": 1.0},
            must=("DQ-02",),
            of_point=True,
        ),
        FaultKind(
            id="sensor_bias",
            zh="传感器偏差",
            en="sensor reads too high by 6 units",
            at=_TANK,
            knobs={"bias": 6.0},
            of_point=True,
        ),
        FaultKind(
            id="sensor_noise",
            zh="传感器噪声大",
            en="sensor ten times as noisy",
            at=_CHILLER,
            knobs={"noise": 9.0},
            must=("DQ-09",),
            of_point=True,
        ),
        FaultKind(
            id="sensor_dropout",
            zh="传感器无数据",
            en="sensor sends nothing",
            at=_CHILLER,
            knobs={"dropout": 1.0},
            of_point=True,
        ),
        FaultKind(
            id="gateway_silence",
            zh="网关离线",
            en="gateway and everything behind it silent",
            at="plant/gateway-1",
            knobs={"silent": 1.0},
            must=("DQ-04",),
        ),
    )
}
