"""Static files in memory under one version: what the pages' style, scripts and libraries are served from."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from plant.errors import NotFound

ROOT = Path(__file__).parent / "static"
VENDOR = ("vendor/htmx.min.js", "vendor/uPlot.iife.min.js", "vendor/uPlot.min.css")

_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_LEAST_GAIN = 200
_FOREVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "public, max-age=60"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its bytes plain and, where that is worth it, gzipped."""

    media_type: str
    body: bytes
    packed: bytes | None


class Statics:
    """Every static file, read once. A file's address holds a hash of all of them, so it may be kept for ever.

    Raises NotFound when the browser's libraries have not been fetched.
    """

    def __init__(self, root: Path = ROOT) -> None:
        missing = [name for name in VENDOR if not (root / name).is_file()]
        if missing:
            raise NotFound(
                f"the browser's libraries {', '.join(missing)} are not there; run `make setup`, which fetches them"
            )
        files = {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.suffix in _TYPES and not path.name.endswith(".d.ts")
        }
        self._assets: Mapping[str, Asset] = {name: _asset(name, body) for name, body in files.items()}
        digest = hashlib.sha256()
        for name, body in files.items():
            digest.update(name.encode() + b"\0" + body)
        self.version = digest.hexdigest()[:12]

    def url(self, name: str) -> str:
        """Where a file is served; a KeyError names one that does not exist."""
        self._assets[name]
        return f"/static/{self.version}/{name}"

    def find(self, name: str) -> Asset | None:
        """The file of that name."""
        return self._assets.get(name)

    def cache_control(self, version: str) -> str:
        """How long a browser may keep what it got under this version."""
        return _FOREVER if version == self.version else _ASK_AGAIN


def _asset(name: str, body: bytes) -> Asset:
    packed = gzip.compress(body, 9, mtime=0)
    return Asset(_TYPES[Path(name).suffix], body, packed if len(packed) + _LEAST_GAIN < len(body) else None)
