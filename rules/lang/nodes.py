"""The evaluated form of an expression: nodes that turn a block of frames into planes, with exact carried state.

A plane has shape (e, n): the equipment of one type × the instants of a block. Numbers are counts with a mask for
known; truths are two masks, true and false, and unknown is neither. Each node says once, from the hard ranges of its
inputs, between which bounds its value lies; where a count could reach 2^62 the compiler refuses the expression.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce

import numpy as np

from plant.units import Dimension
from rules.lang.fixed import Bools, Ints, count_of, rescale, rounded_division


@dataclass(frozen=True, slots=True)
class Num:
    """Numbers: `value` counts, valid where `known`; both (e, n)."""

    value: Ints
    known: Bools


@dataclass(frozen=True, slots=True)
class Truth:
    """Three-valued truth: unknown where neither `true` nor `false`; both (e, n)."""

    true: Bools
    false: Bools

    @property
    def known(self) -> Bools:
        """Where the truth is decided."""
        return self.true | self.false


Plane = Num | Truth


@dataclass(slots=True)
class Block:
    """Frames of one type for a run of instants, as the nodes see them.

    `read(name)` gives the plane of a point, `reasons(name)` the reasons in force (e, n), `ages(name)` the plane of
    `silent` or `stale_after`; `planes` memoises the planes of nodes by identity.
    """

    instants: Ints
    rows: int
    step_ms: int
    read: Callable[[str], Num]
    reasons: Callable[[str], Ints]
    ages: Callable[[str], Num]
    state: State
    planes: dict[int, Plane] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Number of instants."""
        return len(self.instants)


class State:
    """Carried rows of the stateful nodes of one type, keyed by a node's text; arrays of shape (e, …)."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.arrays: dict[str, Ints | Bools] = {}

    def get(self, key: str, width: int, fill: int = 0) -> Ints:
        """The carried array of a key, `fill` before anything was carried."""
        found = self.arrays.get(key)
        return found.astype(np.int64, copy=False) if found is not None else np.full((self.rows, width), fill, np.int64)

    def flags(self, key: str, width: int) -> Bools:
        """The carried flags of a key, false before any were carried; an eighth of the memory of numbers."""
        found = self.arrays.get(key)
        return found != 0 if found is not None else np.zeros((self.rows, width), np.bool_)

    def put(self, key: str, value: Ints | Bools) -> None:
        """Carry an array to the next block."""
        self.arrays[key] = value.copy()  # not a view, which would hold on to all of the block's rows


class Node(ABC):
    """One node of an expression; equal `key` means equal meaning, so planes and state are shared.

    `alias` is the name of the derived quantity it is, for people; empty where it has none.
    """

    def __init__(self, key: str, children: Sequence[Node] = ()) -> None:
        self.key = key
        self.alias = ""
        self.children = tuple(children)

    @abstractmethod
    def compute(self, block: Block) -> Plane:
        """The node's plane over a block; called once a block."""

    def plane(self, block: Block) -> Plane:
        """The node's plane, computed at most once a block."""
        found = block.planes.get(id(self))
        if found is None:
            found = block.planes[id(self)] = self.compute(block)
        return found


class NumNode(Node):
    """A node with numbers of `decimals` and `dimension` between `low` and `high`."""

    def __init__(self, key: str, children: Sequence[Node], shape: Shape) -> None:
        super().__init__(key, children)
        self.shape = shape

    def num(self, block: Block) -> Num:
        """The plane as numbers."""
        plane = self.plane(block)
        if not isinstance(plane, Num):
            raise TypeError(f"{self.key} gave a truth where a number was promised")
        return plane


