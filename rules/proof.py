"""The evidence that an alarm carries from the moment it is raised: canonical JSON and its hash (SEMANTICS §7)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from plant.quality import Reason
from rules.lang.fixed import Bools, Ints, decimal_text
from rules.lang.nodes import Block, Compare, Node, Num, NumNode, Signal, SignalTruth, Truth
from rules.lang.paned import PaneWindow
from rules.lang.windowed import Window

MAX_FRAMES = 240
LEAST_FRAMES_MS = 30 * 60_000

_DIGEST = re.compile(r"@[0-9a-f]{12}")
"""What makes the key of a constant say its values; the evidence shows the values themselves."""

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True)
class History:
    """Recent frames of a group, oldest first: instants (h,), signals (s, h)."""

    instants: Ints
    value: Ints
    known: Bools


@dataclass(frozen=True, slots=True)
class Shown:
    """A point shown in the evidence: its row in the group's signals (−1: not there) and its decimals."""

    name: str
    row: int
    decimals: int


def tree(node: Node, block: Block, row: int, column: int) -> Json:
    """The value of every part of an expression for one equipment at one instant.

    A quantity that stands in several places is opened at the first of them only, by its `name` in the others.
    """
    return _tree(node, block, (row, column), set())


def _tree(node: Node, block: Block, cell: tuple[int, int], opened: set[str]) -> Json:
    row, column = cell
    plane = node.plane(block)
    repeated = bool(node.alias) and node.alias in opened
    result: dict[str, Json] = {"text": node.alias if repeated else _text(node)}
    if node.alias:
        result["name"] = node.alias
    if isinstance(plane, Truth):
        result["value"] = True if plane.true[row, column] else False if plane.false[row, column] else None
    elif isinstance(node, NumNode) and isinstance(plane, Num):
        known = bool(plane.known[row, column])
        result["value"] = decimal_text(int(plane.value[row, column]), node.shape.decimals) if known else None
        result["unit"] = str(node.shape.dimension)
    core = _core(node)
    if isinstance(core, Compare):
        result["op"] = core.symbol
    if isinstance(core, Window | PaneWindow):
        result["window"] = {"instants": core.span.width, "needed": core.span.need}
    if isinstance(core, PaneWindow):
        panes = core.span.panes
        result["panes"] = {"count": panes.count, "length_ms": panes.length_ms, "zone": panes.zone}
    if isinstance(core, Signal | SignalTruth):
        result["quality"] = Reason(int(block.reasons(core.name)[row, column])).name.lower()
    if node.alias:
        opened.add(node.alias)
    if core.children and not repeated:
        result["of"] = [_tree(child, block, cell, opened) for child in core.children]
    return result


def _core(node: Node) -> Node:
    """A quantity and the expression it merely names are one part of the evidence: this is the expression."""
    while node.alias and len(node.children) == 1 and node.children[0].key == node.key:
        node = node.children[0]
    return node


def _text(node: Node) -> str:
    """The node as text for people: derived quantities in it by their names, constants without their digests."""
    text = node.key
    for part in sorted(_named(node), key=lambda part: -len(part.key)):
        if part.key != node.key and "(" in part.key:
            text = text.replace(part.key, part.alias)
    return _DIGEST.sub("", text)


def _named(node: Node) -> Iterator[Node]:
    for child in node.children:
        if child.alias:
            yield child
        yield from _named(child)


def frames(history: History, shown: Sequence[Shown], at: int, length_ms: int) -> Json:
    """The last frames of the shown points up to and including `at`."""
    end = int(history.instants.searchsorted(at, side="right"))
    start = int(history.instants.searchsorted(at - max(length_ms, LEAST_FRAMES_MS), side="left"))
    start = max(start, end - MAX_FRAMES)
    points: dict[str, Json] = {}
    for point in shown:
        if point.row >= 0:
            known = history.known[point.row, start:end].tolist()
            value = history.value[point.row, start:end].tolist()
            points[point.name] = [
                decimal_text(v, point.decimals) if k else None for v, k in zip(value, known, strict=True)
            ]
    return {"instants": history.instants[start:end].tolist(), "points": points}


def seal(content: Mapping[str, Json]) -> tuple[bytes, str]:
    """Canonical bytes of a proof and their sha-256."""
    body = msgspec.json.encode(content, order="deterministic")
    return body, hashlib.sha256(body).hexdigest()
