"""Every shipped template against messages as the maker documents them: each of its lines becomes a reading."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from history.entries import Message
from ingest.intake import Intake
from plant.catalogue import Text
from plant.cataloguefile import load_catalogue
from plant.device import Use
from plant.devicefile import shipped_templates
from plant.site import Equipment, Plant, Site
from tests.support import sparkplug as sp
from tests.support.sparkplug import M, payload

T0 = 1_790_000_000_000
CATALOGUE = load_catalogue()
TEMPLATES = shipped_templates()

PHASES = ("a", "b", "c")
EM = {"id": 0, "n_current": 0.4, "total_current": 12.2, "total_act_power": 2750.0, "total_aprt_power": 2810.0}
EM |= {f"{p}_{what}": value for p in PHASES for what, value in (("voltage", 230.1), ("current", 4.1), ("freq", 50.0))}
EM |= {f"{p}_{what}": value for p in PHASES for what, value in (("act_power", 915.0), ("aprt_power", 940.0))}
EMDATA = {"id": 0, "total_act": 12345.6, "total_act_ret": 7.5}
ENERGY = {"Total": 3.185, "Power": 41, "ReactivePower": 3, "Factor": 0.91, "Voltage": 229, "Current": 0.192}
METER = {"ua": 229.5, "ub": 230.1, "uc": 228.8, "uab": 398.0, "ubc": 399.1, "uca": 397.2, "ia": 1.5, "ib": 1.4}
METER |= {"ic": 1.6, "pa": 0.3, "pb": 0.3, "pc": 0.3, "p": 0.9, "q": 0.1, "s": 0.95, "pf": 0.95, "f": 50.0}
METER |= {"epi": 12.3, "epe": 0.1}
DLT645 = {
    "02010100": "2295", "02010200": "2301", "02010300": "2288", "02020100": "001500", "02020200": "001400",
    "02020300": "001600", "02800001": "000100", "02030000": "009000", "02030100": "003000", "02030200": "003000",
    "02030300": "003000", "02040000": "001000", "02050000": "009500", "02060000": "0950", "02800002": "5000",
    "00010000": "00001230", "00020000": "00000010",
}  # fmt: skip

Said = tuple[str, object]
SAYS: Mapping[str, tuple[dict[str, str], list[Said]]] = {
    "shelly_pro_3em": (
        {"device": "shellypro3em-08f9e0e5c790"},
        [
            (
                "shellypro3em-08f9e0e5c790/events/rpc",
                {"src": "x", "method": "NotifyStatus", "params": {"ts": T0 / 1000, "em:0": EM, "emdata:0": EMDATA}},
            )
        ],
    ),
    "tasmota_pow": (
        {"device": "plug-7"},
        [
            ("tele/plug-7/SENSOR", {"Time": "2026-09-21T22:13:20", "ENERGY": ENERGY}),
            ("tele/plug-7/STATE", {"Time": "2026-09-21T22:13:20", "POWER": "ON"}),
        ],
    ),
    "tasmota_ds18b20": (
        {"device": "tank", "probe": "01183379C9FF"},
        [("tele/tank/SENSOR", {"DS18B20": {"Id": "01183379C9FF", "Temperature": 55.4}, "TempUnit": "C"})],
    ),
    "acrel_adl400": (
        {"gateway": "acrel/gw7", "device": "24010001"},
        [("acrel/gw7/data", {"gwSN": "gw7", "meterSN": "24010001", **METER})],
    ),
    "dtsd_dlt645": ({"device": "17"}, [("meters/17/data", {"addr": "000000000017", "data": DLT645})]),
    "zigbee_temp": ({"device": "office"}, [("zigbee2mqtt/office", {"temperature": 25.1, "humidity": 48.0})]),
    "zigbee_leak": ({"device": "cellar"}, [("zigbee2mqtt/cellar", {"water_leak": True, "battery": 97})]),
    "chirpstack_temp": (
        {"device": "a84041000181c061"},
        [
            (
                "application/1/device/a84041000181c061/event/up",
                {"deviceInfo": {"devEui": "a84041000181c061"}, "object": {"temperature": 56.5}},
            )
        ],
    ),
    "dragino_d23_ttn": (
        {"device": "tank-7"},
        [
            (
                "v3/works@tenant/devices/tank-7/up",
                {
                    "end_device_ids": {"device_id": "tank-7", "dev_eui": "A84041000181C061"},
                    "uplink_message": {
                        "decoded_payload": {
                            "BatV": 3.58,
                            "ALARM_status": "FALSE",
                            "Work_mode": "DS18B20",
                            "Temp_C1": 56.5,
                            "Temp_C2": 52.1,
                            "Temp_C3": 44.8,
                        }
                    },
                },
            )
        ],
    ),
    "ydoc_ml17": (
        {"device": "5025064"},
        [
            (
                "spBv1.0/sp-grp-x/NBIRTH/5025064",
                payload(
                    M("bdSeq", sp.UINT64, 0, ts=T0),
                    M("Properties/SN", sp.STRING, "1234567890", ts=T0),
                    M("System/Battery", sp.DOUBLE, 3.3, 1, ts=T0),
                    M("Inputs/AI1", sp.DOUBLE, 14.2, 2, ts=T0),
                    ts=T0,
                    seq=0,
                ),
            ),
            (
                "spBv1.0/sp-grp-x/NDATA/5025064",
                payload(M(None, sp.DOUBLE, 3.4, 1, ts=T0 + 1000, typed=False), ts=T0 + 1000, seq=1),
            ),
        ],
    ),
    "ems_esp_boiler": (
        {},
        [
            (
                "ems-esp/boiler_data",
                {"curflowtemp": 61.2, "rettemp": 44.0, "dhw": {"curtemp": 57.1, "curtemp2": 48.0, "seltemp": 60}},
            )
        ],
    ),
    "heishamon": (
        {},
        [
            (f"panasonic_heat_pump/main/{name}", value)
            for name, value in (
                ("DHW_Temp", 51),
                ("DHW_Target_Temp", 55),
                ("Main_Outlet_Temp", 46),
                ("Main_Inlet_Temp", 41),
            )
        ],
    ),
}


def test_every_template_has_its_messages_here() -> None:
    assert set(SAYS) == set(TEMPLATES)


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_each_line_of_a_template_becomes_a_good_reading(name: str) -> None:
    template, (values, said) = TEMPLATES[name], SAYS[name]
    bindings = template.bindings(Use(values))
    machine = Equipment("m", "a/m", template.type, Text("", ""), bindings=bindings)
    plant = Plant(CATALOGUE, Site("s", "Asia/Shanghai", Text("", ""), {"m": machine}))
    intake = Intake(plant)
    found: dict[str, int] = {}
    for offset, (topic, body) in enumerate(said, 1):
        taken = intake.feed(offset, Message(T0, topic, body if isinstance(body, bytes) else json.dumps(body).encode()))
        assert taken.rejected == ()
        for series, quality in zip(taken.batch.series.tolist(), taken.batch.quality.tolist(), strict=True):
            found[plant.series.keys[series].point] = quality
    assert found == dict.fromkeys((binding.point for binding in bindings), 0)
