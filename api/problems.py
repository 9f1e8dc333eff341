"""Errors as RFC 9457 problems: one table from our error tree to HTTP status, one shape for everything that fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from maintenance.ticket import State
from plant.errors import (
    BadInput,
    ConfigError,
    Conflict,
    Corrupt,
    DutyroomError,
    NotFound,
    NotPermitted,
    StorageFull,
    Unavailable,
)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
MUST_CHANGE = "must-change-password"
TYPE = "urn:dutyroom:problem:"

_log = structlog.get_logger()


class AllowedMove(BaseModel):
    """A move the caller may make now, and what it asks for beyond the right to make it."""

    to: State
    needs: list[str] = Field(description="in words: a reason, that work has not begun, ...")


class FieldError(BaseModel):
    """One part of the request that does not fit."""

    where: str = Field(description="place in the request, e.g. query.limit or body.to")
    message: str


class Problem(BaseModel):
    """What went wrong and what to do about it (RFC 9457); the fields after `detail` only where they apply."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(description="urn:dutyroom:problem:<kind>, the same for the same kind of problem")
    title: str
    status: int
    detail: str
    errors: list[FieldError] | None = Field(None, description="422: every part that does not fit")
    reasons: list[str] | None = Field(None, description="503 of /readyz: why not")
    state: State | None = Field(None, description="409 of a ticket: where it stands now")
    version: int | None = Field(None, description="409 of a ticket: its version now")
    allowed: list[AllowedMove] | None = Field(None, description="409 of a ticket: the caller's moves from there")


class NotSignedIn(DutyroomError):
    """Nobody, or nobody we know, is asking."""


class FromElsewhere(NotPermitted):
    """A change that a page of another site asked for in the name of whoever is signed in here."""


class MustChangePassword(NotPermitted):
    """The caller was given a password for one sign-in and must choose one before anything else."""


class TooMany(DutyroomError):
    """The caller already holds as much as one may; letting go of some helps."""


class TooOften(DutyroomError):
    """The caller has done this too often of late; waiting helps."""

    def __init__(self, wait_s: int) -> None:
        self.wait_s = wait_s
        super().__init__(f"too often; try again in {wait_s} s")


class NotReady(Unavailable):
    """The service runs but cannot do its job yet."""

    def __init__(self, reasons: list[str]) -> None:
        self.reasons = reasons
        super().__init__("; ".join(reasons))


class TicketConflict(Conflict):
    """A ticket is not where the caller believed, or may not go where the caller wants it."""

    def __init__(self, detail: str, *, state: State, version: int, moves: list[AllowedMove]) -> None:
        self.state, self.version, self.moves = state, version, moves
        super().__init__(detail)


@dataclass(frozen=True, slots=True)
class _Kind:
    status: HTTPStatus
    name: str
    title: str


KINDS: Mapping[type[DutyroomError], _Kind] = {
    DutyroomError: _Kind(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "The service made a mistake"),
    ConfigError: _Kind(HTTPStatus.INTERNAL_SERVER_ERROR, "configuration", "A file of the site is wrong"),
    Corrupt: _Kind(HTTPStatus.INTERNAL_SERVER_ERROR, "corrupt", "Stored data fails its check"),
    BadInput: _Kind(HTTPStatus.BAD_REQUEST, "bad-input", "The request cannot be understood"),
    NotFound: _Kind(HTTPStatus.NOT_FOUND, "not-found", "There is no such thing"),
    Conflict: _Kind(HTTPStatus.CONFLICT, "conflict", "It has changed, or may not change so"),
    NotSignedIn: _Kind(HTTPStatus.UNAUTHORIZED, "not-signed-in", "Sign in first"),
    NotPermitted: _Kind(HTTPStatus.FORBIDDEN, "not-permitted", "Your role may not do this"),
    FromElsewhere: _Kind(HTTPStatus.FORBIDDEN, "from-elsewhere", "Asked for by a page of another site"),
    MustChangePassword: _Kind(HTTPStatus.FORBIDDEN, MUST_CHANGE, "Choose a password of your own first"),
    TooMany: _Kind(HTTPStatus.TOO_MANY_REQUESTS, "too-many", "You hold too many already"),
    TooOften: _Kind(HTTPStatus.TOO_MANY_REQUESTS, "too-often", "Wait a moment"),
    Unavailable: _Kind(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "Try again later"),
    StorageFull: _Kind(HTTPStatus.SERVICE_UNAVAILABLE, "storage-full", "No room to write"),
    NotReady: _Kind(HTTPStatus.SERVICE_UNAVAILABLE, "not-ready", "Not ready yet"),
}

