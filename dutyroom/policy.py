"""Who is told of tickets, as the settings say: the same for the service and for what people do on the command line."""

from __future__ import annotations

from dutyroom.settings import Settings
from maintenance.ledger import Route


def notice_routes(settings: Settings) -> tuple[Route, ...]:
    """The log always, the webhook where there is one."""
    return (Route("log"), Route("webhook")) if settings.webhook is not None else (Route("log"),)
