"""The front door: CLI, settings, wiring (the only composition root), migrations."""
