"""The words people read about tickets, in the trade's Chinese and plain English: one table a noun."""

from __future__ import annotations

from collections.abc import Mapping

from maintenance.ledger.rows import Happening, NoticeKind, Phrase
from maintenance.ticket import CauseCode, Need, Resolution, State, Verdict, WaitingFor
from plant.catalogue import Text
from plant.severity import Severity

STATES: Mapping[State, Text] = {
    State.OPEN: Text("待确认", "Open"),
    State.ACKNOWLEDGED: Text("已确认", "Acknowledged"),
    State.IN_PROGRESS: Text("处理中", "In progress"),
    State.VERIFYING: Text("待验证", "Verifying"),
    State.CLOSED: Text("已关闭", "Closed"),
    State.PARKED: Text("待条件", "Parked"),
    State.ON_HOLD: Text("挂起", "On hold"),
    State.CANCELLED: Text("已取消", "Cancelled"),
}

RESOLUTIONS: Mapping[Resolution, Text] = {
    Resolution.VERIFIED: Text("验证通过", "Verified"),
    Resolution.SELF_CLEARED: Text("自行恢复", "Cleared by itself"),
    Resolution.UNVERIFIED: Text("未经验证关闭", "Closed unverified"),
    Resolution.COMPLETED: Text("人工完成", "Completed"),
    Resolution.FALSE_ALARM: Text("误报", "False alarm"),
    Resolution.DUPLICATE: Text("重复工单", "Duplicate"),
    Resolution.WITHDRAWN: Text("撤销", "Withdrawn"),
    Resolution.RETIRED: Text("设备停用", "Equipment retired"),
}

VERDICTS: Mapping[Verdict, Text] = {
    Verdict.REAL: Text("属实", "Real fault"),
    Verdict.FALSE: Text("误报", "False alarm"),
    Verdict.KNOWN: Text("已知问题", "Known"),
    Verdict.SENSOR: Text("传感器问题", "Sensor fault"),
}

CAUSE_CODES: Mapping[CauseCode, Text] = {
    CauseCode.WEAR: Text("磨损老化", "Worn or aged"),
    CauseCode.FOULING: Text("脏堵结垢", "Fouled or blocked"),
    CauseCode.LEAK: Text("泄漏", "Leak"),
    CauseCode.CONNECTION: Text("松动接触不良", "Loose or poor contact"),
    CauseCode.ELECTRICAL: Text("电气故障", "Electrical fault"),
    CauseCode.CONTROL: Text("控制器或执行器", "Controller or actuator"),
    CauseCode.SETTING: Text("设定值不当", "Wrong setting"),
    CauseCode.SENSOR: Text("传感器仪表", "Sensor or instrument"),
    CauseCode.OPERATION: Text("操作使用不当", "Wrong operation"),
    CauseCode.SUPPLY: Text("外部停供", "Supply from outside"),
    CauseCode.NOTHING_FOUND: Text("未发现异常", "Nothing found"),
}

WAITING_FOR: Mapping[WaitingFor, Text] = {
    WaitingFor.PARTS: Text("等备件", "Waiting for parts"),
    WaitingFor.ACCESS: Text("等进场许可", "Waiting for access"),
    WaitingFor.CONTRACTOR: Text("等维保单位", "Waiting for the contractor"),
    WaitingFor.SHUTDOWN: Text("等停机窗口", "Waiting for a shutdown"),
    WaitingFor.DECISION: Text("等审批", "Waiting for a decision"),
}

PHRASES: Mapping[Phrase, Text] = {
    Phrase.NO_HOT_WATER: Text("没有热水", "No hot water"),
    Phrase.TOO_HOT: Text("太热或烫人", "Too hot, or it scalds"),
    Phrase.TOO_COLD: Text("不够热或太冷", "Too cold"),
    Phrase.LEAK: Text("漏水", "It leaks"),
    Phrase.NOISE_OR_SMELL: Text("有异响或异味", "Noise or smell"),
    Phrase.NOT_RUNNING: Text("不运行", "It does not run"),
    Phrase.POWER: Text("停电跳闸", "No power, or it trips"),
    Phrase.OTHER: Text("其他问题", "Something else"),
}

SEVERITIES: Mapping[Severity, Text] = {
    Severity.P1: Text("紧急", "P1 urgent"),
    Severity.P2: Text("重要", "P2 serious"),
    Severity.P3: Text("一般", "P3 degraded"),
    Severity.P4: Text("提示", "P4 advisory"),
}

