"""What the other side may not send."""

from __future__ import annotations

from plant.errors import BadInput


class Malformed(BadInput):
    """Bytes that are no MQTT, or that we did not agree to; the connection cannot go on."""
