"""The words for the parts of the service, what ails them, and why messages are refused."""

from __future__ import annotations

from collections.abc import Mapping

from api.deps import Trouble
from ingest.mqtt.dangers import Danger
from ingest.reasons import RejectReason
from maintenance.channels import LOGGED
from maintenance.ledger.rows import NoticeState
from plant.catalogue import Text

REJECTS: Mapping[RejectReason, Text] = {
    RejectReason.NOT_UTF8: Text("不是 UTF-8 文本", "Not UTF-8 text"),
    RejectReason.NOT_JSON: Text("不是 JSON", "Not JSON"),
    RejectReason.NOT_A_FRAME: Text("格式与主题不符", "Not of the shape its topic has"),
    RejectReason.TOO_LARGE: Text("报文过大", "Too large"),
    RejectReason.UNKNOWN_TOPIC: Text("主题未登记", "Topic is bound to nothing"),
    RejectReason.UNKNOWN_EQUIPMENT: Text("设备未登记", "Unknown equipment"),
    RejectReason.UNKNOWN_POINT: Text("测点未登记", "Unknown point"),
    RejectReason.WRONG_UNIT: Text("单位不符", "Wrong unit"),
    RejectReason.NOT_A_VALUE: Text("不是数值", "Not a value"),
    RejectReason.BAD_TIME: Text("时标无效", "Time cannot be read"),
    RejectReason.BAD_QUALITY: Text("质量码无效", "Unknown quality word"),
    RejectReason.FLOOD: Text("消息过多，超出限额", "Flood, beyond its allowance"),
    RejectReason.NOT_PROTOBUF: Text("不是 Sparkplug 报文", "Not a Sparkplug payload"),
    RejectReason.NOT_BORN: Text("未收到设备上线报文（BIRTH）", "Birth of the device not seen"),
    RejectReason.SEQUENCE_GAP: Text("报文序号不连续，有丢失", "Message before it is missing"),
    RejectReason.UNKNOWN_ALIAS: Text("别名未在上线报文中定义", "Alias its birth did not define"),
    RejectReason.CODEC_MISSING: Text("网络服务器未配置解码器", "Network server has no codec for it"),
    RejectReason.SIMULATED: Text("控制台模拟的上行，非实测", "Simulated uplink, not measured"),
}

NOTICES: Mapping[NoticeState, Text] = {
    NoticeState.WAITING: Text("待发送", "Waiting"),
    NoticeState.SENT: Text("已发送", "Sent"),
    NoticeState.DEAD: Text("发送失败", "Given up"),
    NoticeState.HELD: Text("静默中", "Held by a mute"),
    NoticeState.DROPPED: Text("已被取代", "Overtaken"),
}

TROUBLES: Mapping[str, Text] = {
    Trouble.ENDED: Text("已停止，原因见运行日志", "has ended; the service's log says why"),
    Trouble.WAITS: Text("等待外部恢复，详情见运行日志", "waits for something outside; the service's log says for what"),
}

DANGERS: Mapping[Danger, Text] = {
    Danger.QOS_0_ONLY: Text(
        "只以 QoS 0 下发，断线期间的报文会丢失", "delivers at QoS 0 only: an absence loses messages"
    ),
    Danger.SESSION_SHORT: Text(
        "会话保留时间比要求的短，长时间断线会丢失报文", "keeps our session too short: a long absence loses messages"
    ),
}
"""Limits of a broker that endanger us; `dutyroom doctor` measures them and says what to set."""

PARTS: Mapping[str, Text] = {
    "broker": Text("MQTT 服务器", "Broker"),
    "journal": Text("原始日志", "Journal"),
    "rules": Text("规则引擎", "Rules engine"),
    "store": Text("历史库", "History store"),
    "relay": Text("指令转发", "Relay of commands"),
    "discovery": Text("设备识别", "Discovery of devices"),
    "ledger": Text("台账库", "Ledger"),
    "history": Text("历史库", "History store"),
}
"""Parts of the data path by their names in `Live.faults`, `Live.consumers` and the probes."""

CHANNELS: Mapping[str, Text] = {
    "log": Text("运行日志", "Service log"),
    "webhook": Text("Webhook", "Webhook"),
}
"""Channels by name; one that a site has named itself is shown as it is written."""


def reject_text(reason: str) -> Text:
    """The words for a reason as it is stored; the bare word for one of a later version."""
    return REJECTS[RejectReason(reason)] if reason in set(RejectReason) else Text(reason, reason)


def trouble_text(why: str) -> Text:
    """The words for what ails a part."""
    return TROUBLES.get(why, Text(why, why))


def probe_text(why: str) -> Text:
    """The words for what a probe of `api.probes` has found: no answer, or the kind of an error."""
    return Text("无应答", why) if "does not answer" in why else Text(f"出错（{why}）", f"fails ({why})")


def part_text(part: str) -> Text:
    """The words for a part."""
    return PARTS.get(part, Text(part, part))


def channel_text(channel: str) -> Text:
    """The words for a channel."""
    return CHANNELS.get(channel, Text(channel, channel))


def answer_text(answer: str) -> Text:
    """What a channel answered: the service's own word in both languages, anybody else's as it came."""
    return Text("已写入", "written") if answer == LOGGED else Text(answer, answer)
