"""Expressions made into functions of a row, with the data type of what they give, and SQL's third truth value, None."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from tests.mssql import collation
from tests.mssql.context import Context
from tests.mssql.errors import CONVERSION, SYNTAX, SqlError
from tests.mssql.functions import call, variable
from tests.mssql.kinds import BIT, FLOAT, Kind, Value, convert, kind_for, kind_of
from tests.mssql.tsql import Node

_SIGNS: dict[str, Callable[[Value, Value], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


_NUMBERS = {int, float, bool, Decimal}


class Columns(Protocol):
    """Where columns are found."""

    def find(self, path: tuple[str, ...]) -> tuple[Kind, Callable[[Value], Value]]:
        """The type of a column and how to get it from a row. Raises `SqlError` 207."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression ready to be worked out for any row. ``constant``: it is the same for all."""

    kind: Kind
    of: Callable[[Value], Value]
    constant: bool = False


@dataclass(frozen=True, slots=True)
class Compiler:
    """Compiles the expressions of one statement with its parameters."""

    context: Context
    columns: Columns
    parameters: Mapping[str, Value]

    def compile(self, node: Node) -> Compiled:
        """Make an expression a function. Raises `SqlError`."""
        made: Compiled = getattr(self, f"_{node.op}")(*node.args)
        return made

    def _value(self, value: Value) -> Compiled:
        return Compiled(kind_for(value), lambda _: value, constant=True)

    def _param(self, name: str) -> Compiled:
        if name.startswith("@@"):
            kind, value = variable(self.context, name[2:].upper())
            return Compiled(kind, lambda _: value, constant=True)
        given = {each.lower(): value for each, value in self.parameters.items()}
        if name[1:].lower() not in given:
            raise SqlError(137, text=f'Must declare the scalar variable "{name}".')
        return self._value(given[name[1:].lower()])

    def _column(self, path: tuple[str, ...]) -> Compiled:
        return Compiled(*self.columns.find(path))

    def _star(self) -> Compiled:
        return Compiled(BIT, lambda _: 1)

    def _cast(self, node: Node, declared: str) -> Compiled:
        inner, kind = self.compile(node), kind_of(declared)
        return self._folded(kind, lambda row: convert(kind, inner.of(row)), inner)

    def _call(self, name: str, nodes: tuple[Node, ...] | list[Node]) -> Compiled:
        given = [self.compile(each) for each in nodes if each.op != "star"]
        kind, function = call(self.context, name, [each.kind for each in given])
        return self._folded(kind, lambda row: function(*(each.of(row) for each in given)), *given)

    def _case(self, branches: tuple[tuple[Node, Node], ...], otherwise: Node) -> Compiled:
        made = [(self.compile(when).of, self.compile(then)) for when, then in branches]
        last = self.compile(otherwise)

        def choose(row: Value) -> Value:
            return next((then.of(row) for when, then in made if when(row)), None if last is None else last.of(row))

        return Compiled(made[0][1].kind, choose)

    def _and(self, left: Node, right: Node) -> Compiled:
        one, two = self.compile(left).of, self.compile(right).of

        def both(row: Value) -> bool | None:
            first = one(row)
            if first is not None and not first:
                return False
            second = two(row)
            return False if second is not None and not second else None if None in {first, second} else True

        return Compiled(BIT, both)

    def _or(self, left: Node, right: Node) -> Compiled:
        one, two = self.compile(left).of, self.compile(right).of

        def either(row: Value) -> bool | None:
            first = one(row)
            if first:
                return True
            second = two(row)
            return True if second else None if None in {first, second} else False

        return Compiled(BIT, either)

    def _not(self, node: Node) -> Compiled:
        inner = self.compile(node).of
        return Compiled(BIT, lambda row: None if (found := inner(row)) is None else not found)

    def _is(self, node: Node, absent: bool) -> Compiled:
        inner = self.compile(node).of
        return Compiled(BIT, lambda row: (inner(row) is None) is absent)

    def _compare(self, sign: str, left: Node, right: Node) -> Compiled:
        one, two, test = self.compile(left), self.compile(right), _SIGNS[sign]

        def compare(row: Value) -> bool | None:
            first, second = one.of(row), two.of(row)
            if first is None or second is None:
                return None
            return test(*alike(first, second))

        return Compiled(BIT, compare)

    def _in(self, node: Node, nodes: tuple[Node, ...]) -> Compiled:
        inner = self.compile(node)
        values = [self.compile(each).of(None) for each in nodes]  # lists hold literals and parameters only
        members = {alike(each, each)[0] for each in values if each is not None}

        def within(row: Value) -> bool | None:
            found = inner.of(row)
            if found is None:
                return None
            return True if alike(found, found)[0] in members else None if None in values else False

        return Compiled(BIT, within)

    def _like(self, node: Node, pattern: Node) -> Compiled:
        one, two = self.compile(node).of, self.compile(pattern).of

        def matches(row: Value) -> bool | None:
            text, wanted = one(row), two(row)
            return None if text is None or wanted is None else collation.like(str(wanted), str(text))

        return Compiled(BIT, matches)

    def _sum(self, sign: str, left: Node, right: Node) -> Compiled:
        one, two = self.compile(left), self.compile(right)
        reckon = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}[sign]

        def work(row: Value) -> Value:
            first, second = one.of(row), two.of(row)
            if first is None or second is None:
                return None
            if isinstance(first, float) or isinstance(second, float):
                first, second = float(first), float(second)
            return reckon(first, second)

        kind = FLOAT if FLOAT in {one.kind, two.kind} else one.kind
        return self._folded(kind, work, one, two)

    def _folded(self, kind: Kind, function: Callable[[Value], Value], *inner: Compiled) -> Compiled:
        """Work out once what does not hang on the row."""
        if not all(each.constant for each in inner):
            return Compiled(kind, function)
        value = function(None)
        return Compiled(kind, lambda _: value, constant=True)


def alike(one: Value, two: Value) -> tuple[Value, Value]:
    """Make two values comparable: texts by the collation, bytes padded, a text beside a number as a number."""
    if type(one) in _NUMBERS and type(two) in _NUMBERS:
        return one, two
    if isinstance(one, str) and isinstance(two, str):
        return collation.key(one), collation.key(two)
    if isinstance(one, bytes) and isinstance(two, bytes):
        size = max(len(one), len(two))
        return one.ljust(size, b"\0"), two.ljust(size, b"\0")
    if isinstance(one, str):
        return _as(two, one), two
    if isinstance(two, str):
        return one, _as(one, two)
    if isinstance(one, date) is not isinstance(two, date) or isinstance(one, bytes) is not isinstance(two, bytes):
        raise SqlError(SYNTAX, text=f"Operand type clash: {type(one).__name__} and {type(two).__name__}.")
    return one, two


def _as(other: Value, text: str) -> Value:
    """Read a text as the other value's type."""
    try:
        if isinstance(other, date):
            return datetime.fromisoformat(text)
        return float(text) if isinstance(other, float) else Decimal(text.strip() or 0)
    except (ValueError, ArithmeticError) as error:
        raise SqlError(CONVERSION, text, type(other).__name__) from error
