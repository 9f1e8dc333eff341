"""Refuses changes that another site's page makes a signed-in browser send (cross-site request forgery)."""

from __future__ import annotations

from http import HTTPMethod
from urllib.parse import urlsplit

from fastapi import Request

from api.problems import FromElsewhere

SESSION_COOKIE = "dutyroom_session"
SAFE = frozenset({HTTPMethod.GET, HTTPMethod.HEAD, HTTPMethod.OPTIONS})


async def same_origin(request: Request) -> None:
    """A dependency of the whole app; raises FromElsewhere.

    A request with an Authorization header is let through: no browser adds that by itself, and beside it the cookie
    counts for nothing. Of all others browsers say where they come from; where neither header does, as in some old
    apps' browsers, whoever has a session is refused.
    """
    if request.method in SAFE or "authorization" in request.headers:
        return
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site not in ("same-origin", "none"):
            raise FromElsewhere(
                f"this request was made by a page of another site ({site}); open the page here and repeat"
            )
        return
    origin = request.headers.get("origin")
    if origin is not None:
        if urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower():
            raise FromElsewhere("this request was made by a page of another origin; open the page here and repeat")
        return
    if SESSION_COOKIE in request.cookies:
        raise FromElsewhere(
            "this browser does not say which page made the request (no Sec-Fetch-Site, no Origin), so nothing was "
            "changed; use another browser, or a token"
        )
