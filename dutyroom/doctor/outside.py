"""What the installation stands on: the running service itself, InfluxDB, and the clocks."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from dutyroom.doctor.findings import Finding, bad, failed, ok, warn
from dutyroom.doctor.folder import lag
from dutyroom.settings import HttpSettings, StoreSettings
from history.influxql import InfluxAddress, call, client
from history.influxsetup import check_access
from plant.catalogue import Text
from plant.errors import DutyroomError

_SKEW_MS = 2_000
_BEHIND_MS = 30_000
_UNSYNCHRONISED = 5  # TIME_ERROR of adjtimex(2)
_OUTCOMES = {
    "dutyroom_messages_total": "messages",
    "dutyroom_messages_unaccounted": "unaccounted",
    **{f"dutyroom_{name}_messages_total": name for name in ("read", "refused", "empty", "repeated", "flooded")},
}
_TIMEX_BYTES = 512  # struct timex has 208


@dataclass(frozen=True, slots=True)
class Answered:
    """What a running service says of itself: why it is not ready, each consumer's lag, its plant time in ms."""

    reasons: tuple[str, ...]
    lags: dict[str, int]
    plant_time: int | None
    outcomes: dict[str, int] = field(default_factory=dict)
    """What became of the messages judged since it started; `messages` is all of them, `unaccounted` should be 0."""


def ask_service(http: HttpSettings) -> Answered | None:
    """Ask the service on this machine; None when nobody answers as one."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(http.host, http.host)  # noqa: S104  # where it listens, not we
    base = f"http://{host}:{http.port}"
    try:
        with httpx2.Client(base_url=base, timeout=10, trust_env=False) as asking:
            ready, metrics = asking.get("/readyz"), asking.get("/metrics")
        if metrics.is_error:
            return None
        reasons = () if ready.status_code == 200 else tuple(ready.json().get("reasons") or [ready.text[:200]])
    except (httpx2.TransportError, ValueError):
        return None
    lags, plant_time, outcomes = {}, None, dict[str, int]()
    for family in text_string_to_metric_families(metrics.text):
        for sample in family.samples:
            if sample.name == "dutyroom_consumer_lag":
                lags[sample.labels["consumer"]] = int(sample.value)
            elif sample.name == "dutyroom_plant_time_seconds":
                plant_time = round(sample.value * 1_000)
            elif sample.name in _OUTCOMES:
                outcomes[_OUTCOMES[sample.name]] = int(sample.value)
    return Answered(reasons, lags, plant_time, outcomes)


def check_service(writer: str | None, answered: Answered | None, http: HttpSettings) -> Iterator[Finding]:
    """Whether a service runs on the folder, and what it says of itself."""
    if writer is None:
        yield ok("service", "未运行", "does not run")
        return
    if answered is None:
        yield warn(
            "service",
            Text(
                f"进程 {writer} 占用数据目录，但 {http.host}:{http.port} 无应答",
                f"process {writer} holds the data folder, but nobody answers on {http.host}:{http.port}",
            ),
            Text(
                "若刚启动稍后再查；核对 http.host 与 http.port",
                "if it has just started, ask again; compare http.host and http.port",
            ),
        )
    elif answered.reasons:
        words = "; ".join(answered.reasons)
        yield bad(
            "service",
            Text(f"进程 {writer} 未就绪：{words}", f"process {writer} is not ready: {words}"),
            Text("看服务日志", "its log says more"),
        )
    else:
        yield ok("service", f"运行中（进程 {writer}），已就绪", f"runs as process {writer}, ready")
    if answered is not None and answered.outcomes:
        yield _conserved(answered.outcomes)
    if answered is not None and "store" in answered.lags:
        yield lag("history", answered.lags["store"], runs=True)


def _conserved(outcomes: dict[str, int]) -> Finding:
    """Whether of every message judged it is known what became: the same figures as on /metrics and the health page."""
    figures = {name: float(count) for name, count in outcomes.items()}
    read, refused, flooded, empty, repeated = (
        outcomes.get(name, 0) for name in ("read", "refused", "flooded", "empty", "repeated")
    )
    zh = (
        f"报文 {outcomes['messages']} 条：有读数 {read}、拒收 {refused}、超频丢弃 {flooded}、"
        f"无读数 {empty}、重复 {repeated}"
    )
    en = (
        f"{outcomes['messages']} messages: {read} with readings, {refused} refused, {flooded} dropped in floods, "
        f"{empty} empty, {repeated} repeated"
    )
    if not outcomes.get("unaccounted"):
        return ok("messages", zh, en, **figures)
    return bad(
        "messages",
        Text(f"{zh}；{outcomes['unaccounted']} 条去向不明", f"{en}; {outcomes['unaccounted']} unaccounted for"),
        Text("请把日志和 journal export 发给开发者", "a fault of ours: send us the log and a journal export"),
        **figures,
    )


def check_influx(store: StoreSettings, now: int) -> Iterator[Finding]:
    """Reachable, our token works, and its clock agrees with ours."""
    address = InfluxAddress(store.url, store.token.get_secret_value(), store.org, store.bucket)
    try:
        with client(address) as http:
            theirs = call(http, "GET", "/health").headers.get("date")
        check_access(address)
    except DutyroomError as error:
        yield failed("history", error)
        return
    yield ok(
        "history",
        f"InfluxDB {store.url}：令牌可读写 {store.bucket}",
        f"InfluxDB {store.url}: the token may read and write {store.bucket}",
    )
    if theirs is None:
        return
    skew = round(parsedate_to_datetime(theirs).timestamp() * 1_000) - now
    if abs(skew) > _SKEW_MS:
        yield warn(
            "clock",
            Text(
                f"InfluxDB 的时钟与本机相差 {skew / 1000:+.0f} s",
                f"InfluxDB's clock differs from ours by {skew / 1000:+.0f} s",
            ),
            Text("两台机器都启用 NTP", "let both machines follow NTP"),
            skew_ms=skew,
        )


def check_clock(plant_time: int | None, now: int, *, system: bool) -> Iterator[Finding]:
    """Whether the system's clock follows a time server, and a running plant clock follows the system's."""
    if _unsynchronised():
        yield warn(
            "clock",
            Text("系统时钟未与时间服务器同步", "the system's clock does not follow a time server"),
            Text("启用 chrony 或 systemd-timesyncd", "run chrony or systemd-timesyncd"),
        )
    else:
        yield ok("clock", "系统时钟已同步", "the system's clock follows a time server")
    if plant_time is None or not system:
        return
    behind = now - plant_time
    if abs(behind) > _BEHIND_MS:
        yield warn(
            "clock",
            Text(f"站点时钟落后 {behind / 1000:.0f} s", f"the plant's clock is {behind / 1000:.0f} s behind"),
            Text(
                "消息服务器断开或正在补读积压时属正常", "as it should be while the broker is away or a backlog is read"
            ),
            behind_ms=behind,
        )


def _unsynchronised() -> bool:
    """What the kernel says, asked without changing anything; false where it cannot be asked."""
    ask = getattr(ctypes.CDLL(None), "adjtimex", None)
    return ask is not None and ask(ctypes.create_string_buffer(_TIMEX_BYTES)) == _UNSYNCHRONISED
