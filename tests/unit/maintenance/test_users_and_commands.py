"""Users, their secrets, and the command line over a ledger file."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dutyroom.cli import tickets, user
from maintenance.ledger import outbox, passwords, users
from maintenance.people import Actor, Role
from plant.errors import BadInput, Conflict, NotFound
from tests.unit.maintenance.builders import HOUR, T0, Course, Desk, desk

PASSWORD = "correct horse battery"  # noqa: S105


def _add(office: Desk, name: str = "li.wei", role: Role = Role.CREW) -> str:
    return office.ledger.add_user(name, role, author="root", now=T0, password=PASSWORD)


def _fits(office: Desk, name: str, password: str) -> bool:
    found = office.ledger.read(users.credentials, name)
    return passwords.matches(password, None if found is None else found.password)


def test_a_token_speaks_for_its_user(office: Desk) -> None:
    token = _add(office)

    assert office.ledger.read(users.actor_of_token, token) == Actor("li.wei", Role.CREW)
    assert office.ledger.read(users.actor_of_token, token + "x") is None


def test_a_revoked_token_speaks_for_nobody_and_a_new_one_does(office: Desk) -> None:
    old = _add(office)
    assert office.ledger.write(users.revoke_tokens, "li.wei", T0 + 1, author="root") == 1
    new = office.ledger.new_token("li.wei", author="root", now=T0 + 2)

    assert office.ledger.read(users.actor_of_token, old) is None
    assert office.ledger.read(users.actor_of_token, new) == Actor("li.wei", Role.CREW)


def test_only_the_right_password_signs_in(office: Desk) -> None:
    _add(office)

    assert _fits(office, "li.wei", PASSWORD)
    assert not _fits(office, "li.wei", PASSWORD + "!")
    assert not _fits(office, "nobody", PASSWORD)


def test_no_secret_is_in_the_file(office: Desk, tmp_path: Path) -> None:
    token = _add(office)

    stored = b"".join(path.read_bytes() for path in tmp_path.glob("ledger.db*"))
    assert token.encode() not in stored
    assert PASSWORD.encode() not in stored
    assert b"$argon2id$" in stored


def test_what_is_done_to_users_is_audited(office: Desk, tmp_path: Path) -> None:
    _add(office)
    office.ledger.set_password("li.wei", "another good one", author="zhang.min", now=T0 + 5)

    plain = sqlite3.connect(tmp_path / "ledger.db")
    lines = plain.execute("SELECT at, author, action, subject FROM audit ORDER BY id").fetchall()
    plain.close()
    assert lines == [
        (T0, "root", "user_added", "li.wei"),
        (T0, "root", "token_added", "li.wei"),
        (T0 + 5, "zhang.min", "password_set", "li.wei"),
    ]


def test_names_are_unique_and_passwords_long(office: Desk) -> None:
    _add(office)

    with pytest.raises(Conflict, match=r"a user li\.wei already"):
        _add(office)
    with pytest.raises(BadInput, match="expected 10 to 200"):
        office.ledger.set_password("li.wei", "short", author="root", now=T0)
    with pytest.raises(NotFound):
        office.ledger.new_token("nobody", author="root", now=T0)
    with pytest.raises(BadInput, match="no role of a person"):
        _add(office, "robot", Role.ENGINE)


# The command line


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with two tickets and the crew member li.wei."""
    with desk(tmp_path) as office:
        office.engine(Course().raised(), Course(equipment="ch-2").raised(), now=T0 + HOUR)
        _add(office)
    return tmp_path


def _run(group: object, *words: str, stdin: str | None = None) -> tuple[int, str]:
    result = CliRunner().invoke(group, words, input=stdin, catch_exceptions=False)  # type: ignore[arg-type]
    return result.exit_code, result.stdout


def test_listing_prints_a_line_a_ticket(data: Path) -> None:
    code, out = _run(tickets.app, "list", "--data", str(data), "--equipment", "ch-2")

    assert code == 0
    assert out.split()[:4] == ["WO-20261123-002", "P2", "open", "待确认"]
    assert len(out.splitlines()) == 1


