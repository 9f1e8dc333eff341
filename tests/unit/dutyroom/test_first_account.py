"""A ledger without accounts gets one, and says its password once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dutyroom.firstaccount import ensure_account
from maintenance.ledger import Ledger, passwords, users
from maintenance.people import Role


def test_the_first_password_is_shown_once_and_good_for_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        ensure_account(ledger)
        shown = capsys.readouterr()
        ensure_account(ledger)
        again = capsys.readouterr()
        found = ledger.read(users.credentials, "admin")
    told = re.search(r"user admin, password (\S+) ", shown.err)
    assert shown.out == again.out == again.err == ""
    assert told is not None
    assert found is not None
    assert (found.actor.role, found.must_change) == (Role.ADMIN, True)
    assert passwords.matches(told[1], found.password)


def test_where_there_is_an_account_none_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        ledger.add_user("li.wei", Role.CREW, author="test", now=0)
        ensure_account(ledger)
        assert [user.name for user in ledger.read(users.listed)] == ["li.wei"]
    assert capsys.readouterr().err == ""
