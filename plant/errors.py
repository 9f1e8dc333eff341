"""The one error tree: each class says what the caller can do about it.

DutyroomError
├── ConfigError        a file of the user's is wrong: fix it at file:line:column
├── BadInput           an argument or a request is wrong: fix it and send again
│   └── NotFound       the thing named does not exist
├── Conflict           the thing changed or may not change so: look again
├── NotPermitted       the caller may not do this
├── Unavailable        something outside is away: retry later
│   └── StorageFull    the disk (or its limit) is full: free space
└── Corrupt            stored data fails its check: restore or rebuild
"""

from __future__ import annotations

from dataclasses import dataclass


class DutyroomError(Exception):
    """Root of every error this service raises on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a user's file.

    `line` and `column` count from 1. `text` is the offending text, `expected` what would have been right,
    `hint` one thing to do.
    """

    file: str
    line: int
    column: int
    message: str
    text: str = ""
    expected: str = ""
    hint: str = ""

    def __str__(self) -> str:
        parts = [f"{self.file}:{self.line}:{self.column}: {self.message}"]
        if self.text:
            parts.append(f"found {self.text!r}")
        if self.expected:
            parts.append(f"expected {self.expected}")
        if self.hint:
            parts.append(self.hint)
        return "; ".join(parts)


class ConfigError(DutyroomError):
    """One or more mistakes in files of the user's; all that were found, in file order."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class BadInput(DutyroomError):
    """An argument, message or request that cannot be understood."""


class NotFound(BadInput):
    """The thing named does not exist."""


class Conflict(DutyroomError):
    """The thing has changed meanwhile, or may not change in this way."""


class NotPermitted(DutyroomError):
    """The caller is known but may not do this."""


class Unavailable(DutyroomError):
    """Something outside (broker, store, channel) does not answer; trying later may work."""


class StorageFull(Unavailable):
    """No room to write; nothing was written, nothing was acknowledged."""


class Corrupt(DutyroomError):
    """Stored data does not pass its own check."""
