"""A water-cooled centrifugal chiller: DOE-2 curves with fouling and flow seen through the approaches (DOMAIN §2.7)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from simulators.physics.water import HEAT_PER_M3, clamp, lag

RATED_KW = 1200.0
"""Q_ref, cooling at the reference point 6.67/29.4 °C."""
RATED_POWER_KW = RATED_KW / 5.5
CW_FLOW_DESIGN = 244.0
"""Condenser water, m³/h."""
CHW_FLOW_DESIGN = 206.0
"""Chilled water, m³/h."""

_CONDENSER_APPROACH = 1.5
_EVAPORATOR_APPROACH = 1.2
_RANGE_PLUS_APPROACH = 5.0 + _CONDENSER_APPROACH
_EVAPORATOR_KJ_PER_K = 8.4e3
_CONDENSER_KJ_PER_K = 8.4e3
_WARMEST_K = 20.0
"""The curves are not asked beyond this rise of the condenser water: the flow switch stops the machine long before."""
_LOAD_LAG_S = 120.0
_RELAX_S = 900.0
_SOFT_START_S = 180.0


@dataclass(frozen=True, slots=True)
class ChillerWater:
    """Water at the machine: temperatures in °C, flows in m³/h."""

    chw_return: float
    chw_flow: float
    cw_entering: float
    cw_flow: float


@dataclass(frozen=True, slots=True)
class ChillerFaults:
    """What is wrong inside: fouling factors fc and fe (0 clean), noncondensables [K], factors on capacity and power."""

    condenser_fouling: float = 0.0
    evaporator_fouling: float = 0.0
    noncondensable: float = 0.0
    capacity: float = 1.0
    power: float = 1.0
    superheat: float = 0.0
    subcooling: float = 0.0


CLEAN = ChillerFaults()


@dataclass(frozen=True, slots=True)
class Refrigeration:
    """One working point: kW, °C and K; `part_load` is Q/Q_cap within 0.1 … 1.05."""

    power: float
    capacity: float
    part_load: float
    cw_leaving: float
    condenser_approach: float
    evaporator_approach: float
    cond_sat: float
    evap_sat: float


def refrigerate(cooling: float, chw_supply: float, water: ChillerWater, faults: ChillerFaults) -> Refrigeration:
    """The steady working point at `cooling` kW.

    Power and leaving condenser water depend on each other; four rounds of substitution settle both below 0.01 %.
    `tc_eff` equals the entering condenser temperature when clean and at design flow, which lets the DOE-2 curves
    see fouling and low flow.
    """
    ratio = cooling / RATED_KW
    flow_share = max(water.cw_flow / CW_FLOW_DESIGN, 0.05)
    condenser = _CONDENSER_APPROACH * ratio * (1 + faults.condenser_fouling) * flow_share**-0.3 + faults.noncondensable
    evaporator = _EVAPORATOR_APPROACH * ratio * (1 + faults.evaporator_fouling)
    te = chw_supply - _EVAPORATOR_APPROACH * ratio * faults.evaporator_fouling
    power = RATED_POWER_KW * max(ratio, 0.1)
    for _ in range(4):
        warmed = (cooling + power) / (flow_share * CW_FLOW_DESIGN * HEAT_PER_M3)
        leaving = water.cw_entering + min(warmed, _WARMEST_K)
        tc = leaving + condenser - _RANGE_PLUS_APPROACH * ratio
        cap_ft = _capacity_factor(te, tc)
        capacity = RATED_KW * cap_ft * faults.capacity
        part = clamp(cooling / capacity, 0.1, 1.05)
        by_load = 0.222903 + 0.313387 * part + 0.463710 * part * part
        power = RATED_POWER_KW * cap_ft * _power_factor(te, tc) * by_load * faults.capacity * faults.power
    return Refrigeration(
        power=power,
        capacity=capacity,
        part_load=part,
        cw_leaving=leaving,
        condenser_approach=condenser,
        evaporator_approach=evaporator,
        cond_sat=leaving + condenser,
        evap_sat=chw_supply - evaporator,
    )


def _capacity_factor(te: float, tc: float) -> float:
    """CapFT of "DOE-2 Centrifugal/5.50COP" [S7], kept positive far outside its range."""
    value = 0.257896 + 0.0389016 * te - 0.00021708 * te * te
    return max(value + 0.0468684 * tc - 0.00094284 * tc * tc - 0.00034344 * te * tc, 0.2)


def _power_factor(te: float, tc: float) -> float:
    """EIRFT of "DOE-2 Centrifugal/5.50COP" [S7], kept positive far outside its range."""
    value = 0.933884 - 0.058212 * te + 0.00450036 * te * te
    return max(value + 0.00243 * tc + 0.000486 * tc * tc - 0.001215 * te * tc, 0.2)


@dataclass(frozen=True, slots=True)
class ChillerState:
    """What a chiller remembers: evaporator water [°C], load x (0–1 of capacity), and its last working point."""

    chw_supply: float
    load: float
    on_seconds: float
    cooling: float
    power: float
    capacity: float
    part_load: float
    cw_leaving: float
    cond_sat: float
    evap_sat: float

    @staticmethod
    def at_rest(chw: float, cw: float) -> ChillerState:
        """A machine that has stood still for hours in water of these temperatures."""
        return ChillerState(
            chw_supply=chw,
            load=0.0,
            on_seconds=0.0,
            cooling=0.0,
            power=0.0,
            capacity=RATED_KW,
            part_load=0.0,
            cw_leaving=cw,
            cond_sat=cw,
            evap_sat=chw,
        )


def step_chiller(
    state: ChillerState, water: ChillerWater, *, setpoint: float | None, faults: ChillerFaults = CLEAN, dt: float
) -> ChillerState:
    """Advance by `dt` seconds (≤ 60); `setpoint` None means the compressor stands.

    Perfect capacity control behind a lag of 120 s, a soft start of 180 s, and 2 m³ of water in each barrel.
    """
    exchange = water.chw_flow * HEAT_PER_M3
    if setpoint is None:
        return _standing(state, water, dt)
    wanted = clamp(exchange * (water.chw_return - setpoint), 0.0, state.capacity) / state.capacity
    on_seconds = state.on_seconds + dt
    load = min(lag(state.load, wanted, _LOAD_LAG_S, dt), on_seconds / _SOFT_START_S)
    cooling = load * state.capacity
    supply = state.chw_supply + dt * (exchange * (water.chw_return - state.chw_supply) - cooling) / _EVAPORATOR_KJ_PER_K
    point = refrigerate(cooling, supply, water, faults)
    through = max(water.cw_flow, 1.0) * HEAT_PER_M3
    steady = water.cw_entering + (cooling + point.power) / through
    leaving = lag(state.cw_leaving, steady, _CONDENSER_KJ_PER_K / through, dt)
    return ChillerState(
        chw_supply=supply,
        load=load,
        on_seconds=on_seconds,
        cooling=cooling,
        power=point.power,
        capacity=point.capacity,
        part_load=point.part_load,
        cw_leaving=leaving,
        cond_sat=leaving + point.condenser_approach,
        evap_sat=point.evap_sat,
    )


def _standing(state: ChillerState, water: ChillerWater, dt: float) -> ChillerState:
    """Off: approaches vanish and saturation temperatures relax to the water with τ = 900 s."""
    mixing = clamp(dt * water.chw_flow * HEAT_PER_M3 / _EVAPORATOR_KJ_PER_K, 0.0, 1.0)
    supply = state.chw_supply + mixing * (water.chw_return - state.chw_supply)
    return replace(
        state,
        chw_supply=supply,
        load=0.0,
        on_seconds=0.0,
        cooling=0.0,
        power=0.0,
        part_load=0.0,
        cw_leaving=lag(state.cw_leaving, water.cw_entering, 60.0, dt),
        cond_sat=lag(state.cond_sat, water.cw_entering, _RELAX_S, dt),
        evap_sat=lag(state.evap_sat, supply, _RELAX_S, dt),
    )
