"""What a person may choose for this browser: language and light or dark; and the page where they choose."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.web.language import COOKIE, Language
from api.web.render import THEME_COOKIE, THEMES, APage

_YEAR_S = 365 * 24 * 3600


async def more(page: APage) -> HTMLResponse:
    """Everything the phone's menu has no room for."""
    return page.render("more.html")


async def prefer(
    lang: Annotated[Language | None, Form()] = None,
    theme: Annotated[str | None, Form(pattern=f"^({'|'.join(THEMES)})$")] = None,
    next: Annotated[str, Form(max_length=2_000)] = "/",
) -> Response:
    """Remember the choice in a cookie and go back."""
    answer = RedirectResponse(local_path(next), 303)
    for name, value in ((COOKIE, lang.value if lang else None), (THEME_COOKIE, theme)):
        if value is not None:
            answer.set_cookie(name, value, max_age=_YEAR_S, samesite="lax", httponly=True)
    return answer


def local_path(path: str) -> str:
    """A path of this service to go on to; `/` for whatever would lead away from it."""
    if not path.startswith("/") or path.startswith(("//", "/\\")) or any(ord(sign) < 32 for sign in path):
        return "/"
    return path
