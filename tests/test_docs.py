"""The documents are true: links lead somewhere, every command is in the README, the changelog has room for the next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from dutyroom.cli import app
from ingest.decoders import FORMATS
from tests.support.house import ROOT, tracked_files

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_COMMAND = re.compile(r"`(dutyroom(?: [a-z][a-z-]*){1,2})(?=[ `])")
_TARGET = re.compile(r"^([a-z]+):.*## ", re.MULTILINE)


def commands(group: typer.Typer, words: tuple[str, ...] = ("dutyroom",)) -> Iterator[str]:
    """Every command of the group in full, such as `dutyroom rules check`."""
    for command in group.registered_commands:
        name = command.name or (command.callback.__name__.replace("_", "-") if command.callback else "")
        yield " ".join([*words, name])
    for inner in group.registered_groups:
        if inner.typer_instance is not None:
            yield from commands(inner.typer_instance, (*words, str(inner.name)))


def promised(readme: str) -> set[str]:
    """Commands a README names: `dutyroom rules check pack/` is `dutyroom rules check`."""
    return set(_COMMAND.findall(readme))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(document: Path) -> None:
    links = [link.split("#")[0] for link in _LINK.findall(document.read_text(encoding="utf-8"))]
    files = [link for link in links if link and "://" not in link and not link.startswith("mailto:")]
    assert [link for link in files if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_readme_names_every_command(readme: Path) -> None:
    assert set(commands(app)) - promised(readme.read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_readme_promises_no_command_that_is_not_there(readme: Path) -> None:
    assert promised(readme.read_text(encoding="utf-8")) - set(commands(app)) == set()


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_readme_names_every_make_target(readme: Path) -> None:
    text = readme.read_text(encoding="utf-8")
    targets = _TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8"))
    assert len(targets) > 5
    assert [target for target in targets if f"`make {target}" not in text] == []


def test_every_format_is_described() -> None:
    described = set(re.findall(r"`([a-z0-9_]+)`", (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")))
    assert set(FORMATS) - described == set()


def test_changelog_has_a_place_for_what_comes_next() -> None:
    assert "\n## [Unreleased]\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_an_alarm_has_one_word_in_chinese() -> None:
    other = "报" + "警"
    texts = [
        file for file in tracked_files(ROOT) if file.suffix in (".md", ".yaml", ".py", ".html", ".po", ".js", ".toml")
    ]
    assert [str(file) for file in texts if other in (ROOT / file).read_text(encoding="utf-8")] == []


def test_decisions_are_numbered_without_gap_and_say_their_number() -> None:
    records = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(record.name[:4]) for record in records] == list(range(1, len(records) + 1))
    for record in records:
        assert record.read_text(encoding="utf-8").startswith(f"# {int(record.name[:4])}. "), record.name
