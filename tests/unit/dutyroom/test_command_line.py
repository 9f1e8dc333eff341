"""What the command line says of things outside that it cannot use."""

from __future__ import annotations

import sys

import pytest

from dutyroom.cli import main


def test_a_folder_that_cannot_be_made_is_named_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["dutyroom", "user", "add", "chen", "--role", "crew", "--data", "/dev/null/data"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert "cannot use /dev/null" in capsys.readouterr().err
