"""Roll-ups in InfluxDB: five minutes from raw readings, an hour from five minutes, by tasks of InfluxDB's own.

A point `p` becomes `p__min`, `p__mean`, `p__max` and `p__count`, each row at the beginning of its window. A window of
five minutes in which any reading of the point was BAD is left out, because a sentinel of 850 is no maximum. An hour is
the least and greatest of its windows, the mean of their means (so a burst of readings weighs no more than its five
minutes) and the sum of their counts.
"""

from __future__ import annotations

from dataclasses import dataclass

_FIVE_MINUTES = """import "date"
import "strings"

option task = {{name: "{task}", every: 5m, offset: 1m}}

// six windows each time, so that what comes up to 25 minutes late is in
start = date.truncate(t: date.sub(d: 30m, from: now()), unit: 5m)
stop = date.truncate(t: now(), unit: 5m)
line = ["_measurement", "site", "equipment", "_field"]

bad = from(bucket: "{source}")
    |> range(start: start, stop: stop)
    |> filter(fn: (r) => r._field =~ /__q$/)
    |> filter(fn: (r) => r._value % 10000 >= 2000)
    |> aggregateWindow(every: 5m, fn: count, createEmpty: false, timeSrc: "_start")
    |> map(fn: (r) => ({{r with _field: strings.trimSuffix(v: r._field, suffix: "__q"), _value: float(v: r._value)}}))
    |> set(key: "kind", value: "bad")
    |> group(columns: line)

roll = (fn, name) => {{
    values = from(bucket: "{source}")
        |> range(start: start, stop: stop)
        |> filter(fn: (r) => r._field !~ /__(q|seen)$/)
        |> aggregateWindow(every: 5m, fn: fn, createEmpty: false, timeSrc: "_start")
        |> toFloat()
        |> set(key: "kind", value: "value")
        |> group(columns: line)
    return union(tables: [values, bad])
        |> pivot(rowKey: ["_time"], columnKey: ["kind"], valueColumn: "_value")
        |> filter(fn: (r) => exists r.value and not exists r.bad)
        |> map(fn: (r) => ({{
            _time: r._time, _measurement: r._measurement, site: r.site, equipment: r.equipment,
            _field: r._field + "__" + name, _value: r.value,
        }}))
        |> group(columns: line)
        |> to(bucket: "{target}")
}}

roll(fn: min, name: "min") |> yield(name: "min")
roll(fn: mean, name: "mean") |> yield(name: "mean")
roll(fn: max, name: "max") |> yield(name: "max")
roll(fn: count, name: "count") |> yield(name: "count")
"""

_HOUR = """import "date"

option task = {{name: "{task}", every: 1h, offset: 3m}}

start = date.truncate(t: date.sub(d: 3h, from: now()), unit: 1h)
stop = date.truncate(t: now(), unit: 1h)

roll = (fn, name) => from(bucket: "{source}")
    |> range(start: start, stop: stop)
    |> filter(fn: (r) => r._field =~ name)
    |> aggregateWindow(every: 1h, fn: fn, createEmpty: false, timeSrc: "_start")
    |> to(bucket: "{target}")

roll(fn: min, name: /__min$/) |> yield(name: "min")
roll(fn: mean, name: /__mean$/) |> yield(name: "mean")
roll(fn: max, name: /__max$/) |> yield(name: "max")
roll(fn: sum, name: /__count$/) |> yield(name: "count")
"""


@dataclass(frozen=True, slots=True)
class Rollup:
    """One step: the end of its bucket's name, the end of its source's name, and the task that fills it."""

    suffix: str
    source: str
    template: str

    def bucket(self, raw: str) -> str:
        """Name of the bucket that is filled."""
        return raw + self.suffix

    def task(self, raw: str) -> str:
        """Name of the task."""
        return f"dutyroom {self.bucket(raw)}"

    def flux(self, raw: str) -> str:
        """The task's text. Names are quoted as Flux strings."""
        names = {"task": self.task(raw), "source": raw + self.source, "target": self.bucket(raw)}
        return self.template.format(**{key: _escaped(name) for key, name in names.items()})


ROLLUPS = (Rollup("_5m", "", _FIVE_MINUTES), Rollup("_1h", "_5m", _HOUR))


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${")
