"""Makes the past of a simulation: all up to the present, as fast as the broker acknowledges, over one raw socket."""

from __future__ import annotations

from simulators.broker import BrokerAddress
from simulators.simulation import Message, Simulation
from simulators.wire import LAST_PACKET_ID, Wire, publish_head

_TICK_S = 60
_WAIT_S = 0.05


class Past:
    """A connection that speaks for the simulation until its present has come.

    The plant clock follows each minute of messages only after the broker has acknowledged all of them. Raises
    BrokerAway when the broker stays away for `patience` seconds; until then what it has not acknowledged is sent again.
    """

    def __init__(self, simulation: Simulation, address: BrokerAddress, *, clock: bool, patience: float) -> None:
        self._simulation = simulation
        self._clock = clock
        self._wire = Wire(address, f"past-{simulation.site}", patience)
        self._id = 0
        self.sent = 0

    def make(self, present: int) -> int:
        """Send everything up to `present`, ms UTC; returns how many messages that were."""
        try:
            while self._simulation.now < present and not self._simulation.done:
                left = (present - self._simulation.now) // 1000
                self._send(self._simulation.step(min(_TICK_S, max(1, left))))
                if self._clock:
                    self._send([self._simulation.clock()])
        finally:
            self._wire.close()
        return self.sent

    def _send(self, messages: list[Message]) -> None:
        """Send, and wait for every acknowledgement."""
        if messages:
            self._wire.push([self._packet(message) for message in messages])
            self.sent += len(messages)
        while self._wire.in_flight:
            self._wire.pump(_WAIT_S)

    def _packet(self, message: Message) -> bytes:
        self._id = self._id % LAST_PACKET_ID + 1
        head = publish_head(message.topic, len(message.payload), retain=message.retain)
        return head + self._id.to_bytes(2, "big") + message.payload