class BoolNode(Node):
    """A node with truths."""

    def truth(self, block: Block) -> Truth:
        """The plane as truths."""
        plane = self.plane(block)
        if not isinstance(plane, Truth):
            raise TypeError(f"{self.key} gave a number where a truth was promised")
        return plane


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of a number before any value: resolution, unit and bounds (in the unit)."""

    decimals: int
    dimension: Dimension
    low: float
    high: float

    @property
    def most(self) -> float:
        """The largest count its size can reach."""
        return max(abs(self.low), abs(self.high)) * 10.0**self.decimals


@dataclass(frozen=True, slots=True)
class Const:
    """A number that does not change with time: a literal, parameter, or what is made of them.

    `values` has one exact value for each equipment (None: not declared), or a single one for all. `dimension` None
    marks a bare literal, which takes the unit of what it meets. `low` and `high` bound it where values are not known.
    """

    values: tuple[Fraction | None, ...]
    dimension: Dimension | None
    low: float
    high: float
    key: str

    def counts(self, rows: int, decimals: int) -> Num:
        """As a column (e, 1) of counts."""
        values = self.values * rows if len(self.values) == 1 else self.values
        known = np.array([v is not None for v in values], bool).reshape(-1, 1)
        counts = np.array([0 if v is None else count_of(v, decimals) for v in values], np.int64).reshape(-1, 1)
        return Num(counts, known)


class Signal(NumNode):
    """A point of the equipment itself (or of a related one: `cooled_by.chw_supply_temp`)."""

    def __init__(self, name: str, shape: Shape) -> None:
        super().__init__(name, (), shape)
        self.name = name

    def compute(self, block: Block) -> Num:
        return block.read(self.name)


class SignalTruth(BoolNode):
    """A boolean point used as a condition."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def compute(self, block: Block) -> Truth:
        num = block.read(self.name)
        return Truth(num.known & (num.value != 0), num.known & (num.value == 0))


class ConstNode(NumNode):
    """A constant where a plane of numbers is wanted."""

    def __init__(self, const: Const, shape: Shape, rows: int) -> None:
        super().__init__(f"{const.key}#{shape.decimals}", (), shape)
        self.column = const.counts(rows, shape.decimals)

    def compute(self, block: Block) -> Num:
        size = (block.rows, block.n)
        return Num(np.broadcast_to(self.column.value, size), np.broadcast_to(self.column.known, size))


class Pointwise(NumNode):
    """Arithmetic instant by instant: unknown in, unknown out."""

    def __init__(self, key: str, parts: Sequence[NumNode], shape: Shape, work: Callable[..., Ints]) -> None:
        super().__init__(key, parts, shape)
        self.parts = tuple(parts)
        self.work = work

    def compute(self, block: Block) -> Num:
        planes = [part.num(block) for part in self.parts]
        known = reduce(np.logical_and, [plane.known for plane in planes])
        value = self.work(*[np.where(plane.known, plane.value, 0) for plane in planes])
        return Num(np.where(known, value, 0), known)


class Scaled(NumNode):
    """A number times a constant of each equipment, rounded once."""

    def __init__(self, key: str, part: NumNode, factor: tuple[Fraction | None, ...], shape: Shape, rows: int) -> None:
        super().__init__(key, (part,), shape)
        self.part = part
        power = Fraction(10) ** (shape.decimals - part.shape.decimals)
        factors = factor * rows if len(factor) == 1 else factor
        scaled = [Fraction(0) if f is None else f * power for f in factors]
        self.known = np.array([f is not None for f in factors], bool).reshape(-1, 1)
        self.numerator = np.array([s.numerator for s in scaled], np.int64).reshape(-1, 1)
        self.denominator = np.array([s.denominator for s in scaled], np.int64).reshape(-1, 1)

    def compute(self, block: Block) -> Num:
        plane = self.part.num(block)
        value = rounded_division(plane.value * self.numerator, self.denominator)
        known = plane.known & self.known
        return Num(np.where(known, value, 0), known)


class Quotient(NumNode):
    """a / b rounded to the shape's decimals; unknown where b is zero."""

    def __init__(self, key: str, over: NumNode, under: NumNode, shape: Shape) -> None:
        super().__init__(key, (over, under), shape)
        self.over, self.under = over, under
        power = shape.decimals + under.shape.decimals - over.shape.decimals
        self.raise_over = 10 ** max(power, 0)
        self.raise_under = 10 ** max(-power, 0)

    def compute(self, block: Block) -> Num:
        over, under = self.over.num(block), self.under.num(block)
        known = over.known & under.known & (under.value != 0)
        bottom = np.where(known, under.value, 1) * np.int64(self.raise_under)
        value = rounded_division(np.where(known, over.value, 0) * np.int64(self.raise_over), bottom)
        return Num(value, known)


class Rounded(NumNode):
    """A number at another resolution."""

    def __init__(self, part: NumNode, decimals: int) -> None:
        shape = Shape(decimals, part.shape.dimension, part.shape.low, part.shape.high)
        super().__init__(f"{part.key}#{decimals}", (part,), shape)
        self.part = part

    def compute(self, block: Block) -> Num:
        plane = self.part.num(block)
        return Num(rescale(plane.value, self.part.shape.decimals, self.shape.decimals), plane.known)


