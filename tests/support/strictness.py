"""How a run of tests is judged: what is not collected says so in one line, and under CI nothing may be left out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest


class Strictness:
    """A pytest plugin; `shared` is the folder that tests marked `shared` read, `ci` is true where CI=true."""

    def __init__(self, *, shared: Path, ci: bool) -> None:
        self._shared = shared
        self._ci = ci
        self._not_collected = 0
        self._left_out: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Take out tests marked `shared` where the folder is absent."""
        if self._shared.is_dir():
            return
        kept = [item for item in items if item.get_closest_marker("shared") is None]
        self._not_collected = len(items) - len(kept)
        items[:] = kept

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Remember what -k, -m or --deselect took out."""
        self._left_out += [f"deselected: {item.nodeid}" for item in items]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember skips and expected failures."""
        if hasattr(report, "wasxfail"):
            self._left_out.append(f"xfail: {report.nodeid}")
        elif report.skipped:
            self._left_out.append(f"skipped: {report.nodeid}")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember whole modules that skipped themselves."""
        if report.skipped:
            self._left_out.append(f"skipped: {report.nodeid}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Under CI a run that left something out has failed."""
        if self._ci and self._left_out and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was not collected, and under CI what must not be left out."""
        if self._not_collected:
            terminalreporter.write_line(
                f"{self._not_collected} tests that read ../shared were not collected: the folder is not there"
            )
        if self._ci and self._left_out:
            terminalreporter.section("left out, which CI=true does not allow", red=True)
            for line in self._left_out:
                terminalreporter.write_line(line)
