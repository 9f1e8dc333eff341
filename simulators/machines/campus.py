"""The demo campus put together: which machines there are, and which share water, air or a busbar."""

from __future__ import annotations

from simulators.machines.bathhouse import GATEWAY as BATH_GATEWAY
from simulators.machines.bathhouse import Bathhouse, BathSite
from simulators.machines.chiller_line import GATEWAY as PLANT_GATEWAY
from simulators.machines.chiller_plant import ChillerPlant
from simulators.machines.gateway_box import GatewayBox
from simulators.machines.system import System
from simulators.machines.weather_station import WeatherStation
from simulators.scenario import Conditions


def campus(seed: int, conditions: Conditions) -> tuple[System, ...]:
    """Every system of the site in the order in which they are stepped: a supply before what it feeds."""
    return (
        GatewayBox(PLANT_GATEWAY, seed),
        GatewayBox(BATH_GATEWAY, seed),
        WeatherStation(seed, gateway=PLANT_GATEWAY),
        ChillerPlant(seed),
        Bathhouse(seed, BathSite(conditions.heads, conditions.cold_water)),
    )
