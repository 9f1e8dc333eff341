"""The rules of a run, seen from outside: each case runs pytest on a small folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CONFTEST = """
from pathlib import Path
from tests.support.strictness import Strictness

def pytest_configure(config):
    config.addinivalue_line("markers", "shared: reads the folder beside")
    config.pluginmanager.register(Strictness(shared=Path({shared!r}), ci={ci}), "strictness")
"""
PLAIN = "def test_plain():\n    assert True\n"
SKIPPED = PLAIN + "import pytest\n\n@pytest.mark.skip\ndef test_skipped():\n    pass\n"
EXPECTED_TO_FAIL = PLAIN + "import pytest\n\n@pytest.mark.xfail\ndef test_xfail():\n    assert False\n"
MODULE_SKIP = "import pytest\npytest.skip('not here', allow_module_level=True)\n"
SHARED = PLAIN + "import pytest\n\n@pytest.mark.shared\ndef test_reads_shared():\n    assert True\n"


def run(folder: Path, source: str, *arguments: str, ci: bool, shared: str = "/nowhere-at-all") -> tuple[int, str]:
    """Exit status and output of pytest over a file of `source` and a plain one, under the plugin."""
    (folder / "conftest.py").write_text(CONFTEST.format(ci=ci, shared=shared))
    (folder / "test_it.py").write_text(source)
    (folder / "test_other.py").write_text(PLAIN)
    (folder / "pytest.ini").write_text("[pytest]\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments, str(folder)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("source", "arguments", "named"),
    [
        pytest.param(SKIPPED, (), "skipped: test_it.py::test_skipped", id="skip"),
        pytest.param(EXPECTED_TO_FAIL, (), "xfail: test_it.py::test_xfail", id="xfail"),
        pytest.param(MODULE_SKIP, (), "skipped: test_it.py", id="module skip"),
        pytest.param(SKIPPED, ("-k", "plain"), "deselected: test_it.py::test_skipped", id="deselection"),
    ],
)
def test_whatever_is_left_out_fails_the_run_under_ci_only(
    tmp_path: Path, source: str, arguments: tuple[str, ...], named: str
) -> None:
    status, output = run(tmp_path, source, *arguments, ci=True)
    assert named in output
    assert status == 1
    status_at_home, output_at_home = run(tmp_path, source, *arguments, ci=False)
    assert "CI=true" not in output_at_home
    assert status_at_home == 0


def test_a_full_run_passes_under_ci(tmp_path: Path) -> None:
    assert run(tmp_path, PLAIN, ci=True)[0] == 0


def test_shared_tests_are_not_collected_where_the_folder_is_absent_and_one_line_says_so(tmp_path: Path) -> None:
    status, output = run(tmp_path, SHARED, ci=True)
    assert status == 0
    assert "2 passed" in output
    assert output.count("1 tests that read ../shared were not collected") == 1


def test_shared_tests_run_where_the_folder_is(tmp_path: Path) -> None:
    status, output = run(tmp_path, SHARED, ci=True, shared=str(tmp_path))
    assert status == 0
    assert "3 passed" in output
    assert "not collected" not in output
