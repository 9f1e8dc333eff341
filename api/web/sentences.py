"""Rule expressions as people say them: names instead of identifiers, words instead of operators, limits with units."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass

from api.web import figures, times
from api.web.language import Language
from api.web.words import REASONS
from plant.catalogue import Catalogue, Text
from plant.instants import parse_duration
from plant.quality import Reason
from plant.site import Equipment, expand
from rules.model import Rule

_COMPARED: Mapping[type[ast.cmpop], Text] = {
    ast.Gt: Text("{0} 高于 {1}", "{0} is above {1}"),
    ast.GtE: Text("{0} 不低于 {1}", "{0} is at least {1}"),
    ast.Lt: Text("{0} 低于 {1}", "{0} is below {1}"),
    ast.LtE: Text("{0} 不高于 {1}", "{0} is at most {1}"),
    ast.Eq: Text("{0} 等于 {1}", "{0} equals {1}"),
    ast.NotEq: Text("{0} 不等于 {1}", "{0} is not {1}"),
}
_SIGNS: Mapping[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "−", ast.Mult: "×", ast.Div: "÷", ast.Pow: "^"}
_CALLS: Mapping[str, Text] = {
    "abs": Text("|{0}|", "|{0}|"),
    "least": Text("{0} 与 {1} 的较小值", "the smaller of {0} and {1}"),
    "greatest": Text("{0} 与 {1} 的较大值", "the greater of {0} and {1}"),
    "default": Text("{0}（缺则取 {1}）", "{0} (or {1} without it)"),
    "where": Text("{1}（当 {0}）", "{1} (where {0})"),
    "known": Text("{0} 有数据", "{0} is known"),
    "held": Text("{0} 已持续 {1}", "{0} for {1}"),
    "mean": Text("{0} 的 {1}均值", "the {1} mean of {0}"),
    "min": Text("{0} 的 {1}最小值", "the {1} minimum of {0}"),
    "max": Text("{0} 的 {1}最大值", "the {1} maximum of {0}"),
    "median": Text("{0} 的 {1}中位数", "the {1} median of {0}"),
    "std": Text("{0} 的 {1}标准差", "the {1} standard deviation of {0}"),
    "slope": Text("{0} 的 {1}斜率（每小时）", "the {1} slope of {0} (per hour)"),
    "ewma": Text("{0} 的滤波值（时间常数 {1}）", "{0} filtered (time constant {1})"),
    "delta": Text("{0} 在 {1}内的变化", "the change of {0} in {1}"),
    "rate": Text("{0} 在 {1}内的变化率（每小时）", "the rate of {0} over {1} (per hour)"),
    "lag": Text("{1}前的 {0}", "{0} {1} ago"),
    "count_rises": Text("{1}内 {0} 的次数", "how often {0} in {1}"),
    "share_true": Text("{1}内 {0} 的时间占比", "the share of {1} in which {0}"),
    "since": Text("距上次 {0} 的时间", "the time since {0}"),
    "last": Text("上次 {1} 时的 {0}", "{0} when last {1}"),
    "stuck": Text("{0} 不变", "{0} does not move"),
    "flat": Text("{0} 在规定时间内不变", "{0} does not move for its time"),
    "silent": Text("无数据的时间", "the time without data"),
    "stale_after": Text("数据的有效时间", "the time a word counts"),
    "local_hour": Text("当地时刻（时）", "the local hour"),
    "local_month": Text("月份", "the month"),
    "hours_until": Text("距 {0} 时的小时数", "the hours until {0} o’clock"),
    "quality": Text("{0} 的质量为 {1}", "the quality of {0} is {1}"),
}
_AND, _OR, _NOT = Text("，且 ", " and "), Text("，或 ", " or "), Text("不满足（{0}）", "not ({0})")
_IS, _IS_NOT = Text("{0} 为“是”", "{0} is on"), Text("{0} 为“否”", "{0} is off")
_ACTIVE, _MEMBER = Text("设备运行中", "the machine is at work"), Text("所列测点", "the point")
_KEYS = {"rises": "count_rises", "share": "share_true"}
_IN_MS = frozenset({"held", "ewma"})
_LOOKS_BACK = frozenset(
    "held mean min max median std slope ewma delta rate lag count_rises share_true".split()  # noqa: SIM905
)
_KEY_ONLY = re.compile(r"#\d+|,\d+x\d+@[^,)]+")
"""What the key of a node says besides: decimals, and how a long window is cut into panes."""


@dataclass(frozen=True, slots=True)
class Name:
    """What an identifier stands for; parameters have a `value`, statuses the unit `bool`."""

    text: Text
    unit: str
    value: float | None = None


def names_for(rule: Rule, kind: str, catalogue: Catalogue, machine: Equipment | None = None) -> dict[str, Name]:
    """Every identifier of the rule's expressions for a type, with the machine's own parameters where one is given."""
    found: dict[str, Name] = {"active": Name(_ACTIVE, "")}
    type_ = catalogue.types[kind]
    for relation, target in type_.relations.items():
        for point in catalogue.types[target].points.values():
            found[f"{relation}.{point.name}"] = Name(point.text, point.unit)
    found |= {point.name: Name(point.text, point.unit) for point in type_.points.values()}
    found |= {family.name: Name(family.point.text, family.point.unit) for family in type_.families.values()}
    if machine is not None:
        for family in type_.families.values():
            members = expand(family, machine.members.get(family.name, {}))
            found |= {point.name: Name(point.text, point.unit) for point in members}
    found |= {derived.name: Name(derived.text, derived.unit) for derived in type_.derived.values()}
    found |= {derived.name: Name(derived.text, derived.unit) for derived in rule.derived.values()}
    own = {} if machine is None else machine.parameters
    for parameter in type_.parameters.values():
        found[parameter.name] = Name(parameter.text, parameter.unit, own.get(parameter.name, parameter.default))
    changed = {} if machine is None else machine.rule_params.get(rule.id, {})
    for param in rule.params.values():
        found[param.name] = Name(param.text, param.unit, changed.get(param.name, param.default))
    units = {found[name].unit for name in (rule.for_each.points if rule.for_each else ()) if name in found}
    return found | {"p": Name(_MEMBER, units.pop() if len(units) == 1 else "")}


class Sentences:
    """Says expressions in one language. `step_ms` is the grid, for windows that are counted in its instants."""

    def __init__(self, language: Language, names: Mapping[str, Name], step_ms: int = 60_000) -> None:
        self.language, self.names, self.step_ms = language, names, step_ms

    def say(self, text: str) -> str:
        """The expression in words; as it is written where it cannot be read as one."""
        try:
            tree = ast.parse(_KEY_ONLY.sub("", text).strip(), mode="eval").body
        except SyntaxError:
            return text
        return self._condition(tree)

    def _condition(self, node: ast.expr) -> str:
        """As `_term`, with a status said as a state."""
        match node:
            case ast.BoolOp(op=op, values=values):
                joined = self.language.of(_AND if isinstance(op, ast.And) else _OR).join(
                    f"（{self._condition(part)}）" if isinstance(part, ast.BoolOp) else self._condition(part)
                    for part in values
                )
                return joined if self.language is Language.ZH else joined.replace("（", "(").replace("）", ")")
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                if self._is_status(operand):
                    return self._fill(_IS_NOT, self._term(operand))
                return self._fill(_NOT, self._condition(operand))
        return self._fill(_IS, self._term(node)) if self._is_status(node) else self._term(node)

    def _term(self, node: ast.expr) -> str:
        match node:
            case ast.Compare(ops=[op], comparators=[right], left=left) if type(op) in _COMPARED:
                unit = self._unit(left) or self._unit(right)
                return self._fill(_COMPARED[type(op)], self._value(left, unit), self._value(right, unit))
            case ast.BinOp(op=op, left=left, right=right) if type(op) in _SIGNS:
                return f"{self._operand(left, op)} {_SIGNS[type(op)]} {self._operand(right, op)}"
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return f"−{self._term(operand)}"
            case ast.Call(func=ast.Name(id=name), args=args):
                return self._call(_KEYS.get(name, name), args)
            case ast.Attribute(value=ast.Name(id=relation), attr=name):
                return self._name(f"{relation}.{name}")
            case ast.Name(id=name):
                return self._name(name)
            case ast.Constant(value=int() | float() as value):
                return f"{value:g}"
            case ast.BoolOp() | ast.UnaryOp():
                return self._condition(node)
        return ast.unparse(node)

    def _call(self, name: str, args: list[ast.expr]) -> str:
        if name == "quality":
            words = [self.language.of(_reason(part)) for part in args[1:]]
            return self._fill(_CALLS[name], self._term(args[0]), " / ".join(words))
        if name == "point" and args and isinstance(args[0], ast.Constant):
            return self._name(str(args[0].value))
        said: tuple[str, ...]
        if name in _LOOKS_BACK and len(args) > 1:
            said = (self._condition(args[0]), self._span(name, args[1]))
        elif name in ("default", "known"):
            said = tuple(f"({self._term(part)})" if isinstance(part, ast.BinOp) else self._term(part) for part in args)
        else:
            said = tuple(self._condition(part) for part in args)
        pattern = _CALLS.get(name)
        wanted = 0 if pattern is None else len(set(re.findall(r"\{\d\}", pattern.zh)))
        return f"{name}({', '.join(said)})" if pattern is None or wanted > len(said) else self._fill(pattern, *said)

    def _span(self, name: str, node: ast.expr) -> str:
        """A duration, quoted in a rule or counted in a node's key."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return times.duration(parse_duration(node.value), self.language)
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            return times.duration(node.value * (1 if name in _IN_MS else self.step_ms), self.language)
        return self._term(node)

    def _value(self, node: ast.expr, unit: str) -> str:
        """A side of a comparison; a bare number takes the other side's unit."""
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            printed = figures.unit_text(unit)
            return f"{node.value:g} {printed}".strip()
        return self._term(node)

    def _operand(self, node: ast.expr, op: ast.operator) -> str:
        inner = self._term(node)
        if isinstance(node, ast.BinOp) and isinstance(op, ast.Mult | ast.Div | ast.Pow):
            return f"({inner})"
        return inner

    def _name(self, name: str) -> str:
        found = self.names.get(name)
        if found is None:
            return name
        said = self.language.of(found.text)
        if found.value is None:
            return said
        value = f"{found.value:g} {figures.unit_text(found.unit)}".strip()
        return f"{said}（{value}）" if self.language is Language.ZH else f"{said} ({value})"

    def _unit(self, node: ast.expr) -> str:
        match node:
            case ast.Name(id=name) if name in self.names and self.names[name].value is None:
                return self.names[name].unit
            case ast.Attribute(value=ast.Name(id=relation), attr=name) if f"{relation}.{name}" in self.names:
                return self.names[f"{relation}.{name}"].unit
            case ast.Call(func=ast.Name(id=name), args=[first, *_]) if name in _SAME_UNIT:
                return self._unit(first)
            case ast.BinOp(op=ast.Sub(), left=left, right=right) if self._unit(left) == self._unit(right) == "Cel":
                return "K"
        return ""

    def _is_status(self, node: ast.expr) -> bool:
        return self._unit(node) == "bool" and isinstance(node, ast.Name | ast.Attribute)

    def _fill(self, pattern: Text, *parts: str) -> str:
        return self.language.of(pattern).format(*parts)


_SAME_UNIT = frozenset({"mean", "min", "max", "median", "ewma", "default", "abs", "lag", "last"})


def _reason(node: ast.expr) -> Text:
    word = str(node.value).upper() if isinstance(node, ast.Constant) else ""
    return REASONS[Reason[word]] if word in Reason.__members__ else Text(word, word)
