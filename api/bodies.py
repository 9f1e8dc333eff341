"""Refuses request bodies that are larger than any the API asks for, before they are held in memory."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 64 * 1024
MOST_BYTES_OF_PHOTOS = {"/photos": 9 * 1024 * 1024, "/comment": 26 * 1024 * 1024, "/report": 26 * 1024 * 1024}
"""By the ends of the paths that take photos: one of 8 MB, or a form with three; each is measured again by itself."""


class Bounded:
    """ASGI middleware. The framework's own limit answers in plain text, so that a 413 would be no problem document."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = next((most for end, most in MOST_BYTES_OF_PHOTOS.items() if scope["path"].endswith(end)), MOST_BYTES)
        declared = Headers(scope=scope).get("content-length", "0")
        total = 0

        async def bounded() -> Message:
            nonlocal total
            if declared.isdecimal() and int(declared) > most:
                raise _too_large(most)
            message = await receive()
            total += len(message.get("body", b""))
            if total > most:
                raise _too_large(most)
            return message

        await self._app(scope, bounded, send)


def _too_large(most: int) -> HTTPException:
    return HTTPException(413, f"the body is larger than {most} bytes")
