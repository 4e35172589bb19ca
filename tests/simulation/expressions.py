"""DynamoDB's expressions, compiled to functions of an item: conditions, filters, keys, projections and
updates.

Written here, and not taken from a library, for two reasons. moto is the one well-kept library that
evaluates them, and brings its whole server for it; and a run evaluates a million expressions, so each text
is parsed once and then costs a microsecond. MiniStack's own evaluator is what the conformance test compares
this one with.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from tests.simulation.attributes import (
    EXACT,
    Attribute,
    Invalid,
    Item,
    comparable,
    kind_of,
    number,
    number_attribute,
)

Values = Mapping[str, Attribute]
Names = tuple[tuple[str, str], ...]
Path = tuple[str | int, ...]
Operand = Callable[[Item, Values], Attribute | None]
Condition = Callable[[Item, Values], bool]
Step = Callable[[Item, Item, Values], Item]
"""From the item as it was and as it is by now, the item after one more change."""

_TOKEN = re.compile(r"\s*(<>|<=|>=|[=<>(),+\-.]|\[\d+\]|[:#]?\w+)")
_COMPARISONS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_ORDERED = frozenset({"S", "N", "B"})
_CLAUSES = frozenset({"SET", "REMOVE", "ADD", "DELETE"})
_BAD_PATH = "The document path provided in the update expression is invalid for update"
_MISSING = "The provided expression refers to an attribute that does not exist in the item"


@dataclass(frozen=True, slots=True)
class Change:
    """A compiled update expression. `attributes` are the top-level ones it writes."""

    steps: tuple[Step, ...]
    attributes: frozenset[str]

    def __call__(self, item: Item, values: Values) -> Item:
        """The item after the update; the one before stays as it was. Raises `Invalid`."""
        changed = item
        for step in self.steps:
            changed = step(item, changed, values)
        return changed


@cache
def condition(text: str, names: Names = ()) -> Condition:
    """A condition, filter or key condition. Raises `Invalid` for a text that is none."""
    parser = _Parser(text, names)
    compiled = parser.either()
    parser.end()
    return compiled


@cache
def update(text: str, names: Names = ()) -> Change:
    """An update expression. Raises `Invalid` for a text that is none."""
    parser = _Parser(text, names)
    steps: list[Step] = []
    written: set[str] = set()
    while not parser.ended:
        clause = parser.next().upper()
        if clause not in _CLAUSES:
            raise Invalid(f"Syntax error; token: {clause}")
        while True:
            path, step = parser.action(clause)
            steps.append(step)
            written.add(str(path[0]))
            if not parser.accept(","):
                break
    return Change(tuple(steps), frozenset(written))


@cache
def projection(text: str, names: Names = ()) -> Callable[[Item], Item]:
    """A projection of top-level attributes, the only kind the product could ask for."""
    parser = _Parser(text, names)
    wanted = [str(parser.path()[0])]
    while parser.accept(","):
        wanted.append(str(parser.path()[0]))
    parser.end()
    return lambda item: {name: item[name] for name in wanted if name in item}


@cache
def values_in(text: str) -> frozenset[str]:
    """The placeholders of values, such as `:now`, that an expression uses."""
    return frozenset(re.findall(r":\w+", text))


@cache
def bounds_in(text: str) -> tuple[tuple[str, str], ...]:
    """The placeholders of each lower and upper bound that an expression compares with."""
    return tuple(re.findall(r"BETWEEN\s+(:\w+)\s+AND\s+(:\w+)", text))


class _Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, text: str, names: Names) -> None:
        self._names = dict(names)
        self._tokens = [match.group(1) for match in _TOKEN.finditer(text)]
        self._at = 0
        if "".join(self._tokens) != re.sub(r"\s+", "", text):
            raise Invalid(f"Syntax error in {text!r}")

    @property
    def ended(self) -> bool:
        return self._at == len(self._tokens)

    def end(self) -> None:
        if not self.ended:
            raise Invalid(f"Syntax error; token: {self._tokens[self._at]}")

    def peek(self) -> str:
        return "" if self.ended else self._tokens[self._at]

    def next(self) -> str:
        token = self.peek()
        self._at += 1
        return token

    def accept(self, word: str) -> bool:
        found = self.peek().upper() == word
        self._at += found
        return found

    def expect(self, word: str) -> None:
        if not self.accept(word):
            raise Invalid(f"Syntax error; token: {self.peek()!r}, expected {word!r}")

    def arguments(self, *parts: Callable[[], Any]) -> list[Any]:
        """What stands in the parentheses of a function, each part read by its own reader."""
        self.expect("(")
        read = []
        for n, part in enumerate(parts):
            if n:
                self.expect(",")
            read.append(part())
        self.expect(")")
        return read

    def path(self) -> Path:
        steps: list[str | int] = [self._name()]
        while True:
            if self.accept("."):
                steps.append(self._name())
            elif self.peek().startswith("["):
                steps.append(int(self.next()[1:-1]))
            else:
                return tuple(steps)

    def _name(self) -> str:
        token = self.next()
        if token.startswith("#"):
            if token not in self._names:
                raise Invalid(f"An expression attribute name is not defined; attribute name: {token}")
            return self._names[token]
        if not token or not (token[0].isalpha() or token[0] == "_"):
            raise Invalid(f"Syntax error; token: {token!r}")
        return token

    # Conditions, loosest binding first.

    def either(self) -> Condition:
        left = self._both()
        while self.accept("OR"):
            left = _any_of(left, self._both())
        return left

    def _both(self) -> Condition:
        left = self._negated()
        while self.accept("AND"):
            left = _all_of(left, self._negated())
        return left

    def _negated(self) -> Condition:
        if self.accept("NOT"):
            inner = self._negated()
            return lambda item, values: not inner(item, values)
        return self._term()

    def _term(self) -> Condition:
        if self.accept("("):
            inner = self.either()
            self.expect(")")
            return inner
        function = _FUNCTIONS.get(self.peek())
        if function:
            self.next()
            return function(self)
        return self._comparison(self.operand())

    def _comparison(self, left: Operand) -> Condition:
        if self.accept("BETWEEN"):
            low = self.operand()
            self.expect("AND")
            return _all_of(_ordered(">=", left, low), _ordered("<=", left, self.operand()))
        if self.accept("IN"):
            self.expect("(")
            choices = [self.operand()]
            while self.accept(","):
                choices.append(self.operand())
            self.expect(")")
            equal = [_equal(left, choice) for choice in choices]
            return lambda item, values: any(one(item, values) for one in equal)
        sign = self.next()
        right = self.operand()
        if sign in _COMPARISONS:
            return _ordered(sign, left, right)
        if sign not in ("=", "<>"):
            raise Invalid(f"Syntax error; token: {sign!r}")
        same = _equal(left, right)
        return same if sign == "=" else lambda item, values: not same(item, values)

    def operand(self) -> Operand:
        if self.peek().startswith(":"):
            return _value(self.next())
        if self.accept("SIZE"):
            (path,) = self.arguments(self.path)
            return lambda item, _: _size(_at(item, path))
        path = self.path()
        if len(path) == 1:
            name = str(path[0])
            return lambda item, _: item.get(name)
        return lambda item, _: _at(item, path)

    # Updates.

    def action(self, clause: str) -> tuple[Path, Step]:
        path = self.path()
        if clause == "REMOVE":
            return path, lambda _old, new, _values: _with(new, path, None)
        if clause == "SET":
            self.expect("=")
            value = self._sum()
            return path, lambda old, new, values: _with(new, path, _there(value(old, values)))
        combine, value = (_added if clause == "ADD" else _taken_away), self.operand()

        def step(old: Item, new: Item, values: Values) -> Item:
            return _with(new, path, combine(_at(old, path), _there(value(old, values))))

        return path, step

    def _sum(self) -> Operand:
        left = self._set_operand()
        for sign, combine in (("+", EXACT.add), ("-", EXACT.subtract)):
            if self.accept(sign):
                return _arithmetic(combine, left, self._set_operand())
        return left

    def _set_operand(self) -> Operand:
        if self.accept("IF_NOT_EXISTS"):
            path, default = self.arguments(self.path, self._sum)
            return lambda item, values: _at(item, path) or default(item, values)
        if self.accept("LIST_APPEND"):
            first, second = self.arguments(self._set_operand, self._set_operand)
            return lambda item, values: {"L": [*_list(first(item, values)), *_list(second(item, values))]}
        return self.operand()


def _exists(parser: _Parser) -> Condition:
    (path,) = parser.arguments(parser.path)
    return lambda item, _: _at(item, path) is not None


def _exists_not(parser: _Parser) -> Condition:
    (path,) = parser.arguments(parser.path)
    return lambda item, _: _at(item, path) is None


def _begins_with(parser: _Parser) -> Condition:
    whole, start = parser.arguments(parser.operand, parser.operand)

    def holds(item: Item, values: Values) -> bool:
        found = whole(item, values)
        return found is not None and "S" in found and found["S"].startswith(start(item, values)["S"])

    return holds


def _contains(parser: _Parser) -> Condition:
    whole, part = parser.arguments(parser.operand, parser.operand)

    def holds(item: Item, values: Values) -> bool:
        found, wanted = whole(item, values), part(item, values)
        if found is None or wanted is None:
            return False
        ((kind, value),) = found.items()
        if kind in ("S", "SS", "NS", "BS"):
            return kind[0] in wanted and wanted[kind[0]] in value
        return kind == "L" and comparable(wanted) in map(comparable, value)

    return holds


def _attribute_type(parser: _Parser) -> Condition:
    path, kind = parser.arguments(parser.path, parser.operand)

    def holds(item: Item, values: Values) -> bool:
        found = _at(item, path)
        return found is not None and kind_of(found) == kind(item, values)["S"]

    return holds


_FUNCTIONS: dict[str, Callable[[_Parser], Condition]] = {
    "attribute_exists": _exists,
    "attribute_not_exists": _exists_not,
    "attribute_type": _attribute_type,
    "begins_with": _begins_with,
    "contains": _contains,
}


def _any_of(left: Condition, right: Condition) -> Condition:
    return lambda item, values: left(item, values) or right(item, values)


def _all_of(left: Condition, right: Condition) -> Condition:
    return lambda item, values: left(item, values) and right(item, values)


def _ordered(sign: str, left: Operand, right: Operand) -> Condition:
    compare = _COMPARISONS[sign]

    def holds(item: Item, values: Values) -> bool:
        one, other = left(item, values), right(item, values)
        if one is None or other is None:
            return False
        kind, value = comparable(one)
        other_kind, other_value = comparable(other)
        return kind == other_kind and kind in _ORDERED and bool(compare(value, other_value))

    return holds


def _equal(left: Operand, right: Operand) -> Condition:
    def holds(item: Item, values: Values) -> bool:
        one, other = left(item, values), right(item, values)
        return one is not None and other is not None and comparable(one) == comparable(other)

    return holds


def _arithmetic(combine: Callable[[Decimal, Decimal], Decimal], left: Operand, right: Operand) -> Operand:
    def result(item: Item, values: Values) -> Attribute:
        one, other = number(_there(left(item, values))), number(_there(right(item, values)))
        return number_attribute(combine(one, other))

    return result


def _value(placeholder: str) -> Operand:
    def value(_: Item, values: Values) -> Attribute:
        if placeholder not in values:
            raise Invalid(f"An expression attribute value is not defined; attribute value: {placeholder}")
        return values[placeholder]

    return value


def _at(item: Item, path: Path) -> Attribute | None:
    """What stands at a path, None if nothing does."""
    found: Attribute | None = {"M": item}
    for step in path:
        if found is None:
            return None
        if isinstance(step, str):
            found = found["M"].get(step) if "M" in found else None
        else:
            inner = found.get("L", ())
            found = inner[step] if step < len(inner) else None
    return found


def _with(item: Item, path: Path, value: Attribute | None) -> Item:
    """The item with a value at a path, without what is there if it is None. Raises `Invalid` if no path
    leads there."""
    changed: Item = _replaced({"M": item}, path, value)["M"]
    return changed


def _replaced(within: Attribute, path: Path, value: Attribute | None) -> Attribute:
    step, rest = path[0], path[1:]
    kind = "M" if isinstance(step, str) else "L"
    if kind not in within:
        raise Invalid(_BAD_PATH)
    inner = dict(within["M"]) if kind == "M" else dict(enumerate(within["L"]))
    if rest:
        if step not in inner:
            raise Invalid(_BAD_PATH)
        inner[step] = _replaced(inner[step], rest, value)
    elif value is None:
        inner.pop(step, None)
    else:
        inner[step] = value
    return {"M": inner} if kind == "M" else {"L": [inner[index] for index in sorted(inner)]}


def _there(found: Attribute | None) -> Attribute:
    if found is None:
        raise Invalid(_MISSING)
    return found


def _list(found: Attribute | None) -> list[Attribute]:
    values = _there(found)
    if "L" not in values:
        raise Invalid(f"An operand in the update expression has an incorrect data type: {kind_of(values)}")
    return list(values["L"])


def _size(found: Attribute | None) -> Attribute | None:
    if found is None:
        return None
    ((kind, value),) = found.items()
    return {"N": str(len(value.encode()) if kind == "S" else len(value))}


def _added(before: Attribute | None, more: Attribute) -> Attribute:
    kind = kind_of(more)
    if kind == "N":
        return number_attribute(EXACT.add(number(before), number(more))) if before else more
    if kind not in ("SS", "NS", "BS") or (before and kind not in before):
        raise Invalid(f"An operand in the update expression has an incorrect data type: {kind}")
    return {kind: sorted({*more[kind], *(before[kind] if before else ())})}


def _taken_away(before: Attribute | None, less: Attribute) -> Attribute | None:
    kind = kind_of(less)
    if kind not in ("SS", "NS", "BS") or (before and kind not in before):
        raise Invalid(f"An operand in the update expression has an incorrect data type: {kind}")
    left = sorted({*(before[kind] if before else ())} - {*less[kind]})
    return {kind: left} if left else None
