"""What can go wrong when a simulation is asked for; each message says where and what was expected."""

from __future__ import annotations


class SimulatorError(Exception):
    """Root of the errors the simulators raise on purpose."""


class ScenarioError(SimulatorError):
    """A scenario, fault or argument that cannot be understood."""


class BrokerAway(SimulatorError):
    """The broker did not answer, or refused us, for longer than we were told to wait."""
