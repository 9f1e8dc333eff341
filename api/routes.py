"""Every route of the API in one table: what answers it, who may ask, and which problems it may answer with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from fastapi.sse import EventSourceResponse

from api import (
    alarms,
    commissioning,
    discovered,
    equipment,
    health,
    metrics,
    pictures,
    repairs,
    reports,
    stream,
    telemetry,
    tickets,
)
from api.access import at_least
from api.problems import documented
from maintenance.people import Role

PREFIX = "/api/v1"


@dataclass(frozen=True, slots=True)
class Route:
    """One route. `least` is the role it takes, None: nobody has to sign in. `problems` are statuses beside success."""

    method: str
    path: str
    endpoint: Callable[..., Any]
    least: Role | None
    problems: tuple[int, ...]
    success: int = 200
    response: type[Response] = JSONResponse


_OPEN = (405,)
_READ = (401, 403, 405, 422, 500, 503)
_ANYBODY = (400, 404, 405, 422, 500, 503)
_ONE = (*_READ, 404)
_ACT = (*_ONE, 400, 409, 413, 429)
_VIEWER, _CREW, _ENGINEER = Role.VIEWER, Role.CREW, Role.ENGINEER

ROUTES: tuple[Route, ...] = (
    Route("GET", "/healthz", health.healthz, None, _OPEN),
    Route("GET", "/readyz", health.readyz, None, (*_OPEN, 503)),
    Route("GET", "/metrics", metrics.metrics, None, _OPEN, response=PlainTextResponse),
    Route("GET", f"{PREFIX}/equipment", equipment.list_equipment, _VIEWER, _READ),
    Route("GET", f"{PREFIX}/points", equipment.list_points, _VIEWER, _READ),
    Route("GET", f"{PREFIX}/rules", equipment.list_rules, _VIEWER, _READ),
    Route("GET", f"{PREFIX}/alarms", alarms.list_alarms, _VIEWER, _READ),
    Route("GET", f"{PREFIX}/alarms/counts", alarms.count_alarms, _VIEWER, _READ),
    Route("POST", f"{PREFIX}/alarms/acknowledge", alarms.acknowledge_alarms, _CREW, _ACT),
    Route("POST", f"{PREFIX}/alarms/{{id}}/acknowledge", alarms.acknowledge_alarm, _CREW, _ACT),
    Route("POST", f"{PREFIX}/alarms/{{id}}/shelve", alarms.shelve_alarm, _CREW, _ACT),
    Route("POST", f"{PREFIX}/alarms/{{id}}/unshelve", alarms.unshelve_alarm, _CREW, _ACT, success=204),
    Route("POST", f"{PREFIX}/alarms/{{id}}/reset", alarms.reset_alarm, _CREW, (*_ONE, 409, 413, 429), success=202),
    Route("GET", f"{PREFIX}/mutes", alarms.list_mutes, _VIEWER, _READ),
    Route("POST", f"{PREFIX}/mutes", alarms.mute_equipment, _CREW, _ACT),
    Route("POST", f"{PREFIX}/mutes/{{id}}/end", alarms.end_mute, _CREW, _ACT),
    Route("GET", f"{PREFIX}/tickets", tickets.list_tickets, _VIEWER, _READ),
    Route("POST", f"{PREFIX}/tickets", tickets.open_ticket, _CREW, _ACT, success=201),
    Route("GET", f"{PREFIX}/tickets/{{id}}", tickets.show_ticket, _VIEWER, _ONE),
    Route("POST", f"{PREFIX}/tickets/{{id}}/transitions", tickets.move_ticket, _CREW, _ACT),
    Route("POST", f"{PREFIX}/tickets/{{id}}/comments", tickets.comment_ticket, _CREW, _ACT, success=204),
    Route("POST", f"{PREFIX}/tickets/{{id}}/photos", pictures.add_photo, _CREW, _ACT, success=201),
    Route("GET", f"{PREFIX}/photos/{{id}}", pictures.show_photo, _VIEWER, _ONE, response=pictures.Jpeg),
    Route("POST", f"{PREFIX}/tickets/{{id}}/assignee", tickets.assign_ticket, _CREW, _ACT),
    Route("POST", f"{PREFIX}/tickets/{{id}}/verdict", tickets.judge_ticket, _CREW, _ACT),
    Route("POST", f"{PREFIX}/tickets/{{id}}/cause", tickets.diagnose_ticket, _CREW, _ACT),
    Route("GET", f"{PREFIX}/labels", reports.list_labels, _CREW, _READ),
    Route("GET", f"{PREFIX}/codes/{{code}}", reports.show_machine, None, _ANYBODY),
    Route(
        "POST",
        f"{PREFIX}/codes/{{code}}/reports",
        reports.report_fault,
        None,
        (*_ANYBODY, 403, 409, 413, 429),
        success=201,
    ),
    Route("GET", f"{PREFIX}/reports/{{token}}", reports.show_status, None, _ANYBODY),
    Route(
        "POST", f"{PREFIX}/reports/{{token}}/photos", pictures.add_report_photo, None, (*_ANYBODY, 409, 413, 429), 204
    ),
    Route("GET", f"{PREFIX}/proofs/{{hash}}", tickets.show_proof, _VIEWER, _ONE),
    Route("GET", f"{PREFIX}/rejects", alarms.list_rejects, _ENGINEER, _READ),
    Route("GET", f"{PREFIX}/repairs", repairs.list_repairs, _VIEWER, _ONE),
    Route("GET", f"{PREFIX}/repairs.csv", repairs.repairs_csv, _VIEWER, _ONE, response=telemetry.Csv),
    Route("GET", f"{PREFIX}/discovered", discovered.list_discovered, _ENGINEER, _READ),
    Route("POST", f"{PREFIX}/discovered/listen", discovered.listen, _ENGINEER, _ACT),
    Route("GET", f"{PREFIX}/discovered/{{id}}", discovered.show_discovered, _ENGINEER, (*_ONE, 400)),
    Route("POST", f"{PREFIX}/discovered/{{id}}/accept", discovered.accept_discovered, _ENGINEER, _ACT, success=202),
    Route("POST", f"{PREFIX}/discovered/{{id}}/ignore", discovered.ignore_discovered, _ENGINEER, _ACT),
    Route("GET", f"{PREFIX}/acceptances/{{id}}", discovered.show_acceptance, _ENGINEER, _ONE),
    Route("GET", f"{PREFIX}/commissioning", commissioning.list_commissioning, _VIEWER, _READ),
    Route("GET", f"{PREFIX}/commissioning/{{id}}", commissioning.show_commissioning, _VIEWER, _ONE),
    Route("POST", f"{PREFIX}/commissioning/{{id}}/check", commissioning.check_commissioning, _ENGINEER, _ACT),
    Route("POST", f"{PREFIX}/commissioning/{{id}}/decision", commissioning.decide_commissioning, _ENGINEER, _ACT),
    Route("GET", f"{PREFIX}/latest", telemetry.latest, _VIEWER, _ONE),
    Route("GET", f"{PREFIX}/trends", telemetry.trends, _VIEWER, (*_ONE, 400)),
    Route("GET", f"{PREFIX}/trends.csv", telemetry.trends_csv, _VIEWER, (*_ONE, 400), response=telemetry.Csv),
    Route("GET", f"{PREFIX}/stream", stream.stream, _VIEWER, (*_READ, 429), response=EventSourceResponse),
)


def router() -> APIRouter:
    """The table as FastAPI's routes."""
    made = APIRouter()
    for route in ROUTES:
        made.add_api_route(
            route.path,
            route.endpoint,
            methods=[route.method],
            status_code=route.success,
            response_class=route.response,
            dependencies=[] if route.least is None else [Depends(at_least(route.least))],
            responses=documented(*sorted(route.problems)),
        )
    return made
