"""A browser's own description, cut down to what tells one's devices apart: `Chrome · Android`."""

from __future__ import annotations

# The first that occurs names it: every browser claims to be the older ones too.
_PROGRAMS = (
    ("wxwork", "WeCom"),
    ("MicroMessenger", "WeChat"),
    ("DingTalk", "DingTalk"),
    ("HuaweiBrowser", "Huawei Browser"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("Chrome", "Chrome"),
    ("CriOS", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)
_OTHER = "?"


def device(agent: str) -> str:
    """Program and system of a User-Agent header; `?` for what it does not say."""
    program = next((name for mark, name in _PROGRAMS if mark in agent), _OTHER)
    system = next((name for mark, name in _SYSTEMS if mark in agent), _OTHER)
    return f"{program} · {system}"
