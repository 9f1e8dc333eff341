"""The first account: a ledger without any gets an administrator, whose password is shown once and good for once."""

from __future__ import annotations

import sys

from sqlalchemy import Connection

from dutyroom.systemtime import system_now
from maintenance.ledger import Ledger
from maintenance.ledger.passwords import hash_password
from maintenance.ledger.rows import User
from maintenance.ledger.secrets import new_password
from maintenance.ledger.users import FIRST, add, add_first, listed
from maintenance.people import Role


def ensure_guest(ledger: Ledger, name: str) -> None:
    """Make the account a demo lets its viewer in as: an administrator without a password, who enters by the key."""

    def ensure(connection: Connection) -> None:
        if name not in {user.name for user in listed(connection)}:
            user = User(name, Role.ADMIN, system_now(), disabled=False, has_password=False)
            add(connection, user, password=None, author="service")

    ledger.write(ensure)


def ensure_account(ledger: Ledger) -> None:
    """Make the first administrator where nobody can sign in; the password goes to stderr, never to the log."""
    if ledger.read(listed):
        return
    password = new_password()
    if ledger.write(add_first, hash_password(password), system_now()):
        sys.stderr.write(
            f"first account / 首个账号: user {FIRST}, password {password} "
            "(shown once; must be changed at the first sign-in / 仅显示一次，首次登录须修改)\n"
        )
        sys.stderr.flush()