def test_listing_as_json_lines(data: Path) -> None:
    _, out = _run(tickets.app, "list", "--data", str(data), "--format", "jsonl")

    rows = [json.loads(line) for line in out.splitlines()]
    assert [(row["id"], row["severity"], row["state"]) for row in rows] == [
        ("WO-20261123-002", "P2", "open"),
        ("WO-20261123-001", "P2", "open"),
    ]


def test_moving_acts_as_the_user_at_plant_time(data: Path) -> None:
    _run(tickets.app, "do", "WO-20261123-001", "start", "--as", "li.wei", "--data", str(data))
    code, out = _run(tickets.app, "do", "WO-20261123-001", "done", "--as", "li.wei", "--data", str(data))
    _, shown = _run(tickets.app, "show", "WO-20261123-001", "--data", str(data))

    assert code == 0
    assert "verifying 待验证" in out
    assert "2026-11-23T03:00:00Z  li.wei  moved  in_progress → verifying" in shown


def test_a_finished_ticket_is_listed_only_when_asked_for(data: Path) -> None:
    words = ("do", "WO-20261123-001", "cancel", "--reason", "test", "--resolution", "false_alarm", "--data", str(data))
    assert _run(tickets.app, *words)[0] == 0

    assert "WO-20261123-001" not in _run(tickets.app, "list", "--data", str(data))[1]
    assert (
        "cancelled 已取消 (false_alarm 误报)"
        in _run(tickets.app, "list", "--state", "cancelled", "--data", str(data))[1]
    )


def test_what_is_done_on_the_command_line_is_told_over_the_services_channels(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUTYROOM_WEBHOOK__URL", "http://127.0.0.1/hook")
    monkeypatch.setenv("DUTYROOM_WEBHOOK__SECRET", "s")
    monkeypatch.setenv("DUTYROOM_WEBHOOK__ALLOW", '["127.0.0.1"]')
    _run(tickets.app, "do", "WO-20261123-001", "cancel", "--reason", "test", "--data", str(data))

    with desk(data) as office:
        told = [(row.channel, row.kind.value) for row in office.ledger.read(outbox.listed, limit=2)]
    assert sorted(told) == [("log", "closed"), ("webhook", "closed")]


def test_a_stale_version_is_a_conflict(data: Path) -> None:
    with pytest.raises(Conflict, match="you saw version 7"):
        _run(tickets.app, "do", "WO-20261123-001", "start", "--version", "7", "--data", str(data))


@pytest.mark.parametrize(
    ("words", "error", "says"),
    [
        (("do", "WO-20261123-001", "fix"), BadInput, "expected one of acknowledge, start, done"),
        (("do", "WO-1", "start"), NotFound, "there is no ticket WO-1"),
        (("do", "WO-20261123-001", "start", "--as", "x"), NotFound, "there is no user x"),
        (("list", "--severity", "P9"), BadInput, "expected one of P1, P2, P3, P4"),
    ],
)
def test_what_cannot_be_understood_is_answered_with_what_could(
    data: Path, words: tuple[str, ...], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        _run(tickets.app, *words, "--data", str(data))


def test_a_folder_without_a_ledger_is_not_made_into_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="does not exist"):
        _run(tickets.app, "list", "--data", str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_user_made_on_the_command_line_can_sign_in(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    code, token = _run(user.app, "add", "zhang.min", "--role", "engineer", "--data", str(folder))
    _run(user.app, "passwd", "zhang.min", "--data", str(folder), stdin=PASSWORD + "\n")
    _, second = _run(user.app, "token", "zhang.min", "--revoke", "--data", str(folder))
    _, listed = _run(user.app, "list", "--data", str(folder))

    assert code == 0
    assert listed.startswith("zhang.min  engineer  ")
    assert listed.rstrip().endswith("password")
    with desk(folder) as office:
        assert office.ledger.read(users.actor_of_token, token.strip()) is None
        assert office.ledger.read(users.actor_of_token, second.strip()) == Actor("zhang.min", Role.ENGINEER)
        assert _fits(office, "zhang.min", PASSWORD)


@pytest.mark.parametrize(
    ("group", "command"),
    [(tickets.app, name) for name in ("list", "show", "do")]
    + [(user.app, name) for name in ("add", "passwd", "list", "token")],
)
def test_every_command_helps_with_an_example(group: object, command: str) -> None:
    code, out = _run(group, command, "--help")

    assert code == 0
    assert "Example: dutyroom" in out
