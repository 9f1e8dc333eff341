"""`for:` in site files: one entry that stands for many, each with other values for its placeholders."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product

MOST = 10_000
"""Entries one `for` may stand for; more is a slip of the pen."""

_RANGE = re.compile(r"(\d{1,9})\.\.(\d{1,9})")
_NAME = re.compile(r"[a-z][a-z0-9_]*")

Choices = str | tuple[str | int, ...]
"""`01..20`, or a list of words."""

For = dict[str, Choices] | tuple[dict[str, str | int], ...]
"""Placeholder → its values (every combination of several), or a list of rows."""


def rows(given: For) -> list[Mapping[str, str]]:
    """The values of each entry, in order. Raises ValueError saying what is wrong."""
    if isinstance(given, dict):
        names = list(given)
        lists = [list(_choices(name, given[name])) for name in names]
        size = 1
        for choices in lists:
            size *= len(choices)
        if size > MOST:
            raise ValueError(f"{size} entries; at most {MOST} of one 'for'")
        found: list[Mapping[str, str]] = [dict(zip(names, chosen, strict=True)) for chosen in product(*lists)]
    else:
        found = [{name: str(value) for name, value in row.items()} for row in given]
        names = list(found[0]) if found else []
        for number, row in enumerate(found, 1):
            if set(row) != set(names):
                raise ValueError(f"row {number} gives {_list(row)}, row 1 gives {_list(names)}; give the same in each")
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no placeholder; expected small letters, digits and '_'")
    if not found:
        raise ValueError("there is nothing in it; give a range such as 1..20, a list, or rows")
    return found


def _choices(name: str, given: Choices) -> Iterator[str]:
    if not isinstance(given, str):
        yield from map(str, given)
        return
    found = _RANGE.fullmatch(given)
    if found is None:
        raise ValueError(f"{name} is {given!r}; expected a range such as 1..20 or 01..20, or a list")
    first, last = int(found[1]), int(found[2])
    if last < first or last - first >= MOST:
        raise ValueError(f"{given} is no range upwards of at most {MOST}")
    width = len(found[1]) if found[1].startswith("0") else 0
    yield from (str(number).zfill(width) for number in range(first, last + 1))


def _list(names: Iterator[str] | Mapping[str, str] | list[str]) -> str:
    return ", ".join(names) or "nothing"