_HEADERS: Mapping[HTTPStatus, Mapping[str, str]] = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": 'Bearer realm="dutyroom"'},
    HTTPStatus.TOO_MANY_REQUESTS: {"Retry-After": str(RETRY_AFTER_S)},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": str(RETRY_AFTER_S)},
}


AsPage = Callable[[Request, Problem], Response | None]
"""A failure as a page, None for whoever is no person with a browser."""


def install(app: FastAPI, as_page: AsPage) -> None:
    """Make every failure of the app, ours or the framework's, leave as a problem, or as a page where a person asked."""

    async def answered(request: Request, error: Exception) -> Response:
        problem = _answered(request, error)
        page = as_page(request, Problem.model_validate_json(bytes(problem.body)))
        if page is None:
            return problem
        if "retry-after" in problem.headers:
            page.headers["Retry-After"] = problem.headers["retry-after"]
        return page

    for kind in (DutyroomError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, answered)


def answer(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """The problem as a response."""
    status = HTTPStatus(problem.status)
    merged = dict(_HEADERS.get(status, {})) | dict(headers or {})
    return Response(problem.model_dump_json(exclude_none=True), status, merged, MEDIA_TYPE)


def documented(*statuses: int) -> dict[int | str, dict[str, object]]:
    """What OpenAPI says of a route that may answer with these problems."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


def kind_of(error: DutyroomError) -> _Kind:
    """The nearest kind up the error's ancestry; the root of the tree is always one."""
    return next(KINDS[cls] for cls in type(error).__mro__ if cls in KINDS)


def _answered(request: Request, error: Exception) -> Response:
    match error:
        case DutyroomError():
            return _ours(request, error)
        case HTTPException():
            return _frameworks(error)
        case RequestValidationError():
            return _malformed(error)
        case _:
            # The server logs the traceback; the caller learns only that it was not its fault.
            return answer(_problem(KINDS[DutyroomError], "an unexpected error; it is in the service's log"))


def _ours(request: Request, error: DutyroomError) -> Response:
    kind = kind_of(error)
    if kind.status >= HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(error, NotReady):
        _log.warning("request failed", method=request.method, path=request.url.path, kind=kind.name, error=str(error))
    problem = _problem(kind, _printable(str(error)))
    match error:
        case NotReady():
            problem.reasons = error.reasons
        case TicketConflict():
            problem.state, problem.version, problem.allowed = error.state, error.version, error.moves
        case TooOften():
            return answer(problem, {"Retry-After": str(error.wait_s)})
    return answer(problem)


def _frameworks(error: HTTPException) -> Response:
    status = HTTPStatus(error.status_code)
    kind = _Kind(status, status.phrase.lower().replace(" ", "-"), status.phrase)
    return answer(_problem(kind, error.detail), error.headers)


def _malformed(error: RequestValidationError) -> Response:
    # What was sent is not echoed: it may be a secret, and need not be text at all.
    found = [
        FieldError(where=_printable(".".join(str(part) for part in item["loc"])), message=_printable(item["msg"]))
        for item in error.errors()
    ]
    kind = _Kind(HTTPStatus.UNPROCESSABLE_ENTITY, "malformed", "The request has not the expected shape")
    problem = _problem(kind, "; ".join(f"{item.where}: {item.message}" for item in found))
    problem.errors = found
    return answer(problem)


def _problem(kind: _Kind, detail: str) -> Problem:
    return Problem.model_validate(
        {
            "type": TYPE + kind.name,
            "title": kind.title,
            "status": int(kind.status),
            "detail": detail,
        }
    )


def _printable(text: str) -> str:
    """Without lone surrogates, which JSON lets in and UTF-8 does not let out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
