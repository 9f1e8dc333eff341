"""The rule language: a small, unit-checked subset of Python expressions, evaluated exactly on rectangular blocks."""
