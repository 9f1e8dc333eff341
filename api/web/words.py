"""The words of the trade for every enum a page shows, by the enum's kind and value: one name for one thing."""

from __future__ import annotations

from collections.abc import Mapping

from maintenance.people import Role
from maintenance.texts import (
    CAUSE_CODES,
    NEEDS,
    PHRASES,
    RESOLUTIONS,
    SEVERITIES,
    STATES,
    VERDICTS,
    WAITING_FOR,
)
from plant.catalogue import Text
from plant.quality import Reason
from plant.site import Mode
from rules.machines import Phase
from rules.standing import Verdict

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

REASONS: Mapping[Reason, Text] = {
    Reason.NONE: Text("", ""),
    Reason.OUT_OF_RANGE: Text("超出量程", "out of range"),
    Reason.SENTINEL: Text("传感器断线码", "code of a broken sensor"),
    Reason.NOT_A_NUMBER: Text("不是数值", "no number"),
    Reason.JUMP: Text("突变，待下一次读数确认", "jumped; the next reading decides"),
    Reason.CLOCK_FAULT: Text("设备时钟超前", "the device's clock is ahead"),
    Reason.DELAYED: Text("延迟到达", "came late"),
    Reason.HISTORICAL: Text("历史数据，不参与判定", "historical, not judged"),
    Reason.NO_TIME_IN_BACKLOG: Text("积压数据无时标，不参与判定", "no time of its own in a backlog, not judged"),
    Reason.RETAINED: Text("保留消息", "retained message"),
    Reason.DEVICE_FAILURE: Text("设备自报故障", "the device reports a failure"),
    Reason.OUT_OF_SPECIFICATION: Text("设备自报超出规格", "the device reports out of specification"),
    Reason.COUNTER_FAULT: Text("计数器倒走或过快", "meter ran backwards or too fast"),
    Reason.UNIT_OR_SCALE: Text("疑似单位或倍率错误", "unit or scale looks wrong"),
    Reason.FLOOD: Text("设备消息过多", "the device sends far too much"),
    Reason.CONFLICT: Text("同一时刻出现不同的值", "two values for one time"),
    Reason.DEVICE_OFFLINE: Text("设备已离线", "the device is offline"),
}

FAMILIES: Mapping[str, Text] = {
    "CH": Text("冷水机组", "Chillers"),
    "CT": Text("冷却塔", "Cooling towers"),
    "PU": Text("水泵", "Pumps"),
    "VF": Text("变频器", "Drives"),
    "PN": Text("管网", "Pipe network"),
    "AH": Text("空调机组", "Air handling"),
    "FU": Text("风机盘管", "Fan coils"),
    "EL": Text("低压配电", "Low voltage"),
    "DM": Text("宿舍用电", "Dormitory circuits"),
    "BH": Text("浴室热水", "Bathhouse hot water"),
    "DQ": Text("数据质量", "Data quality"),
}
"""Families of rules by the letters their ids begin with."""

PHASES: Mapping[Phase, Text] = {
    Phase.NORMAL: Text("未触发", "at rest"),
    Phase.PENDING: Text("计时中", "timing"),
    Phase.ACTIVE: Text("已报出", "raised"),
    Phase.RECOVERING: Text("恢复计时中", "timing its recovery"),
}

RULE_VERDICTS: Mapping[Verdict, Text] = {
    Verdict.FAULT: Text("故障", "fault"),
    Verdict.OK: Text("正常", "ok"),
    Verdict.UNKNOWN: Text("无法判定", "cannot be judged"),
    Verdict.GATED: Text("不在判定条件", "not in the state it judges"),
}

WORDS = {
    "families": FAMILIES,
    "phases": PHASES,
    "rule_verdicts": RULE_VERDICTS,
    "states": STATES,
    "severities": SEVERITIES,
    "resolutions": RESOLUTIONS,
    "verdicts": VERDICTS,
    "causes": CAUSE_CODES,
    "waiting": WAITING_FOR,
    "phrases": PHRASES,
    "needs": NEEDS,
    "roles": ROLES,
    "modes": MODES,
    "qualities": QUALITIES,
    "reasons": REASONS,
}
