"""Deployment files hold: what they copy, mount, set and call is there, and no secret has a default."""

from __future__ import annotations

import configparser
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from pydantic import BaseModel
from ruamel.yaml import YAML

from dutyroom.cli import app
from dutyroom.settings import Settings, load_settings
from tests.support.house import ROOT, tracked_files

DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = YAML(typ="safe").load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
UNITS = sorted((DEPLOY / "systemd").iterdir())


def keys(model: type[BaseModel], before: str = "") -> Iterator[str]:
    """Every setting as the environment names it, without DUTYROOM_."""
    for name, field in model.model_fields.items():
        inner = [field.annotation, *getattr(field.annotation, "__args__", ())]
        parts = [kind for kind in inner if isinstance(kind, type) and issubclass(kind, BaseModel)]
        yield from (key for part in parts for key in keys(part, f"{before}{name}__")) if parts else (before + name,)


VARIABLES = {f"DUTYROOM_{key.upper()}" for key in keys(Settings)} | {"DUTYROOM_SECRETS"}


def accepts(words: list[str]) -> bool:
    """Whether the command line knows a command with these options and as many arguments."""
    command: Any = typer.main.get_command(app)
    while words and getattr(command, "commands", None):
        command, words = command.commands.get(words[0]), words[1:]
        if command is None:
            return False
    command.make_context("dutyroom", list(words))
    return True


def lines(file: Path) -> dict[str, str]:
    """The settings of a Mosquitto configuration."""
    text = [line for line in file.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return dict(line.split(" ", 1) for line in text)


def test_all_settings_are_known_by_name() -> None:
    assert {"DUTYROOM_DATA", "DUTYROOM_STORE__TOKEN", "DUTYROOM_WEBHOOK__SECRET"} <= VARIABLES


def test_every_source_the_image_copies_is_there_and_not_ignored() -> None:
    tracked = {str(path) for path in tracked_files(ROOT)}
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [words.split()[:-1] for words in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)]
    sources = [source for words in copied for source in words]
    assert len(sources) > 10
    assert [name for name in sources if not any(path == name or path.startswith(f"{name}/") for path in tracked)] == []
    allowed = [line[1:] for line in ignored if line.startswith("!")]
    assert ignored[0] == "*"
    assert [name for name in sources if not any(name == ok or name.startswith(f"{ok}/") for ok in allowed)] == []


def test_every_package_of_the_wheel_is_copied() -> None:
    packages = re.search(r"^packages = \[(.*)\]$", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert packages is not None
    for name in re.findall(r'"(\w+)"', packages[1]):
        assert f"\nCOPY {name} {name}\n" in DOCKERFILE


def test_the_image_installs_nothing_unlocked_and_does_not_run_as_root() -> None:
    installs = re.findall(r"pip\S* (?:--python \S+ )?install ([^&\n]+)", DOCKERFILE)
    assert len(installs) == 3
    assert all("--require-hashes" in words or "--no-deps" in words for words in installs)
    last = DOCKERFILE.rsplit("\nFROM ", 1)[1]
    assert "\nUSER 10001:10001\n" in last
    assert "/healthz" in last
    assert '\nENTRYPOINT ["dutyroom"]\n' in last


def test_variables_are_settings() -> None:
    named = {key for service in SERVICES.values() for key in service.get("environment", {}) if key.startswith("DUTY")}
    named |= set(re.findall(r"\b(DUTYROOM_[A-Z_]+)=", DOCKERFILE))
    for unit in UNITS:
        named |= set(re.findall(r"\b(DUTYROOM_[A-Z_]+)=", unit.read_text(encoding="utf-8")))
    assert len(named) > 6
    assert named - VARIABLES == set()


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_of_compose_is_watched_comes_back_and_has_no_password_in_it(name: str) -> None:
    service = SERVICES[name]
    once = name == "influx-setup"
    assert service["restart"] == ("no" if once else "unless-stopped")
    assert "healthcheck" in service or "HEALTHCHECK" in DOCKERFILE
    assert "build" in service or re.fullmatch(r"[a-z/-]+:\d+(\.\d+)+", service["image"])
    for key, value in service.get("environment", {}).items():
        if re.search("PASSWORD|TOKEN|SECRET", key):
            assert str(value).startswith("/run/secrets"), key
    for secret in service.get("secrets", []):
        assert secret in COMPOSE["secrets"]
    for other in service.get("depends_on", {}):
        assert other in SERVICES


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_what_is_mounted_is_there(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source = volume.split(":")[0]
        if source.startswith("."):
            assert (DEPLOY / source).exists(), source
        else:
            assert source in COMPOSE["volumes"]


@pytest.mark.parametrize("name", ["dutyroom", "influx-setup"])
def test_our_own_services_write_only_where_they_must(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert accepts(list(service["command"]))


def test_the_service_cannot_see_the_operator_token() -> None:
    assert not any("operator" in volume for volume in SERVICES["dutyroom"]["volumes"])


def test_the_containers_broker_is_set_as_the_example(tmp_path: Path) -> None:
    paths = {"password_file", "persistence_location"}
    example, container = lines(DEPLOY / "mosquitto.conf"), lines(DEPLOY / "container" / "mosquitto.conf")
    assert {key: value for key, value in example.items() if key not in paths} == {
        key: value for key, value in container.items() if key not in paths
    }
    assert example.keys() == container.keys()


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_calls_commands_that_exist(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    parsed = configparser.ConfigParser(interpolation=None, strict=False)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's keys have capitals
    parsed.read_string(text)
    for words in re.findall(r"/opt/dutyroom/bin/dutyroom ([^'\n]+)", text):
        assert accepts([word.strip('"') for word in re.sub(r'"[^"]*"', "FILE", words).split()])
    if "Service" in parsed:
        assert parsed["Service"]["User"] == "dutyroom"


def test_the_units_watchdog_is_fed_often_enough() -> None:
    text = (DEPLOY / "systemd" / "dutyroom.service").read_text(encoding="utf-8")
    assert "\nType=notify\n" in text
    assert "\nWatchdogSec=60\n" in text  # told every 30 s, looked at twice a second


def test_the_example_settings_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(ROOT / "dutyroom.example.toml")
    assert settings.store.kind == "duckdb"


def test_passwords_are_made_once_and_each_machine_has_its_own(tmp_path: Path) -> None:
    def made(folder: Path) -> dict[str, str]:
        subprocess.run(["/bin/sh", str(DEPLOY / "secrets.sh"), str(folder)], check=True, capture_output=True)
        return {path.name: path.read_text() for path in folder.iterdir()}

    first = made(tmp_path / "a")
    assert set(first) == set(COMPOSE["secrets"])
    assert made(tmp_path / "a") == first
    other = made(tmp_path / "b")
    assert all(first[name] != other[name] for name in first if name != "grafana_influx_token")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700
    assert re.fullmatch(r"mqtt://dutyroom:[0-9a-f]{48}@broker:1883\n", first["broker__url"])
