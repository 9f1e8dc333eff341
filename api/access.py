"""Who is asking: a bearer token becomes an Actor, and a route asks for a role."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.office import AnOffice, Office
from api.problems import NotSignedIn
from maintenance.ledger import users
from maintenance.people import Actor, Role
from plant.errors import DutyroomError, NotPermitted, Unavailable

_bearer = HTTPBearer(auto_error=False, description="a token of `dutyroom user add NAME --role ROLE`")

Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def identify(office: Office, credentials: HTTPAuthorizationCredentials | None) -> Actor:
    """Who a token speaks for. Raises NotSignedIn, and Unavailable when the ledger cannot be asked."""
    if credentials is None:
        raise NotSignedIn("send `Authorization: Bearer TOKEN`; `dutyroom user add` makes a token")
    try:
        actor = await office.read(users.actor_of_token, credentials.credentials)
    except DutyroomError as error:
        # The reason may name files of the server, and nobody knows yet who is asking.
        raise Unavailable("the ledger does not answer, so nobody can be signed in; try again") from error
    if actor is None:
        raise NotSignedIn("this token is unknown, revoked or of a disabled user; ask for a new one")
    return actor


async def _caller(office: AnOffice, credentials: Credentials) -> Actor:
    return await identify(office, credentials)


Caller = Annotated[Actor, Depends(_caller)]


def at_least(role: Role) -> Callable[[Actor], Awaitable[None]]:
    """A dependency that lets callers of this role or above pass."""

    async def check(caller: Caller) -> None:
        if not caller.at_least(role):
            raise NotPermitted(f"{caller.name} is {caller.role}; this takes {role} or above")

    return check
