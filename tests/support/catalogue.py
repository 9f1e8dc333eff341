"""Finds every text of the pages; `python -m tests.support.catalogue` prints those without English, as a .po."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.extract import extract_from_file

from api.web.language import english

ROOT = Path(__file__).resolve().parents[2] / "api" / "web"
_OPTIONS = {"newstyle_gettext": "true", "trimmed": "false", "silent": "false"}

MessageId = str | tuple[str, ...]


def messages() -> Iterator[tuple[MessageId, str]]:
    """Every message and where it stands (`templates/board.html:12`)."""
    for path in sorted(ROOT.glob("templates/**/*.html")):
        yield from _in(path, "jinja2.ext:babel_extract", dict(_OPTIONS))
    for path in sorted(ROOT.glob("**/*.py")):
        yield from _in(path, "python", {})


def _in(path: Path, method: str, options: dict[str, str]) -> Iterator[tuple[MessageId, str]]:
    for line, message, _, _ in extract_from_file(method, path, options=options):
        yield message, f"{path.relative_to(ROOT).as_posix()}:{line}"


def missing() -> dict[MessageId, str]:
    """Messages without English, with one place each."""
    known = english()
    return {message: where for message, where in messages() if message not in known}


if __name__ == "__main__":
    for message, where in missing().items():
        ids = (message,) if isinstance(message, str) else message
        sys.stdout.write(f'#: {where}\nmsgid "{ids[0]}"\n')
        if len(ids) > 1:
            sys.stdout.write(f'msgid_plural "{ids[1]}"\nmsgstr[0] ""\nmsgstr[1] ""\n\n')
        else:
            sys.stdout.write('msgstr ""\n\n')
