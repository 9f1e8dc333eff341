"""`dutyroom doctor`: what is right and wrong with an installation, and what to do."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dutyroom.cli.options import ConfigFile
from dutyroom.doctor.findings import NAMES, Finding, worst
from dutyroom.doctor.visit import visit
from dutyroom.systemtime import system_now
from plant.catalogue import Text


class Format(StrEnum):
    """How the findings are printed."""

    TEXT = "text"
    JSON = "json"


class Language(StrEnum):
    """In which language."""

    ZH = "zh"
    EN = "en"


def doctor_command(
    config: ConfigFile = None,
    data: Annotated[Path | None, typer.Option("--data", help="The data folder; default from the settings.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Do not read the whole journal.")] = False,
    format: Annotated[Format, typer.Option(help="Lines for people, or one JSON document.")] = Format.TEXT,
    lang: Annotated[Language | None, typer.Option(help="zh or en; default from LC_ALL or LANG.")] = None,
) -> None:
    """Look at settings, data folder, disk, journal, broker, store and clock; exit 0 all is well, 1 warnings, 2 faults.

    Example: dutyroom doctor --config dutyroom.toml --lang zh
    """
    language = lang or _of_environment()
    findings = []
    for finding in visit(config, data, system_now(), quick=quick):
        findings.append(finding)
        if format is Format.TEXT:
            typer.echo(_line(finding, language))
    if format is Format.JSON:
        typer.echo(_json(findings, language))
    raise typer.Exit(int(worst(findings)))


def _of_environment() -> Language:
    named = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return Language.ZH if named.startswith("zh") else Language.EN


def _in(text: Text, language: Language) -> str:
    return text.zh if language is Language.ZH else text.en


def _line(finding: Finding, language: Language) -> str:
    line = f"{finding.grade.name.lower():<4}  {_in(NAMES[finding.check], language)}: {_in(finding.text, language)}"
    advice = _in(finding.advice, language)
    return f"{line}\n      → {advice}" if advice else line


def _json(findings: Sequence[Finding], language: Language) -> str:
    listed = [
        {
            "check": finding.check,
            "grade": finding.grade.name.lower(),
            "text": _in(finding.text, language),
            "advice": _in(finding.advice, language),
            "figures": dict(finding.figures),
        }
        for finding in findings
    ]
    return json.dumps({"grade": worst(findings).name.lower(), "findings": listed}, ensure_ascii=False, indent=1)
