"""The operators' guides: the commands, files and metrics they name exist, and both languages say the same ones."""

from __future__ import annotations

import re

from tests.support.house import ROOT
from tests.unit.deploy.test_files import accepts

GUIDES = [ROOT / "docs" / "guides" / name for name in ("operators.md", "operators.zh-CN.md")]
_BLOCK = re.compile(r"^```\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(name: str) -> list[str]:
    """Each block of commands, without comments."""
    text = (ROOT / "docs" / "guides" / name).read_text(encoding="utf-8")
    return [re.sub(r"\s+# .*$|^# .*$", "", block, flags=re.MULTILINE) for block in _BLOCK.findall(text)]


def test_both_languages_give_the_same_commands() -> None:
    english, chinese = (blocks(guide.name) for guide in GUIDES)
    assert english == chinese
    assert len(english) > 12


def test_every_command_of_ours_is_one() -> None:
    guide = GUIDES[0]
    lines = [line for block in blocks(guide.name) for line in re.split(r"\n| && ", block) if "influx auth" not in line]
    ours = [line.split()[1:] for line in lines if line.startswith("dutyroom ")]
    inside = [line.split(" dutyroom ", 1)[1].split() for line in lines if re.search(r"(run|exec) .*\bdutyroom ", line)]
    inside = [words[1:] if words[0] == "dutyroom" else words for words in inside]
    assert len(ours) > 12
    assert len(inside) == 3
    for words in ours + inside:
        # `restore` wants its file to be there already when it is parsed
        assert accepts([str(guide) if word.endswith(".tar.zst") else word for word in words]), words


def test_files_named_are_there() -> None:
    named = set(re.findall(r"(?<![\w/.])deploy/[\w./*-]+", "\n".join(blocks("operators.md"))))
    assert len(named) >= 6
    assert [name for name in named if not list(ROOT.glob(name))] == []


def test_metrics_of_the_alert_rules_are_told() -> None:
    source = (ROOT / "api" / "metrics.py").read_text(encoding="utf-8")
    names = set(re.findall(r"\bdutyroom_([a-z_]+?)(?:_total)?\b", "\n".join(blocks("operators.md"))))
    names -= {"5m", "1h"}
    assert len(names) == 5
    assert [name for name in names if f'"{name}"' not in source and f'"dutyroom_{name}"' not in source] == []
