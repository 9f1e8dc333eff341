"""The house holds: imports point down, files stay readable, nothing of any one machine is in the project."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.house import ROOT, lock_problems, too_long, traces_of_a_machine, tracked_files


def test_imports_point_down_only() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_file_is_too_long_to_hold_in_the_head() -> None:
    assert too_long(ROOT, tracked_files(ROOT)) == []


def test_no_file_names_a_path_of_a_machine_or_a_registry() -> None:
    files = tracked_files(ROOT)
    assert Path("pyproject.toml") in files
    assert traces_of_a_machine(ROOT, files) == []


def test_lock_files_are_in_step_and_name_no_index() -> None:
    assert lock_problems(ROOT) == []


def test_every_package_of_ours_says_in_its_docstring_what_it_is_for() -> None:
    silent = [
        str(file)
        for file in tracked_files(ROOT)
        if file.suffix == ".py"
        and file.parts[0] not in ("tests", "benchmarks")
        and "versions" not in file.parts
        and not file.name.endswith("_pb2.py")  # the generator writes its comments first
        and not (ROOT / file).read_text(encoding="utf-8").startswith('"""')
    ]
    assert silent == []
