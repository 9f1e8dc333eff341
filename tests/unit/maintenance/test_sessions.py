"""Sessions and accounts in the ledger."""

from __future__ import annotations

from pathlib import Path

import pytest

from maintenance.ledger import audit, passwords, secrets, sessions, users
from maintenance.ledger.rows import User
from maintenance.people import Actor, Role
from plant.errors import BadInput, Conflict, NotFound
from tests.unit.maintenance.builders import HOUR, T0, Desk

DAY = 24 * HOUR


def _add(office: Desk, name: str, role: Role = Role.CREW) -> None:
    office.ledger.add_user(name, role, author="root", now=T0)


def _begin(office: Desk, user: str = "li.wei", now: int = T0) -> str:
    secret = secrets.new_session()
    office.ledger.write(sessions.begin, user, secret, now, agent="Chrome · Android")
    return secret


def _whose(office: Desk, secret: str, now: int = T0) -> Actor | None:
    found = office.ledger.read(sessions.signed_in, secret, now)
    return None if found is None else found.actor


def test_a_session_speaks_for_its_user_until_it_is_a_month_old(office: Desk) -> None:
    _add(office, "li.wei")
    secret = _begin(office)
    for day in range(0, 30, 6):
        assert _whose(office, secret, T0 + day * DAY) == Actor("li.wei", Role.CREW)
        number = office.ledger.read(sessions.listed, "li.wei", T0 + day * DAY)[0].id
        office.ledger.write(sessions.saw, number, T0 + day * DAY)
    assert _whose(office, secret, T0 + 30 * DAY - 1) is not None
    assert _whose(office, secret, T0 + 30 * DAY) is None


def test_a_session_nobody_uses_ends_after_a_week(office: Desk) -> None:
    _add(office, "li.wei")
    secret = _begin(office)
    assert _whose(office, secret, T0 + 7 * DAY - 1) is not None
    assert _whose(office, secret, T0 + 7 * DAY) is None
    assert office.ledger.read(sessions.listed, "li.wei", T0 + 7 * DAY) == []


def test_the_secret_of_a_session_is_not_in_the_file(office: Desk, tmp_path: Path) -> None:
    _add(office, "li.wei")
    secret = _begin(office)
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("ledger.db*"))
    assert secret.encode() not in stored
    assert secrets.digest(secret).encode() in stored


def test_one_session_is_ended_only_by_its_owner(office: Desk) -> None:
    _add(office, "li.wei")
    _add(office, "zhang.min")
    secret = _begin(office)
    (mine,) = office.ledger.read(sessions.listed, "li.wei", T0)
    assert not office.ledger.write(sessions.end, "zhang.min", mine.id, T0)
    assert _whose(office, secret) is not None
    assert office.ledger.write(sessions.end, "li.wei", mine.id, T0)
    assert _whose(office, secret) is None
    assert not office.ledger.write(sessions.end, "li.wei", mine.id, T0)


def test_all_sessions_but_one_are_ended(office: Desk) -> None:
    _add(office, "li.wei")
    _add(office, "zhang.min")
    kept, *others = [_begin(office, now=T0 + n) for n in range(3)]
    foreign = _begin(office, "zhang.min")
    number = next(one.id for one in office.ledger.read(sessions.listed, "li.wei", T0) if one.created_at == T0)
    assert office.ledger.write(sessions.end_all, "li.wei", T0 + 5, author="li.wei", but=number) == 2
    assert _whose(office, kept) is not None
    assert _whose(office, foreign) is not None
    assert [_whose(office, secret) for secret in others] == [None, None]


def test_a_user_holds_so_many_sessions_and_the_one_unused_longest_goes(office: Desk) -> None:
    _add(office, "li.wei")
    all = [_begin(office, now=T0 + n) for n in range(sessions.MOST + 1)]
    assert _whose(office, all[0], T0 + HOUR) is None
    assert all[1:] == [secret for secret in all if _whose(office, secret, T0 + HOUR)]


