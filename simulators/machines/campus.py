"""The demo campus put together: which machines there are, and which share water, air or a busbar."""

from __future__ import annotations

from simulators.machines import air_handlers, bathhouse, chiller_line, dormitory, switchboard
from simulators.machines.air_handlers import AirHandlers
from simulators.machines.bathhouse import Bathhouse, BathSite
from simulators.machines.chiller_plant import ChillerPlant
from simulators.machines.dormitory import Dormitory
from simulators.machines.feeder_loads import FeederLoads
from simulators.machines.gateway_box import GatewayBox
from simulators.machines.switchboard import Switchboard
from simulators.machines.system import System
from simulators.machines.weather_station import WeatherStation
from simulators.scenario import Conditions


def campus(seed: int, conditions: Conditions) -> tuple[System, ...]:
    """Every system of the site in the order in which they are stepped: what uses a supply after what gives it.

    The transformer feeds bathhouse, dormitory and offices; the cooling plant has one of its own, which is not metered.
    """
    areas = (chiller_line, bathhouse, air_handlers, switchboard, dormitory)
    plant = ChillerPlant(seed)
    bath = Bathhouse(seed, BathSite(conditions.heads, conditions.cold_water))
    air = AirHandlers(seed, lambda: plant.supply)
    dorm = Dormitory(seed)
    return (
        *(GatewayBox(area.GATEWAY, seed) for area in areas),
        WeatherStation(seed, gateway=chiller_line.GATEWAY),
        plant,
        bath,
        air,
        dorm,
        Switchboard(seed, FeederLoads(seed, lambda: bath.power, air.power), dorm),
    )
