"""`dutyroom rules check|test|list`: are the rule files right, and do their cases hold?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated
from xml.etree import ElementTree

import typer

from plant.catalogue import Catalogue
from plant.cataloguefile import load_catalogue
from plant.errors import BadInput, ConfigError
from plant.instants import duration_text
from rules.cases import CaseResult, check_cases, run_cases
from rules.loader import RuleSource, find_rule_files, load_sources
from rules.model import Rule

app = typer.Typer(no_args_is_help=True, help="Rules: check, test, list, explain, and try on the past.")

Pattern = Annotated[
    str | None,
    typer.Option(
        "--rules", metavar="GLOB", help="Rule files, e.g. 'site/rules/**/*.yaml'; default: the packaged pack."
    ),
]


@app.command()
def check(rules: Pattern = None) -> None:
    """Check rule files and their cases; every mistake is printed as file:line:column.

    Example: dutyroom rules check --rules 'site/rules/*.yaml'
    """
    catalogue = load_catalogue()
    sources = _load(rules, catalogue)
    problems = [problem for source in sources for problem in check_cases(source, catalogue)]
    if problems:
        raise ConfigError(*problems)
    cases = sum(len(source.cases) for source in sources)
    typer.echo(f"{len(sources)} rules and {cases} cases are in order", err=True)


@app.command("test")
def run_tests(
    rules: Pattern = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write the results as JUnit XML.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Name the cases that passed, too.")] = False,
) -> None:
    """Run the cases of rule files through the engine; exit 1 when one fails.

    Example: dutyroom rules test --rules 'rules/pack/CH/*.yaml' --junit build/rules.xml
    """
    catalogue = load_catalogue()
    results = [result for source in _load(rules, catalogue) for result in run_cases(source, catalogue)]
    if not results:
        raise BadInput("these rules have no cases; write some under cases:")
    for result in results:
        if not result.passed:
            typer.echo(f"FAILED {result.rule} {result.name}\n  {result.place}: {result.message}")
        elif verbose:
            typer.echo(f"passed {result.rule} {result.name}")
    if junit is not None:
        _write(junit, junit_xml(results))
    failed = sum(not result.passed for result in results)
    typer.echo(f"{len(results) - failed} passed, {failed} failed")
    if failed:
        raise typer.Exit(1)


@app.command("list")
def list_rules(
    rules: Pattern = None,
    form: Annotated[str, typer.Option("--format", metavar="table|jsonl", help="How to print.")] = "table",
) -> None:
    """List rules: id, types, severities with their delays, title.

    Example: dutyroom rules list --format jsonl
    """
    if form not in ("table", "jsonl"):
        raise BadInput(f"--format {form!r} is not known; use table or jsonl")
    for source in _load(rules, load_catalogue()):
        typer.echo(_json_line(source) if form == "jsonl" else _table_line(source.rule))


def junit_xml(results: list[CaseResult]) -> bytes:
    """The results as one JUnit suite for each rule."""
    root = ElementTree.Element("testsuites", tests=str(len(results)), failures=str(_failures(results)))
    for rule in dict.fromkeys(result.rule for result in results):
        mine = [result for result in results if result.rule == rule]
        suite = ElementTree.SubElement(
            root, "testsuite", name=rule, tests=str(len(mine)), failures=str(_failures(mine)), errors="0"
        )
        for result in mine:
            case = ElementTree.SubElement(suite, "testcase", classname=f"rules.{rule}", name=result.name)
            if not result.passed:
                failure = ElementTree.SubElement(case, "failure", message=result.message)
                failure.text = result.place
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def _load(pattern: str | None, catalogue: Catalogue) -> list[RuleSource]:
    return load_sources(None if pattern is None else find_rule_files(pattern), catalogue=catalogue)


def _failures(results: list[CaseResult]) -> int:
    return sum(not result.passed for result in results)


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise BadInput(f"cannot write {path}: {error.strerror}; does the folder exist?") from None


def _levels(rule: Rule) -> str:
    return " ".join(f"{level.severity.name}/{duration_text(level.for_ms)}" for level in rule.levels)


def _table_line(rule: Rule) -> str:
    return f"{rule.id:<8} {','.join(rule.applies_to):<16} {_levels(rule):<24} {rule.title.zh} · {rule.title.en}"


def _json_line(source: RuleSource) -> str:
    rule = source.rule
    row = {
        "id": rule.id,
        "version": rule.version,
        "applies_to": rule.applies_to,
        "levels": [{"severity": level.severity.name, "for_ms": level.for_ms} for level in rule.levels],
        "latching": rule.latching,
        "safety": rule.safety,
        "suppressed_by": rule.suppressed_by,
        "cases": len(source.cases),
        "zh": rule.title.zh,
        "en": rule.title.en,
        "source": rule.source,
        "file": source.file,
    }
    return json.dumps(row, ensure_ascii=False)