def test_sessions_long_over_are_forgotten(office: Desk) -> None:
    _add(office, "li.wei")
    _begin(office)
    _begin(office, now=T0 + 61 * DAY)
    rows = office.ledger.read(lambda connection: connection.exec_driver_sql("SELECT count(*) FROM sessions").scalar())
    assert rows == 1


def test_another_password_ends_every_session(office: Desk) -> None:
    _add(office, "li.wei")
    secret = _begin(office)
    office.ledger.set_password("li.wei", "another good one", author="root", now=T0)
    assert _whose(office, secret) is None


def test_a_disabled_user_has_no_session_also_when_enabled_again(office: Desk) -> None:
    _add(office, "li.wei")
    secret = _begin(office)
    office.ledger.write(users.disable, "li.wei", T0, author="root")
    assert _whose(office, secret) is None
    assert office.ledger.read(users.credentials, "li.wei") is None
    office.ledger.write(users.enable, "li.wei", T0, author="root")
    assert _whose(office, secret) is None


def test_the_last_administrator_stays_one(office: Desk) -> None:
    _add(office, "root", Role.ADMIN)
    _add(office, "other", Role.ADMIN)
    office.ledger.write(users.disable, "other", T0, author="root")
    with pytest.raises(Conflict, match="last administrator"):
        office.ledger.write(users.disable, "root", T0, author="root")
    with pytest.raises(Conflict, match="last administrator"):
        office.ledger.write(users.set_role, "root", Role.CREW, T0, author="root")
    office.ledger.write(users.enable, "other", T0, author="root")
    office.ledger.write(users.set_role, "root", Role.CREW, T0, author="root")
    assert [user.role for user in office.ledger.read(users.listed)] == [Role.ADMIN, Role.CREW]


def test_the_first_account_is_made_once(office: Desk) -> None:
    assert office.ledger.write(users.add_first, "hash", T0)
    assert not office.ledger.write(users.add_first, "hash", T0)
    assert office.ledger.read(users.listed) == [User("admin", Role.ADMIN, T0, False, True, True)]


@pytest.mark.parametrize("name", ["", " li", "li ", "a/b", "a?b", "a#b", "a%41", "x" * 61, "tab\tbed", "\ud800"])
def test_names_that_cannot_stand_in_an_address_are_refused(office: Desk, name: str) -> None:
    with pytest.raises(BadInput, match="no user name"):
        _add(office, name)


@pytest.mark.parametrize("name", ["李伟", "li.wei", "O'Brien", "a crew", "li@example.org"])
def test_names_of_people_are_taken(office: Desk, name: str) -> None:
    _add(office, name)
    assert office.ledger.read(users.existing, name).name == name


def test_who_is_not_there_cannot_be_changed(office: Desk) -> None:
    for act in (users.disable, users.enable):
        with pytest.raises(NotFound):
            office.ledger.write(act, "nobody", T0, author="root")


def test_the_audit_is_read_a_page_at_a_time(office: Desk) -> None:
    _add(office, "li.wei")
    office.ledger.write(users.set_role, "li.wei", Role.ENGINEER, T0 + 1, author="root")
    newest, *_ = office.ledger.read(audit.listed, limit=1)
    assert newest.entry == audit.Entry(T0 + 1, "root", audit.Action.ROLE_SET, "li.wei", "crew → engineer")
    earlier = office.ledger.read(audit.listed, before=newest.id)
    assert [line.entry.action.value for line in earlier] == ["token_added", "user_added"]


@pytest.mark.parametrize("password", ["short", "x" * 201, "nine lett", "with\nnewline here"])
def test_passwords_that_do_not_do(password: str) -> None:
    with pytest.raises(BadInput, match="expected"):
        passwords.hash_password(password)
    assert not passwords.matches(password, passwords.hash_password("a good password"))