class Default(NumNode):
    """`default(x, y)`: x where it is known, y elsewhere."""

    def __init__(self, key: str, first: NumNode, second: NumNode, shape: Shape) -> None:
        super().__init__(key, (first, second), shape)
        self.first, self.second = first, second

    def compute(self, block: Block) -> Num:
        first, second = self.first.num(block), self.second.num(block)
        return Num(np.where(first.known, first.value, second.value), first.known | second.known)


class Where(NumNode):
    """`where(cond, x)`: x where the condition is true, else unknown; `where(cond, x, y)`: y where it is false."""

    def __init__(self, key: str, condition: BoolNode, parts: Sequence[NumNode], shape: Shape) -> None:
        super().__init__(key, (condition, *parts), shape)
        self.condition, self.parts = condition, tuple(parts)

    def compute(self, block: Block) -> Num:
        when, first = self.condition.truth(block), self.parts[0].num(block)
        known = when.true & first.known
        value = np.where(known, first.value, 0)
        for other in (part.num(block) for part in self.parts[1:]):
            elsewhere = when.false & other.known
            value, known = np.where(elsewhere, other.value, value), known | elsewhere
        return Num(value, known)


class Silence(NumNode):
    """`silent()`: s since the equipment was last heard, listening time only; `stale_after()`: s a word counts."""

    def compute(self, block: Block) -> Num:
        return block.ages(self.key)


class Compare(BoolNode):
    """A comparison of two numbers of one resolution; `symbol` says which."""

    def __init__(self, symbol: str, left: NumNode, right: NumNode, test: Callable[[Ints, Ints], Bools]) -> None:
        super().__init__(f"({left.key}{symbol}{right.key})", (left, right))
        self.symbol, self.left, self.right, self.test = symbol, left, right, test

    def compute(self, block: Block) -> Truth:
        left, right = self.left.num(block), self.right.num(block)
        known = left.known & right.known
        holds = self.test(left.value, right.value)
        return Truth(known & holds, known & ~holds)


class Not(BoolNode):
    """Kleene not."""

    def __init__(self, part: BoolNode) -> None:
        super().__init__(f"(not {part.key})", (part,))
        self.part = part

    def compute(self, block: Block) -> Truth:
        plane = self.part.truth(block)
        return Truth(plane.false, plane.true)


class Every(BoolNode):
    """Kleene and."""

    def __init__(self, parts: Sequence[BoolNode]) -> None:
        super().__init__("(" + " and ".join(part.key for part in parts) + ")", parts)
        self.parts = tuple(parts)

    def compute(self, block: Block) -> Truth:
        planes = [part.truth(block) for part in self.parts]
        return Truth(reduce(np.logical_and, [p.true for p in planes]), reduce(np.logical_or, [p.false for p in planes]))


class Some(BoolNode):
    """Kleene or."""

    def __init__(self, parts: Sequence[BoolNode]) -> None:
        super().__init__("(" + " or ".join(part.key for part in parts) + ")", parts)
        self.parts = tuple(parts)

    def compute(self, block: Block) -> Truth:
        planes = [part.truth(block) for part in self.parts]
        return Truth(reduce(np.logical_or, [p.true for p in planes]), reduce(np.logical_and, [p.false for p in planes]))


class Known(BoolNode):
    """`known(x)`: whether x is known now; itself never unknown."""

    def __init__(self, part: Node) -> None:
        super().__init__(f"known({part.key})", (part,))
        self.part = part

    def compute(self, block: Block) -> Truth:
        known = self.part.plane(block).known
        return Truth(known, ~known)


class QualityIs(BoolNode):
    """`quality(p) == reason`: the reading in force has one of the reasons; itself never unknown."""

    def __init__(self, point: str, codes: tuple[int, ...]) -> None:
        super().__init__(f"quality({point}) in {codes}")
        self.point, self.codes = point, codes

    def compute(self, block: Block) -> Truth:
        found = np.isin(block.reasons(self.point), self.codes)
        return Truth(found, ~found)


class Fixed(BoolNode):
    """A truth that never changes: `True` or `False`."""

    def __init__(self, value: bool) -> None:
        super().__init__(str(value))
        self.value = value

    def compute(self, block: Block) -> Truth:
        yes = np.full((block.rows, block.n), self.value)
        return Truth(yes, ~yes)
