"""The site's registry in and out of YAML: `load_site` reads and checks, `site_to_yaml` writes what it reads back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path as FilePath

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from plant.catalogue import Catalogue, Text
from plant.device import Template, TemplateLine
from plant.errors import ConfigError
from plant.instants import duration_text
from plant.site import Binding, Equipment, Mode, Site
from plant.sitecheck import KnownFormats, KnownRules, check_entries, check_head
from plant.sitefile import read_entries, read_site
from plant.wiring import own_templates, read_templates, wire
from plant.yamlfile import in_file_order
from plant.yamlnodes import Plain

_NEEDS_NO_QUOTES = re.compile(r"[A-Za-z][A-Za-z0-9_/.-]*|[\u4e00-\u9fff]+")
_WORDS_OF_YAML = frozenset({"true", "false", "null", "yes", "no", "on", "off"})


def load_site(
    path: FilePath,
    catalogue: Catalogue,
    *,
    rules: KnownRules | None = None,
    formats: KnownFormats | None = None,
) -> Site:
    """A site from a YAML file, or from a folder of them (one holds `site:`, each may hold `equipment:`).

    With `rules`, what equipment says of rules is checked too, with `formats` (which there are) the decoders that
    bindings name; without, only the form. Raises ConfigError with every mistake found, each with file, line and
    column; NotFound where there is no such path.
    """
    located, files, problems = read_site(path)
    head = located.value.site
    assert head is not None  # noqa: S101 - read_site returns the file that has it
    entries = [entry for file in files for entry in read_entries(file, problems)]
    templates = read_templates(files, catalogue, problems)
    entries = wire(entries, files, templates, problems)
    problems += [*check_head(located, head.zone), *check_entries(entries, catalogue, rules, formats)]
    if problems:
        raise ConfigError(*in_file_order(problems))
    return Site(
        id=head.id,
        zone=head.zone,
        text=Text(head.name.zh, head.name.en),
        equipment={entry.equipment.id: entry.equipment for entry in entries},
        clock=head.clock,
        mode=head.mode,
        discover=head.discover,
        templates=own_templates(templates),
    )


def site_to_yaml(site: Site) -> str:
    """The registry as one YAML file that `load_site` reads back equal; defaults are left out."""
    head: dict[str, Plain] = {"id": site.id, "zone": site.zone, "name": _text(site.text)}
    head |= {"clock": str(site.clock), "mode": str(site.mode)}
    if site.discover:
        head["discover"] = list(site.discover)
    machines: list[Plain] = [_machine(site.equipment[key]) for key in sorted(site.equipment)]
    templates: list[Plain] = [_template(one) for one in site.templates]
    content: dict[str, Plain] = {"site": head, "equipment": machines}
    if templates:
        content["templates"] = templates
    return _dumped(content)


def bound_to_yaml(machines: Sequence[Equipment], fed: Mapping[str, Sequence[Binding]]) -> str:
    """A site file beside others: machines (without bindings), and bindings by the id of the equipment they feed."""
    devices: list[Plain] = [
        {"equipment": id, "bindings": [_binding(binding) for binding in fed[id]]} for id in sorted(fed)
    ]
    found: list[Plain] = [_machine(machine) for machine in machines]
    parts: dict[str, Plain] = {"equipment": found, "devices": devices}
    return _dumped({key: value for key, value in parts.items() if value})


def _dumped(content: dict[str, Plain]) -> str:
    yaml = YAML()
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = StringIO()
    yaml.dump(_quoted(content), out)
    return out.getvalue()


def _machine(machine: Equipment) -> dict[str, Plain]:
    said: dict[str, Plain] = {
        "id": machine.id,
        "path": machine.path,
        "type": machine.type,
        "name": _text(machine.text),
        "interval": duration_text(machine.interval_ms) if machine.interval_ms is not None else None,
        "parameters": dict(machine.parameters),
        "members": {
            name: {holder: list(words) for holder, words in said.items()} for name, said in machine.members.items()
        },
        "relations": {name: ids[0] if len(ids) == 1 else list(ids) for name, ids in machine.relations.items()},
        "rules": _rules(machine),
        "bindings": [_binding(binding) for binding in machine.bindings],
        "retired": machine.retired,
    }
    short: dict[str, Plain] = {
        key: value for key, value in said.items() if value is not None and value not in ({}, [], False)
    }
    if not machine.commissioned:
        short["commissioned"] = False
    return short


def _rules(machine: Equipment) -> dict[str, Plain]:
    rules: dict[str, Plain] = {}
    for rule in sorted({*machine.rule_modes, *machine.rule_params}):
        mode: Mode | None = machine.rule_modes.get(rule)
        params: Plain = dict(machine.rule_params.get(rule, {}))
        rules[rule] = {key: value for key, value in (("mode", mode and str(mode)), ("params", params)) if value}
    return rules


def _binding(binding: Binding) -> dict[str, Plain]:
    words = ("key", "unit", "scale", "offset", "sentinels", "clock", "time", "zone", "device", "decoder")
    said: dict[str, Plain] = {"topic": binding.topic, "point": binding.point}
    return said | _unusual(binding, Binding(topic="", point=""), words)


def _template(template: Template) -> dict[str, Plain]:
    said: dict[str, Plain] = {"name": template.name, **_text(template.text), "type": template.type}
    said |= {"topic": template.topic, "decoder": template.decoder}
    if template.shared:
        said["shared"] = True
    said |= _unusual(template, Template("", template.text, "", "", "", ()), ("clock", "time", "zone", "source"))
    if template.defaults:
        said["defaults"] = dict(template.defaults)
    words = ("key", "point", "unit", "scale", "offset", "sentinels", "topic", "decoder")
    lines: list[Plain] = [_unusual(line, TemplateLine(None), words) for line in template.lines]
    return said | {"bindings": lines}


def _unusual(one: object, default: object, words: Sequence[str]) -> dict[str, Plain]:
    """What it says other than by default."""
    found = {word: getattr(one, word) for word in words}
    return {word: _written(value) for word, value in found.items() if value != getattr(default, word)}


def _written(value: object) -> Plain:
    match value:
        case float():
            return value
        case tuple():
            return [float(item) for item in value]
        case _:
            return str(value)


def _text(text: Text) -> dict[str, Plain]:
    return {"zh": text.zh, "en": text.en}


def _quoted(value: Plain) -> object:
    """Texts that a YAML reader could take for something else (12, no, 2026-01-01) in quotes."""
    match value:
        case dict():
            return {_quoted(key): _quoted(inner) for key, inner in value.items()}
        case list():
            return [_quoted(inner) for inner in value]
        case str() if not _NEEDS_NO_QUOTES.fullmatch(value) or value.lower() in _WORDS_OF_YAML:
            return DoubleQuotedScalarString(value)
        case _:
            return value
