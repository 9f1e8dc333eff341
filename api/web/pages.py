"""Every page in one table: its path, what answers it, and who may see it. Pages are no part of the API's schema."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends

from api import pictures
from api.access import at_least
from api.web import (
    account,
    accounts,
    commissioning,
    discovered,
    files,
    health,
    home,
    inbox,
    machines,
    muting,
    preferences,
    repairs,
    rulebook,
    scan,
    signin,
    ticketforms,
    ticketnew,
    ticketpages,
    tour,
    trends,
)
from maintenance.people import Role


@dataclass(frozen=True, slots=True)
class PageRoute:
    """One page or form. `least` is the role it takes, None: nobody has to sign in."""

    method: str
    path: str
    endpoint: Callable[..., Any]
    least: Role | None


_VIEWER, _CREW, _ENGINEER, _ADMIN = Role.VIEWER, Role.CREW, Role.ENGINEER, Role.ADMIN

PAGES: tuple[PageRoute, ...] = (
    PageRoute("GET", "/static/{version}/{name:path}", files.static_file, None),
    PageRoute("GET", "/", home.show_board, _VIEWER),
    PageRoute("GET", "/live/board", home.live_board, _VIEWER),
    PageRoute("GET", "/alarms", inbox.show_inbox, _VIEWER),
    PageRoute("GET", "/live/alarms", inbox.live_inbox, _VIEWER),
    PageRoute("GET", "/alarms/{id}", inbox.show_alarm, _VIEWER),
    PageRoute("POST", "/alarms/acknowledge", inbox.acknowledge, _CREW),
    PageRoute("POST", "/alarms/shelve", inbox.shelve, _CREW),
    PageRoute("POST", "/alarms/unshelve", inbox.unshelve, _CREW),
    PageRoute("GET", "/tickets", ticketpages.show_tickets, _VIEWER),
    PageRoute("GET", "/live/tickets", ticketpages.live_tickets, _VIEWER),
    PageRoute("GET", "/tickets/new", ticketnew.ask_ticket, _CREW),
    PageRoute("POST", "/tickets/new", ticketnew.open_ticket, _CREW),
    PageRoute("GET", "/tickets/{id}", ticketpages.show_ticket, _VIEWER),
    PageRoute("GET", "/live/tickets/{id}/{part}", ticketpages.live_ticket, _VIEWER),
    PageRoute("POST", "/tickets/{id}/move", ticketforms.move, _CREW),
    PageRoute("POST", "/tickets/{id}/comment", ticketforms.comment, _CREW),
    PageRoute("POST", "/tickets/{id}/assign", ticketforms.assign, _CREW),
    PageRoute("POST", "/tickets/{id}/verdict", ticketforms.judge, _CREW),
    PageRoute("POST", "/tickets/{id}/cause", ticketforms.diagnose, _CREW),
    PageRoute("POST", "/tickets/{id}/reset", ticketforms.reset, _CREW),
    PageRoute("POST", "/tickets/{id}/mute", ticketforms.mute, _CREW),
    PageRoute("POST", "/tickets/{id}/unmute", ticketforms.unmute, _CREW),
    PageRoute("GET", "/photos/{id}", pictures.show_photo, _VIEWER),
    PageRoute("GET", "/q/{code}", scan.landing, None),
    PageRoute("GET", "/q/{code}/report", scan.ask_report, None),
    PageRoute("POST", "/q/{code}/report", scan.take_report, None),
    PageRoute("GET", "/r/{token}", scan.report_status, None),
    PageRoute("GET", "/labels", scan.label_sheet, _CREW),
    PageRoute("GET", "/equipment", machines.list_machines, _VIEWER),
    PageRoute("GET", "/equipment/{id}", machines.show_machine, _VIEWER),
    PageRoute("POST", "/equipment/{id}/mute", muting.mute, _CREW),
    PageRoute("POST", "/equipment/{id}/unmute", muting.unmute, _CREW),
    PageRoute("GET", "/live/equipment/{id}", machines.live_machine, _VIEWER),
    PageRoute("GET", "/rules", rulebook.list_rules, _VIEWER),
    PageRoute("GET", "/rules/{id}", rulebook.show_rule, _VIEWER),
    PageRoute("GET", "/live/rules/{id}", rulebook.live_rule, _VIEWER),
    PageRoute("GET", "/trends", trends.explore, _VIEWER),
    PageRoute("GET", "/more", preferences.more, _VIEWER),
    PageRoute("GET", "/demo/enter", signin.enter_demo, None),
    PageRoute("GET", "/demo", tour.show_tour, _VIEWER),
    PageRoute("GET", "/live/demo", tour.live_tour, _VIEWER),
    PageRoute("POST", "/demo/break/{kind}", tour.break_it, _CREW),
    PageRoute("POST", "/demo/mend/{kind}", tour.mend_it, _CREW),
    PageRoute("POST", "/preferences", preferences.prefer, None),
    PageRoute("GET", "/login", signin.login, None),
    PageRoute("POST", "/login", signin.sign_in, None),
    PageRoute("POST", "/logout", signin.sign_out, None),
    # Open to whoever must choose a password before anything else; they ask for a session themselves.
    PageRoute("GET", "/password", signin.password_form, None),
    PageRoute("POST", "/password", signin.set_password, None),
    PageRoute("GET", "/health", health.show_health, _VIEWER),
    PageRoute("GET", "/live/health", health.live_health, _VIEWER),
    PageRoute("POST", "/health/notices/{id}/retry", health.retry_notice, _ENGINEER),
    PageRoute("GET", "/commissioning", commissioning.list_commissioning, _VIEWER),
    PageRoute("GET", "/commissioning/{id}", commissioning.show_commissioning, _VIEWER),
    PageRoute("POST", "/commissioning/{id}/check", commissioning.check_machine, _ENGINEER),
    PageRoute("POST", "/commissioning/{id}/decision", commissioning.decide, _ENGINEER),
    PageRoute("GET", "/repairs", repairs.show_repairs, _VIEWER),
    PageRoute("GET", "/discovered", discovered.list_discovered, _ENGINEER),
    PageRoute("POST", "/discovered/listen", discovered.listen, _ENGINEER),
    PageRoute("GET", "/discovered/{id}", discovered.show_family, _ENGINEER),
    PageRoute("POST", "/discovered/{id}/accept", discovered.accept, _ENGINEER),
    PageRoute("POST", "/discovered/{id}/ignore", discovered.ignore, _ENGINEER),
    PageRoute("GET", "/acceptances/{id}", discovered.show_acceptance, _ENGINEER),
    PageRoute("GET", "/live/acceptances/{id}", discovered.live_acceptance, _ENGINEER),
    PageRoute("GET", "/account", account.show_account, _VIEWER),
    PageRoute("POST", "/account/sessions", account.end_sessions, _VIEWER),
    PageRoute("GET", "/users", accounts.list_users, _ADMIN),
    PageRoute("POST", "/users", accounts.add_user, _ADMIN),
    PageRoute("GET", "/users/{name}", accounts.show_user, _ADMIN),
    PageRoute("POST", "/users/{name}/role", accounts.set_role, _ADMIN),
    PageRoute("POST", "/users/{name}/act", accounts.act_on_user, _ADMIN),
    PageRoute("GET", "/audit", accounts.list_audit, _ADMIN),
)


def router() -> APIRouter:
    """The table as FastAPI's routes."""
    made = APIRouter(include_in_schema=False)
    for page in PAGES:
        made.add_api_route(
            page.path,
            page.endpoint,
            methods=[page.method],
            dependencies=[] if page.least is None else [Depends(at_least(page.least))],
            response_model=None,
        )
    return made
