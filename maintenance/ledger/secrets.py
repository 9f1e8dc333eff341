"""Secrets a person or a browser holds: 256 random bits shown once, and the digest of them that the ledger keeps."""

from __future__ import annotations

import hashlib
import secrets

TOKEN_MARK = "dr_"  # noqa: S105 - what every token starts with, so that a scanner for leaked secrets can find one
_PASSWORD_BYTES = 12


def new_token() -> str:
    """A bearer token with 256 bits of randomness; shown once, never stored."""
    return TOKEN_MARK + secrets.token_urlsafe(32)


def new_session() -> str:
    """The secret of a session with 256 bits of randomness, for a cookie."""
    return secrets.token_urlsafe(32)


def new_password() -> str:
    """A password of 96 random bits for one sign-in."""
    return secrets.token_urlsafe(_PASSWORD_BYTES)


def digest(secret: str) -> str:
    """What is kept of a random secret; one round is enough, since nobody can guess 256 bits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
