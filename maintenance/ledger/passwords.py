"""Passwords as argon2id hashes. Every function is slow on purpose: never inside a transaction or on the event loop."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from plant.errors import BadInput

SHORTEST = 10
LONGEST = 200

_hasher = PasswordHasher()
# The hash of a thrown-away random password: checking it takes as long as checking a real one.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$SPHB/pLbwZvyfQGsFm+Qkg$eUvJJpvRpgXihrWCXmHGmQx1Y4OPof0w067TD5/VRVM"


def hash_password(password: str) -> str:
    """The argon2id hash to store. Raises BadInput when the password is too short, too long or no text."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise BadInput(f"the password has {len(password)} characters, expected {SHORTEST} to {LONGEST}")
    if not password.isprintable():
        raise BadInput("the password holds signs that cannot be typed; expected printable text")
    return _hasher.hash(password)


def matches(password: str, stored: str | None) -> bool:
    """Whether a password fits a stored hash; takes as long when there is no user at all (None)."""
    # Longer than any that was ever stored, or no text: the answer is known, and costs what a real one does.
    asked = password if len(password) <= LONGEST and password.isprintable() else ""
    try:
        return _hasher.verify(_NOBODY if stored is None else stored, asked) and stored is not None
    except (VerifyMismatchError, InvalidHashError):
        return False


def outdated(stored: str) -> bool:
    """Whether a hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(stored)
