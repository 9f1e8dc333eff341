"""Metrics made of others: a template's members and the columns of a data set, as metrics by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from google.protobuf.message import DecodeError

from ingest.decoders.sparkplug.metrics import Definition, definition
from ingest.decoders.sparkplug.payload_pb2 import DataSet, Metric, Template
from ingest.reasons import Rejected, RejectReason

DEPTH = 8
"""Templates within templates; deeper ones are refused."""

_LONGEST_NAME = 256
"""Characters of a dotted name: each member repeats the names of all that it is in."""

_STRUCTURES = ("dataset_value", "template_value")


def is_structure(metric: Metric) -> bool:
    """Whether the value is a data set or a template."""
    return metric.WhichOneof("value") in _STRUCTURES


def definitions(metrics: Iterable[Metric], depth: int = DEPTH) -> Iterator[Definition]:
    """What a birth defines: each metric that has a name, and below a structure everything that is in it."""
    for metric in metrics:
        if metric.name:
            yield definition(metric)
            if depth and is_structure(metric):
                inside = (one for one in members(metric, metric.name) if isinstance(one, Metric))
                yield from definitions(inside, depth - 1)


def members(metric: Metric, name: str) -> Iterator[Metric | Rejected]:
    """What is in the structure called `name`, one level down: `name.member`, or `name.column` of a data set's one row.

    A member has the time, the age and the properties of its structure where it has none of its own; one that comes by
    alias is left without a name. The definition of a template is no value: there is nothing in it.
    """
    inside = _of_template if metric.WhichOneof("value") == "template_value" else _of_data_set
    found = inside(metric, name)
    if isinstance(found, Rejected):
        yield found
        return
    for one in found:
        if one.name and len(name) + len(one.name) >= _LONGEST_NAME:
            detail = f"{name[:60]}….{one.name[:60]} is longer than {_LONGEST_NAME} characters; give it a shorter name"
            yield Rejected(RejectReason.TOO_LARGE, detail, name)
            return
        if one.name:
            one.name = f"{name}.{one.name}"
        if not one.HasField("timestamp") and metric.HasField("timestamp"):
            one.timestamp = metric.timestamp
        if not one.HasField("properties") and metric.HasField("properties"):
            one.properties.CopyFrom(metric.properties)
        one.is_historical = one.is_historical or metric.is_historical
        yield one


def too_deep(name: str) -> Rejected:
    """The refusal of a template in more than DEPTH others."""
    detail = f"{name[:200]} is in more than {DEPTH} templates, one within the other; expected fewer"
    return Rejected(RejectReason.TOO_LARGE, detail, name)


def _of_template(metric: Metric, name: str) -> list[Metric] | Rejected:
    try:
        template = Template.FromString(metric.template_value)
    except DecodeError:
        return _broken(name, "template")
    return [] if template.is_definition else list(template.metrics)


def _of_data_set(metric: Metric, name: str) -> list[Metric] | Rejected:
    try:
        table = DataSet.FromString(metric.dataset_value)
    except DecodeError:
        return _broken(name, "data set")
    if not table.rows:
        return []
    if len(table.rows) > 1:
        detail = f"{name} is a data set of {len(table.rows)} rows; one is read, for nothing tells which row is whose"
        return Rejected(RejectReason.NOT_A_VALUE, detail, name)
    cells = table.rows[0].elements
    if not len(table.columns) == len(table.types) == len(cells):
        counts = f"{len(table.columns)} columns, {len(table.types)} types and {len(cells)} values"
        return Rejected(RejectReason.NOT_A_FRAME, f"{name} is a data set of {counts}; expected as many of each", name)
    found = []
    for column, datatype, cell in zip(table.columns, table.types, cells, strict=True):
        field = cell.WhichOneof("value")
        one = Metric(name=column, datatype=datatype, is_null=field is None)
        if field is not None:
            setattr(one, field, getattr(cell, field))
        found.append(one)
    return found


def _broken(name: str, kind: str) -> Rejected:
    return Rejected(RejectReason.NOT_PROTOBUF, f"{name} is no {kind}; expected one as of Sparkplug 3.0", name)
