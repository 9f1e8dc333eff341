"""What Prometheus scrapes: labels name kinds of things, never a point, a topic or a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from fastapi.responses import Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from api.deps import Collected, Counted, Live
from api.office import AnOffice
from api.probes import lags
from api.queries import Numbers, numbers
from api.threads import thread_seconds
from plant.errors import DutyroomError
from plant.instants import NEVER


class _Families(Collector):
    """Metric families made for one scrape."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families


async def metrics(office: AnOffice) -> Response:
    """Counters and gauges in Prometheus' text format."""
    live = office.deps.live.look()
    families = [
        *_data_path(live),
        *_counted(live.counted),
        _threads(),
        _gauge("streams", "Live streams open", office.places.taken),
    ]
    removed = office.deps.photos.removed
    families.append(
        CounterMetricFamily("dutyroom_photos_removed", "Photos removed that no ticket named", value=removed)
    )
    try:
        families += _ledger(await office.read(numbers), live.plant_time)
        readable = 1
    except DutyroomError:
        readable = 0  # the other figures are still worth having
    families.append(_gauge("ledger_readable", "1 when the ledger could be asked for this scrape", readable))
    registry = CollectorRegistry()
    registry.register(_Families(families))
    text = generate_latest(office.meters.registry) + generate_latest(registry)
    return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)


def _data_path(live: Live) -> Iterator[Metric]:
    if live.plant_time != NEVER:
        yield _gauge("plant_time_seconds", "Plant time, seconds since 1970", live.plant_time / 1000)
    if live.collected is not None:
        yield from _collected(live.collected)
    yield _gauge("listening", "1 while the site is being listened to", live.listening)
    yield _gauge("broker_connected", "1 while the broker is connected", live.broker_connected)
    yield _gauge("journal_offset", "Offset of the newest durable journal entry", live.journal_offset)
    yield _gauges("consumer_offset", "Journal offset a consumer has done", "consumer", live.consumers)
    yield _gauges("consumer_lag", "Journal entries a consumer still has to read", "consumer", lags(live))
    yield _gauges("fault", "1 for each part that does not work", "part", dict.fromkeys(live.faults, 1))


def _collected(collected: Collected) -> Iterator[Metric]:
    yield _gauge("messages_waiting", "Messages received and not yet durable", collected.waiting)
    dangers = GaugeMetricFamily(
        "dutyroom_broker_danger", "1 for each limit of a broker that endangers us", labels=["broker", "danger"]
    )
    for name, found in sorted(collected.dangers.items()):
        for danger in found:
            dangers.add_metric([name, danger.value], 1)
    yield dangers
    yield _gauges("broker_up", "1 while this broker is connected", "broker", collected.brokers)
    for name, help, value in (
        ("messages_received", "MQTT messages received", collected.received),
        ("messages_acknowledged", "MQTT messages acknowledged after they were durable", collected.acked),
        ("messages_dropped", "MQTT messages of QoS 0 for which there was no room", collected.dropped),
        ("broker_stalls_healed", "Connections made anew because the broker sent no more", collected.stalls_healed),
        ("broker_sessions_lost", "Times the broker had forgotten our session", collected.sessions_lost),
        ("messages_own", "MQTT messages received that are the service's own and are not judged", collected.own),
        ("broker_malformed", "Connections ended because what came was no MQTT", collected.malformed),
        ("clock_back", "Published clock messages that would have gone back in time", collected.clock_back),
    ):
        yield CounterMetricFamily(f"dutyroom_{name}", help, value=value)


def _counted(counted: Counted) -> Iterator[Metric]:
    for name, help, value in (
        ("messages", "MQTT messages judged", counted.messages),
        ("readings", "Readings taken from messages", counted.readings),
        ("read_messages", "Messages that gave a reading", counted.read),
        ("refused_messages", "Messages that gave reasons and no reading", counted.refused),
        ("flooded_messages", "Messages dropped because their topic floods", counted.flooded),
        ("empty_messages", "Messages that rightly hold no reading", counted.empty),
        ("repeated_messages", "Messages that held only duplicates", counted.repeated),
        ("duplicate_readings", "Readings dropped as duplicates", counted.duplicates),
        ("conflicting_readings", "Readings that overrule one of the same time", counted.conflicts),
        ("requests", "Requests to edge nodes to be born again", counted.requests),
        ("requests_dropped", "Requests for which there was no room", counted.requests_dropped),
        ("redecoded_messages", "Messages of the past decoded again once bound", counted.redecoded_messages),
        ("redecoded_readings", "Readings stored from them, beside those of the present", counted.redecoded_readings),
        ("discovered_evicted", "Unbound topic families forgotten for want of room", counted.families_evicted),
    ):
        yield CounterMetricFamily(f"dutyroom_{name}", help, value=value)
    yield _gauge("messages_unaccounted", "Messages judged of which nobody knows what became", counted.unaccounted)
    yield _gauge("discovered_families", "Topic families that nobody has bound", counted.families)
    rejected = CounterMetricFamily("dutyroom_rejected", "Messages or values refused", labels=["reason"])
    for reason, count in sorted(counted.rejected.items()):
        rejected.add_metric([reason], count)
    yield rejected
    repaired = CounterMetricFamily("dutyroom_repaired", "Doubtful readings decided by the next one", labels=["kind"])
    for kind, count in sorted(counted.repaired.items()):
        repaired.add_metric([kind], count)
    yield repaired


def _threads() -> Metric:
    spent = CounterMetricFamily("dutyroom_thread_cpu_seconds", "Processor time of each thread", labels=["thread"])
    for name, seconds in sorted(thread_seconds().items()):
        spent.add_metric([name], seconds)
    return spent


def _ledger(found: Numbers, now: int) -> Iterator[Metric]:
    tickets = GaugeMetricFamily("dutyroom_tickets", "Tickets by state and severity", labels=["state", "severity"])
    for (state, severity), count in sorted(found.tickets.items()):
        tickets.add_metric([state.value, severity.name], count)
    yield tickets
    by_name = {severity.name: count for severity, count in found.alarms.items()}
    yield _gauges("alarms_active", "Active alarms by severity", "severity", by_name)
    by_state = {state.value: count for state, count in found.notices.items()}
    yield _gauges("notices", "Notices not yet sent (waiting) or given up (dead)", "state", by_state)
    age = 0 if found.oldest_notice_at is None else max(0, now - found.oldest_notice_at) / 1000
    yield _gauge("oldest_notice_seconds", "Age in plant time of the oldest notice still waiting", age)


def _gauge(name: str, help: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"dutyroom_{name}", help, value=float(value))


def _gauges(name: str, help: str, label: str, values: Mapping[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"dutyroom_{name}", help, labels=[label])
    for key, value in sorted(values.items()):
        family.add_metric([key], value)
    return family
