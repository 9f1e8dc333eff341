"""Rule files to rules: strict, every mistake of every file in one go, named as file:line:column."""

from __future__ import annotations

import glob
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from plant.catalogue import Catalogue, Derived
from plant.cataloguefile import load_catalogue
from plant.errors import BadInput, ConfigError, Problem
from plant.severity import Severity
from plant.site import Mode
from plant.yamlfile import Located, in_file_order, load_documents, read_text
from rules.compile import check_rule
from rules.filecheck import backed_off, check_file, check_pack
from rules.model import Comparable, ForEach, Level, Rule, RuleParam
from rules.rulefile import CaseFile, LevelFile, RuleFile

_LEAST_CLEAR_MS = 60_000
_LEAST_VERIFY_MS = 30 * 60_000
_SAFETY_VERIFY_MS = 10 * 60_000


@dataclass(frozen=True, slots=True)
class RuleSource:
    """A rule with what only its file knows: its cases, and where each part is written."""

    rule: Rule
    located: Located[RuleFile]

    @property
    def file(self) -> str:
        """Name of the file, as used in messages."""
        return self.located.document.file

    @property
    def cases(self) -> tuple[CaseFile, ...]:
        """The tested situations, in file order."""
        return self.located.value.cases


def load_pack(paths: Sequence[Path] | None = None, *, catalogue: Catalogue | None = None) -> list[Rule]:
    """The rules of these files and folders (None: the packaged pack), by id.

    Types, points and expressions are checked against the catalogue (None: the packaged one). Raises ConfigError with
    every mistake of every file, NotFound where a file does not exist.
    """
    return [source.rule for source in load_sources(paths, catalogue=catalogue)]


def load_sources(paths: Sequence[Path] | None = None, *, catalogue: Catalogue | None = None) -> list[RuleSource]:
    """As `load_pack`, with the cases and places of each rule."""
    catalogue = load_catalogue() if catalogue is None else catalogue
    sources: list[RuleSource] = []
    problems: list[Problem] = []
    for name, text in _texts(paths):
        try:
            found = load_documents(text, RuleFile, file=name)
        except ConfigError as error:
            problems += error.problems
            continue
        for located in found:
            mistakes = check_file(located, catalogue)
            problems += mistakes
            if mistakes:
                continue
            rule = _rule(located.value)
            problems += _expressions(rule, located, catalogue)
            sources.append(RuleSource(rule, located))
    known = [source.rule.id for source in sources] + list(packaged_ids())
    problems += check_pack([source.located for source in sources], known)
    if problems:
        raise ConfigError(*in_file_order(problems))
    return sorted(sources, key=lambda source: source.rule.id)


def find_rule_files(pattern: str) -> list[Path]:
    """The files of a glob such as `rules/pack/**/CH-*.yaml`; raises BadInput when it matches none."""
    found = [Path(name) for name in sorted(glob.glob(pattern, recursive=True))]
    if not found:
        raise BadInput(f"no file matches {pattern!r}; quote the pattern and check the folder")
    return found


def packaged_ids() -> tuple[str, ...]:
    """Ids of the rules of the packaged pack (each file is named after its rule)."""
    return tuple(Path(name).stem for name, _ in _packaged(_pack()))


def _pack() -> Traversable:
    return resources.files("rules") / "pack"


def _texts(paths: Sequence[Path] | None) -> Iterator[tuple[str, str]]:
    if paths is None:
        yield from ((f"rules/pack/{name}", entry.read_text("utf-8")) for name, entry in _packaged(_pack()))
        return
    for path in paths:
        files = sorted(path.rglob("*.yaml")) if path.is_dir() else [path]
        if not files:
            raise BadInput(f"the folder {path} holds no .yaml file")
        for file in files:
            yield str(file), read_text(file, str(file))


