"""`python -m dutyroom` is the command line."""

from __future__ import annotations

from dutyroom.cli import main

main()
