"""Settings: the file, the environment over it, and errors that name their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from dutyroom.brokers import brokers_of
from dutyroom.settings import load_settings
from dutyroom.snapshots import Snapshots
from ingest.mqtt.packets import Protocol
from plant.errors import BadInput, ConfigError


def write(folder: Path, text: str) -> Path:
    file = folder / "dutyroom.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path, 'data = "here"\n[http]\nport = 9000\n')
    monkeypatch.setenv("DUTYROOM_HTTP__PORT", "9001")
    settings = load_settings(file)
    assert (settings.data, settings.http.port) == (Path("here"), 9001)


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    assert load_settings(write(tmp_path, 'data = "here"\n'), Path("there")).data == Path("there")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("a = \n", "dutyroom.toml:1:5: not TOML", id="not TOML"),
        pytest.param("data = 'x'\ncolour = 1\n", "dutyroom.toml:2:1: colour: no such setting", id="unknown key"),
        pytest.param("[http]\n port = 70000\n", "dutyroom.toml:2:2: http.port", id="out of range"),
        pytest.param(
            "[http]\nhost = 'x'\n[brokr]\nurl = 'y'\n", "dutyroom.toml:3:2: brokr: no such", id="unknown table"
        ),
        pytest.param('[store]\nkind = "oracle"\n', "store.kind", id="unknown store"),
    ],
)
def test_a_wrong_file_is_refused_by_name(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(write(tmp_path, text))
    assert words in str(caught.value)
    assert "dutyroom.toml" in str(caught.value)


def test_a_wrong_variable_of_the_environment_is_not_blamed_on_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUTYROOM_HTTP__PORT", "many")
    with pytest.raises(ConfigError, match=r"environment \(DUTYROOM_\*\).*http\.port"):
        load_settings(write(tmp_path, 'data = "here"\n'))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml"):
        load_settings(tmp_path / "nowhere.toml")


def test_secrets_do_not_show(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, '[broker]\nurl = "mqtt://me:hush@host:1"\n'))
    assert "hush" not in repr(settings)


def test_secrets_come_from_files_over_the_settings_file_and_under_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "run", tmp_path / "made"
    for folder, name, secret in ((first, "broker__url", "mqtt://of-file:1"), (second, "store__token", "of-file\n")):
        folder.mkdir()
        (folder / name).write_text(secret)
    monkeypatch.setenv("DUTYROOM_SECRETS", f"{first}:{second}")
    file = write(tmp_path, '[broker]\nurl = "mqtt://of-toml:1"\n[store]\ntoken = "of-toml"\norg = "ours"\n')
    settings = load_settings(file)
    assert settings.broker.url.get_secret_value() == "mqtt://of-file:1"
    assert (settings.store.token.get_secret_value(), settings.store.org) == ("of-file", "ours")
    monkeypatch.setenv("DUTYROOM_STORE__TOKEN", "of-environment")
    assert load_settings(file).store.token.get_secret_value() == "of-environment"


@pytest.mark.parametrize(
    ("name", "words"), [("store__tokn", "store.tokn"), (None, "does not exist")], ids=["misspelt", "no folder"]
)
def test_wrong_secrets_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str | None, words: str
) -> None:
    if name is not None:
        (tmp_path / "kept").mkdir()
        (tmp_path / "kept" / name).write_text("hush")
    monkeypatch.setenv("DUTYROOM_SECRETS", str(tmp_path / "kept"))
    with pytest.raises(ConfigError) as caught:
        load_settings(None)
    assert words in str(caught.value)
    assert "hush" not in str(caught.value)


def test_three_snapshots_are_kept_newest_first_and_none_ahead(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path, "rules")
    for offset in (5, 10, 15, 20):
        snapshots.save(offset, str(offset).encode())
    assert list(snapshots.newest(17)) == [(15, b"15"), (10, b"10")]
    assert snapshots.oldest() == 10


TWO = """
[[brokers]]
name = "bathhouse"
url = "mqtt://one:1883"
username = "dutyroom"
password_file = "{secret}"
[[brokers]]
url = "mqtts://two"
protocol = "5"
session_days = 2
"""


def test_several_brokers_each_with_its_own_ways(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush\n")
    first, second = brokers_of(load_settings(write(tmp_path, TWO.format(secret=tmp_path / "secret"))).all_brokers)
    assert (first.name, first.url, first.username, first.password) == (
        "bathhouse",
        "mqtt://one:1883",
        "dutyroom",
        "hush",
    )
    assert (second.name, second.url, second.protocol) == ("2", "mqtts://two:8883", Protocol.V5)
    assert second.session_expiry_s == 2 * 86_400
    assert "hush" not in repr(first)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param('[broker]\nurl = "mqtt://a"\n[[brokers]]\nurl = "mqtt://b"\n', "into the list", id="both ways"),
        pytest.param('[[brokers]]\nurl = "mqtt://b"\nport = 1\n', "brokers.0.port", id="unknown key"),
        pytest.param('[broker]\nprotocol = "3.1"\n', "broker.protocol", id="unknown protocol"),
        pytest.param("[broker]\nkeepalive_s = 1\n", "broker.keepalive_s", id="keepalive"),
    ],
)
def test_wrong_brokers_are_refused_by_key(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load_settings(write(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(
            '[[brokers]]\nurl = "mqtt://a"\n[[brokers]]\nurl = "mqtt://a:1883"\n', "url 'mqtt://a:1883'", id="twin"
        ),
        pytest.param('[[brokers]]\nname="x"\n[[brokers]]\nname = "x"\nurl = "mqtt://a"\n', "name 'x'", id="same name"),
        pytest.param('[broker]\nurl = "mqtt://li:x@a"\nusername = "wang"\n', "name it once", id="two users"),
        pytest.param('[broker]\npassword_file = "p"\n', "needs a username", id="password of nobody"),
        pytest.param('[broker]\nusername = "li"\npassword_file = "nowhere"\n', "cannot be read", id="no file"),
        pytest.param('[broker]\nusername = "li"\npassword_file = "/dev/null"\n', "is empty", id="empty file"),
    ],
)
def test_brokers_that_cannot_be_meant_are_told(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        brokers_of(load_settings(write(tmp_path, text)).all_brokers)