def _packaged(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _packaged(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".yaml"):
            yield f"{prefix}{entry.name}", entry


def _expressions(rule: Rule, located: Located[RuleFile], catalogue: Catalogue) -> Iterator[Problem]:
    """Mistakes inside expressions, each at its column of the text."""
    mistakes = check_rule(rule, catalogue)
    wrong = {mistake.where for mistake in mistakes}
    for mistake in mistakes:
        # A clear made from `when` repeats the mistakes of `when`.
        made = mistake.where not in located.document.values and mistake.where[-1] == "clear"
        if made and (*mistake.where[:-1], "when") in wrong:
            continue
        message = f"{mistake.message}: {mistake.text}" if mistake.text else mistake.message
        yield located.problem(
            mistake.where, message, expected=mistake.expected, hint=mistake.hint, offset=mistake.column - 1
        )


def _rule(file: RuleFile) -> Rule:
    levels = tuple(_level(level) for level in file.levels)
    longest = max(level.for_ms for level in levels)
    usual = _SAFETY_VERIFY_MS if file.safety else max(3 * longest, _LEAST_VERIFY_MS)
    each = file.for_each
    rule = Rule(
        id=file.id,
        title=file.title.text(),
        applies_to=("*",) if file.applies_to == "*" else file.applies_to,
        levels=levels,
        every_ms=file.every,
        gate=file.gate,
        latching=file.latching,
        needs=file.needs,
        points=file.points,
        params={
            name: RuleParam(name, param.unit, param.default, *param.range, param.text())
            for name, param in file.params.items()
        },
        for_each=None if each is None else ForEach(each.points, each.kinds, each.flatline, each.jump),
        comparable=tuple(Comparable(item.expression, item.within) for item in file.comparable),
        verify_for_ms=usual if file.verify_for is None else file.verify_for,
        suppressed_by=file.suppressed_by,
        causes=tuple(cause.text() for cause in file.causes),
        first_check=tuple(check.text() for check in file.first_check),
        source=file.source,
        mode=None if file.mode is None else Mode(file.mode),
        judges_points=file.judges_points,
        safety=file.safety,
        derived={
            name: Derived(name, found.unit, found.expression, found.text(), found.decimals)
            for name, found in file.derived.items()
        },
    )
    return replace(rule, version=version_of(rule))


def _level(level: LevelFile) -> Level:
    usual = max(_LEAST_CLEAR_MS, level.for_ // 2)
    clear = level.clear if level.hysteresis is None else backed_off(level.when, level.hysteresis)
    if clear is None:
        raise ValueError("a level without clear has passed the checks")
    return Level(
        when=level.when,
        for_ms=level.for_,
        clear=clear,
        clear_for_ms=usual if level.clear_for is None else level.clear_for,
        severity=Severity[level.severity],
    )


def _each(chosen: ForEach) -> tuple[object, ...]:
    # `jump` came later: what does not say it keeps the version it had.
    return (chosen.points, chosen.kinds, chosen.flatline, *((True,) if chosen.jump else ()))


def version_of(rule: Rule) -> str:
    """Twelve hex digits of the sha-256 of everything that changes a verdict, an alarm or a closure; no texts."""
    content = {
        "id": rule.id,
        "applies_to": rule.applies_to,
        "levels": [(x.when, x.for_ms, x.clear, x.clear_for_ms, int(x.severity)) for x in rule.levels],
        "every_ms": rule.every_ms,
        "gate": rule.gate,
        "latching": rule.latching,
        "needs": rule.needs,
        "points": rule.points,
        "params": {name: (param.unit, param.default, param.low, param.high) for name, param in rule.params.items()},
        "for_each": rule.for_each and _each(rule.for_each),
        "comparable": [(item.expression, item.within) for item in rule.comparable],
        "verify_for_ms": rule.verify_for_ms,
        "suppressed_by": rule.suppressed_by,
        "mode": rule.mode,
        "judges_points": rule.judges_points,
        "safety": rule.safety,
        "derived": {name: (found.unit, found.expression, found.decimals) for name, found in rule.derived.items()},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]
