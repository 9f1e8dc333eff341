"""`dutyroom plant check` answers with its exit code: 0 for a sound registry, 2 with every mistake's place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def run(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from dutyroom.cli import main; main()", "plant", "check", str(path)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def test_a_sound_registry_is_summed_up() -> None:
    done = run(ROOT / "dutyroom" / "demo" / "site.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("demo (Asia/Shanghai): 47 machines, ")


def test_every_mistake_is_printed_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(
        "site: {id: s, zone: UTC, name: {zh: 站, en: Site}}\n"
        "equipment:\n"
        "  - {id: c, path: a/c, type: chiller, name: {zh: 冷机, en: Chiller}, rules: {CH-4: {mode: live}}}\n"
        "  - {id: p, path: a/p, type: pmp, name: {zh: 水泵, en: Pump}}\n",
        "utf-8",
    )
    done = run(path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        f"{path}:3:76: unknown rule 'CH-4'; found 'CH-4'; did you mean 'CH-04'?",
        f"{path}:4:30: unknown equipment type 'pmp'; found 'pmp'; did you mean 'pump'?",
    ]


def test_a_path_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    done = run(tmp_path / "none")
    assert done.returncode == 2
    assert "No such file" in done.stderr
