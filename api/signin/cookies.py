"""The cookie that holds a session's secret: out of reach of scripts and of other sites' pages."""

from __future__ import annotations

from fastapi import Request, Response

from api.guard.origin import SESSION_COOKIE
from api.office import Office
from maintenance.ledger.sessions import LONGEST_MS


def keep(response: Response, request: Request, office: Office, secret: str) -> None:
    """Hand a session to the browser."""
    response.set_cookie(
        SESSION_COOKIE,
        secret,
        max_age=LONGEST_MS // 1_000,
        path="/",
        httponly=True,
        samesite="lax",
        secure=_secure(request, office),
    )


def drop(response: Response, request: Request, office: Office) -> None:
    """Make the browser forget its session."""
    response.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="lax", secure=_secure(request, office))


def _secure(request: Request, office: Office) -> bool:
    return request.url.scheme == "https" or office.deps.secure_cookies
