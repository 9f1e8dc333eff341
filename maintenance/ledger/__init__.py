"""The ledger: alarms, tickets, timeline, proofs, outbox, offsets and users in one SQLite file."""

from __future__ import annotations

from maintenance.ledger.acts import Report
from maintenance.ledger.ledger import Ledger
from maintenance.ledger.rows import EngineCommit, Policy, Reject, Route

__all__ = ["EngineCommit", "Ledger", "Policy", "Reject", "Report", "Route"]
