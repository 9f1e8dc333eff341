"""The commissioning check: is what a machine sends what its rules take it for, before one of them may open a ticket."""

from maintenance.commissioning.check import check
from maintenance.commissioning.reading import HOUR_MS, HOURS, MOST_HOURS, check_stored
from maintenance.commissioning.report import Cause, Check, Fault, Outcome, Report, Result
from maintenance.commissioning.stage import Stage, stage_of
from maintenance.commissioning.window import Window, wanted

__all__ = [
    "HOURS",
    "HOUR_MS",
    "MOST_HOURS",
    "Cause",
    "Check",
    "Fault",
    "Outcome",
    "Report",
    "Result",
    "Stage",
    "Window",
    "check",
    "check_stored",
    "stage_of",
    "wanted",
]