NOTICES: Mapping[NoticeKind, Text] = {
    NoticeKind.OPENED: Text("新工单", "New ticket"),
    NoticeKind.ESCALATED: Text("工单升级", "Ticket escalated"),
    NoticeKind.REOPENED: Text("故障复发,工单重新打开", "Fault came back, ticket re-opened"),
    NoticeKind.VERIFY_FAILED: Text("验证未通过,故障仍在", "Not repaired: the fault was seen again"),
    NoticeKind.ACKNOWLEDGE_OVERDUE: Text("超时未确认", "Not acknowledged in time"),
    NoticeKind.ARRIVE_OVERDUE: Text("超时未到场", "Nobody on site in time"),
    NoticeKind.RESTORE_OVERDUE: Text("超时未恢复", "Not restored in time"),
    NoticeKind.PARKED: Text("工单待条件:验证所需工况未出现", "Parked: the conditions for a proof have not come"),
    NoticeKind.STILL_PARKED: Text("工单仍待条件", "Still parked"),
    NoticeKind.CLOSED: Text("工单已结束", "Ticket finished"),
}

HAPPENINGS: Mapping[Happening, Text] = {
    Happening.RAISED: Text("告警成立", "Alarm raised"),
    Happening.LEVEL: Text("告警级别变化", "Alarm changed its level"),
    Happening.RELEASED: Text("上级原因已解除，告警单列", "Its cause is over, the alarm stands alone"),
    Happening.CLEARED: Text("告警恢复", "Alarm cleared"),
    Happening.VERIFIED: Text("遥测确认恢复", "The telemetry proved the repair"),
    Happening.VERIFY_FAILED: Text("验证未通过，故障再次出现", "Not repaired: the fault was seen again"),
    Happening.RESET: Text("复位告警", "Reset the alarm"),
    Happening.OPENED: Text("开单", "Opened the ticket"),
    Happening.JOINED: Text("同一告警再次出现，并入本单", "The alarm came again and joined this ticket"),
    Happening.MOVED: Text("变更状态", "Moved"),
    Happening.ACKNOWLEDGED: Text("确认", "Acknowledged"),
    Happening.ESCALATED: Text("升级", "Escalated"),
    Happening.OVERDUE: Text("超时", "Overdue"),
    Happening.LINKED: Text("归入上级工单", "Became part of a parent ticket"),
    Happening.COMMENTED: Text("备注", "Comment"),
    Happening.ASSIGNED: Text("派给", "Assigned to"),
    Happening.JUDGED: Text("判定", "Verdict"),
    Happening.DIAGNOSED: Text("原因", "Cause"),
    Happening.REPORTED: Text("再次报修", "Reported again"),
    Happening.PHOTO: Text("照片", "Photo"),
    Happening.MUTED: Text("检修静默", "Notices held"),
    Happening.UNMUTED: Text("结束静默", "Notices go out again"),
}

MOVES: Mapping[State, Text] = {
    State.OPEN: Text("工单重新打开", "Re-opened"),
    State.ACKNOWLEDGED: Text("确认接单", "Acknowledged"),
    State.IN_PROGRESS: Text("开始处理", "Started work"),
    State.VERIFYING: Text("完成，转待验证", "Said to be done, to be verified"),
    State.CLOSED: Text("关闭", "Closed"),
    State.PARKED: Text("转待条件", "Parked"),
    State.ON_HOLD: Text("挂起", "Put on hold"),
    State.CANCELLED: Text("取消", "Cancelled"),
}

NEEDS: Mapping[Need, Text] = {
    Need.REASON: Text("要写原因", "a reason"),
    Need.RULE: Text("要有能验证的规则", "a rule that can prove it"),
    Need.NO_RULE: Text("只限没有规则的工单", "a ticket without a rule"),
    Need.UNACKNOWLEDGED: Text("只限还没有人确认", "that nobody has acknowledged it yet"),
    Need.NOT_STARTED: Text("只限还没有开始处理", "that work has not begun"),
    Need.CHILDREN_FINISHED: Text("子工单要先结束", "that its child tickets are finished"),
}

NOTICE_LINE = Text(
    "【{severity}】{what}:{equipment} {subject}({id},{state})",
    "[{severity}] {what}: {equipment}, {subject} ({id}, {state})",
)
