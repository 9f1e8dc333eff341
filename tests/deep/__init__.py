"""The long property runs: `python -m tests.deep`."""
