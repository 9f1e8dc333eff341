"""Serves the static files; their address holds their version, so a browser asks for each once."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Request
from fastapi.responses import Response

from api.web.render import Templates
from plant.errors import NotFound


async def static_file(
    request: Request, version: str, name: str, accept_encoding: Annotated[str, Header()] = ""
) -> Response:
    """One static file, gzipped where the browser takes it."""
    templates: Templates = request.app.state.templates
    asset = templates.statics.find(name)
    if asset is None:
        raise NotFound(f"there is no file {name}")
    headers = {"Cache-Control": templates.statics.cache_control(version), "Vary": "Accept-Encoding"}
    if asset.packed is not None and "gzip" in accept_encoding:
        return Response(asset.packed, headers=headers | {"Content-Encoding": "gzip"}, media_type=asset.media_type)
    return Response(asset.body, headers=headers, media_type=asset.media_type)
