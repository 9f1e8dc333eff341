"""The words of the trade for every enum a page shows, by the enum's kind and value: one name for one thing."""

from __future__ import annotations

from collections.abc import Mapping

from maintenance.people import Role
from maintenance.texts import RESOLUTIONS, SEVERITIES, STATES, VERDICTS
from plant.catalogue import Text
from plant.site import Mode

ROLES: Mapping[Role, Text] = {
    Role.VIEWER: Text("查看", "Viewer"),
    Role.CREW: Text("维修班", "Crew"),
    Role.ENGINEER: Text("工程师", "Engineer"),
    Role.ADMIN: Text("管理员", "Administrator"),
    Role.ENGINE: Text("规则引擎", "Rules engine"),
    Role.CLOCK: Text("时限", "Deadline"),
    Role.CONFIG: Text("配置", "Configuration"),
}

MODES: Mapping[Mode, Text] = {
    Mode.OBSERVE: Text("观察", "Observe"),
    Mode.LIVE: Text("启用", "Live"),
}

QUALITIES: Mapping[str, Text] = {
    "good": Text("正常", "Good"),
    "uncertain": Text("存疑", "Uncertain"),
    "bad": Text("无效", "Bad"),
}

AREAS: Mapping[str, Text] = {
    "plant": Text("制冷站", "Chiller plant"),
    "bath": Text("浴室", "Bathhouse"),
    "lv": Text("低压配电室", "LV switch room"),
    "dorm": Text("宿舍楼", "Dormitory"),
    "office": Text("办公楼", "Offices"),
    "air": Text("空调机房", "Air handling"),
    "site": Text("厂区", "Site"),
}
"""Names of areas as the demo's paths use them; an area with another name is shown as it is written."""

WORDS = {
    "states": STATES,
    "severities": SEVERITIES,
    "resolutions": RESOLUTIONS,
    "verdicts": VERDICTS,
    "roles": ROLES,
    "modes": MODES,
    "qualities": QUALITIES,
}
