"""`dutyroom rules backtest` and `explain`: what rules would have said about the past, and why."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table as Grid

from dutyroom.cli.options import (
    ConfigFile,
    EquipmentOption,
    FromOption,
    IntervalOption,
    MapOption,
    ParamOption,
    RowsOf,
    ToOption,
    ZoneOption,
    instant_or_none,
    table_options,
    zone_of,
)
from dutyroom.content import Content
from dutyroom.settings import Settings, load_settings
from dutyroom.stores import open_store
from dutyroom.tablefile import Table, read_table
from ingest.intake import Intake
from maintenance.ledger.ledger import Ledger
from plant.cataloguefile import load_catalogue
from plant.errors import BadInput, NotFound
from plant.instants import iso
from plant.reading import ReadingBatch
from rules.backtest import AlarmSpan, backtest
from rules.loader import find_rule_files, load_pack
from rules.model import Rule

RulesOption = Annotated[str | None, typer.Option("--rules", help="Glob of rule files; default: the packaged pack.")]
FormatOption = Annotated[str, typer.Option("--format", help="table or jsonl.")]


def backtest_command(
    data: Annotated[Path | None, typer.Option("--data", help="A CSV file; without it, the store is read.")] = None,
    equipment: EquipmentOption = [],  # noqa: B006 - typer copies it
    rows_of: RowsOf = None,
    maps: MapOption = None,
    params: ParamOption = None,
    interval: IntervalOption = None,
    tz: ZoneOption = "UTC",
    rules: RulesOption = None,
    form: FormatOption = "table",
    start: FromOption = None,
    end: ToOption = None,
    config: ConfigFile = None,
    folder: Annotated[Path | None, typer.Option("--store", help="The data folder of a stopped service.")] = None,
) -> None:
    """Alarms that rules would have raised over a file, or over what the store holds.

    Example: dutyroom rules backtest --data ahu7.csv.gz --equipment AHU7:ahu --format jsonl
    """
    if form not in ("table", "jsonl"):
        raise BadInput(f"--format {form}: expected table or jsonl")
    if data is None:
        spans = over_store(load_settings(config, folder), equipment, rules=rules, start=start, end=end, tz=tz)
    else:
        options = table_options(
            equipment, rows_of=rows_of, maps=maps, params=params, interval=interval, tz=tz, start=start, end=end
        )
        catalogue = load_catalogue()
        chosen = load_pack(find_rule_files(rules) if rules else None, catalogue=catalogue)
        table = read_table(data, options, catalogue)
        talk_about(table)
        spans = over_table(table, chosen)
    write(spans, form)


def talk_about(table: Table) -> None:
    """What was made of a file, on stderr."""
    if table.left_out:
        typer.echo(f"left out, no point of the type: {', '.join(table.left_out)}", err=True)
    typer.echo(f"interval {table.interval_ms / 1000:g} s, {len(table.rows)} rows", err=True)


def over_table(table: Table, rules: Sequence[Rule]) -> list[AlarmSpan]:
    """A file through intake and engine."""
    batch = Intake(table.plant).feed_many(list(table.entries())).batch
    return backtest(table.plant, rules, batch, table.last)


def over_store(
    settings: Settings, equipment: Sequence[str], *, rules: str | None, start: str | None, end: str | None, tz: str
) -> list[AlarmSpan]:
    """What the store holds, by the configuration last put in force."""
    zone = zone_of(tz)
    with ExitStack() as stack:
        ledger = stack.enter_context(Ledger.open(settings.data / "ledger.db"))
        latest = ledger.latest_config()
        if latest is None:
            raise NotFound(f"{settings.data} holds no plant; put one in by `dutyroom plant import`")
        content = Content.decode(latest.content)
        store = stack.enter_context(open_store(settings, content.plant.site.id))
        names = {text.partition(":")[0] for text in equipment}
        table = content.plant.series
        keys = [key for key in table.keys if not names or key.equipment in names]
        span = store.span(keys)
        if span is None:
            return []
        first = instant_or_none(start, zone)
        last = instant_or_none(end, zone)
        low = span[0] if first is None else first
        high = span[1] + 1 if last is None else min(last, span[1] + 1)
        batch: ReadingBatch = store.rows(keys, table, low, high)
    chosen = load_pack(find_rule_files(rules), catalogue=content.plant.catalogue) if rules else content.rules
    return backtest(content.plant, chosen, batch, high - 1, file=False)


def write(spans: Sequence[AlarmSpan], form: str) -> None:
    """Alarm spans as JSON lines or as a table."""
    if form == "jsonl":
        for span in spans:
            typer.echo(msgspec.json.encode(as_row(span)).decode())
        return
    grid = Grid("raised", "severity", "equipment", "rule", "onset", "cleared")
    for span in spans:
        cleared = iso(span.cleared_at) if span.cleared_at is not None else "active"
        grid.add_row(iso(span.raised_at), span.severity.name, span.equipment, span.rule, iso(span.onset_at), cleared)
    Console().print(grid)


def as_row(span: AlarmSpan) -> dict[str, str | None]:
    """One alarm as the line that checkers read."""
    return {
        "equipment": span.equipment,
        "rule": span.rule,
        "severity": span.severity.name,
        "onset_at": iso(span.onset_at),
        "raised_at": iso(span.raised_at),
        "cleared_at": None if span.cleared_at is None else iso(span.cleared_at),
    }


def explain_command(
    rule: Annotated[str, typer.Argument(help="Id of a rule, e.g. CH-04.")], rules: RulesOption = None
) -> None:
    """A rule in plain text: when it raises and clears, on what, and what to check first.

    Example: dutyroom rules explain CH-04
    """
    pack = load_pack(find_rule_files(rules) if rules else None, catalogue=load_catalogue())
    found = next((item for item in pack if item.id == rule), None)
    if found is None:
        raise NotFound(f"there is no rule {rule!r}; there are {', '.join(item.id for item in pack)}")
    for line in explain(found):
        typer.echo(line)


def explain(rule: Rule) -> list[str]:
    """The lines of `explain`."""
    lines = [f"{rule.id}  {rule.title.zh} / {rule.title.en}", f"applies to: {', '.join(rule.applies_to)}"]
    if rule.gate:
        lines.append(f"judged only while: {rule.gate}")
    for level in rule.levels:
        held, back = level.for_ms / 1000, level.clear_for_ms / 1000
        lines.append(f"{level.severity.name}: {level.when}  for {held:g} s; clear: {level.clear}  for {back:g} s")
    for param in rule.params.values():
        lines.append(
            f"  {param.name} = {param.default:g} {param.unit} ({param.low:g} to {param.high:g}): {param.text.en}"
        )
    if rule.latching:
        lines.append("stays until a person resets it")
    if rule.suppressed_by:
        lines.append(f"waits for: {', '.join(rule.suppressed_by)}")
    lines += [f"cause: {text.zh} / {text.en}" for text in rule.causes]
    lines += [f"check: {text.zh} / {text.en}" for text in rule.first_check]
    lines.append(f"source: {rule.source}")
    return lines
