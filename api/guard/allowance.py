"""Counts requests of those who have not signed in: by the address they come from, or by what they are about."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable

from fastapi import Request

from api.guard.limits import Purpose
from api.office import AnOffice

_IPV6_NET = 64


def address_of(request: Request) -> str:
    """Whom to count a request for: its IPv4 address, or the IPv6 network that one household or office has."""
    host = request.client.host if request.client is not None else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, _IPV6_NET), strict=False))
    return host


def allowance(purpose: Purpose, part: str | None = None) -> Callable[[Request, AnOffice], Awaitable[None]]:
    """A dependency that counts a request by its address, or by the part of its path that is named `part`."""

    async def check(request: Request, office: AnOffice) -> None:
        whose = address_of(request) if part is None else _plain(str(request.path_params[part]))
        office.limits.take(purpose, whose)

    return check


def _plain(part: str) -> str:
    """A code however it was typed: with or without dashes, in small letters or capitals."""
    return "".join(sign for sign in part.upper() if sign.isalnum())
