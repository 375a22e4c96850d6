"""A reader of the few T-SQL statements that are sent: one SELECT, its grammar and nothing beyond.

``SELECT [TOP n] items [FROM table [joins of catalogue views]] [WHERE condition] [ORDER BY terms]``. What stands
outside raises error 102 with the word that was not understood.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.mssql.errors import SYNTAX, SqlError

_TOKEN = re.compile(
    r"""\s*(?:--[^\n]*\n\s*)*(?:
    (?P<text>N?'(?:[^']|'')*') | (?P<hex>0x[0-9a-f]*) | (?P<number>\d+\.?\d*(?:e[-+]?\d+)?)
    | (?P<param>@@?[\w$\#]+) | (?P<quoted>\[(?:[^\]]|\]\])*\]|"[^"]*") | (?P<word>[^\W\d][\w$\#]*)
    | (?P<sign><>|!=|<=|>=|[-+*/%(),.=<>;]) )""",
    re.IGNORECASE | re.VERBOSE,
)
_RESERVED = {"FROM", "WHERE", "ORDER", "JOIN", "LEFT", "INNER", "ON", "AS", "AND", "OR", "WHEN", "THEN", "ELSE", "END"}
_COMPARISONS = {"=", "<>", "!=", "<", ">", "<=", ">="}


@dataclass(frozen=True, slots=True)
class Node:
    """One operation and what it works on: ``column`` (path), ``value``, ``param``, ``call``, ``cast``, ``case``…"""

    op: str
    args: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Select:
    """One statement, read."""

    items: tuple[tuple[Node, str], ...]
    """Expressions and the names they are shown by."""
    table: tuple[str, ...] = ()
    """The path of the table; empty without FROM."""
    aliases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Lower-case alias → path, of every table named."""
    where: Node | None = None
    order: tuple[tuple[Node, bool], ...] = ()
    """Terms and whether they descend."""
    top: Node | None = None


def parse(sql: str) -> Select:
    """Read one SELECT. Raises `SqlError` 102."""
    reader = _Reader(_tokens(sql))
    found = reader.select()
    reader.accept(";")
    if reader.at < len(reader.tokens):
        raise SqlError(SYNTAX, reader.tokens[reader.at][1])
    return found


def _tokens(sql: str) -> list[tuple[str, str]]:
    found, at, end = [], 0, len(sql.rstrip())
    while at < end:
        match = _TOKEN.match(sql, at)
        if match is None or match.lastgroup is None:
            raise SqlError(SYNTAX, sql[at : at + 20].strip())
        found.append((match.lastgroup, match.group(match.lastgroup)))
        at = match.end()
    return found


@dataclass(slots=True)
class _Reader:
    tokens: list[tuple[str, str]]
    at: int = 0

    def peek(self, ahead: int = 0) -> tuple[str, str]:
        here = self.at + ahead
        return self.tokens[here] if here < len(self.tokens) else ("end", "")

    def word(self) -> str:
        kind, text = self.peek()
        return text.upper() if kind in {"word", "sign"} else ""

    def accept(self, *words: str) -> bool:
        """Take these words if all of them follow."""
        for ahead, word in enumerate(words):
            kind, text = self.peek(ahead)
            if kind not in {"word", "sign"} or text.upper() != word:
                return False
        self.at += len(words)
        return True

    def expect(self, word: str) -> None:
        if not self.accept(word):
            raise SqlError(SYNTAX, self.peek()[1] or "end of statement")

    def take(self) -> tuple[str, str]:
        self.at += 1
        return self.peek(-1)

    def select(self) -> Select:
        self.expect("SELECT")
        top = self._top() if self.accept("TOP") else None
        items = [self._item()]
        while self.accept(","):
            items.append(self._item())
        aliases: dict[str, tuple[str, ...]] = {}
        table = self._source(aliases) if self.accept("FROM") else ()
        while table and self._join(aliases):
            pass
        where = self.condition() if self.accept("WHERE") else None
        order = []
        if self.accept("ORDER", "BY"):
            order.append(self._term())
            while self.accept(","):
                order.append(self._term())
        return Select(tuple(items), table, aliases, where, tuple(order), top)

    def _top(self) -> Node:
        if not self.accept("("):
            return self._primary()
        found = self._sum()
        self.expect(")")
        return found

    def _item(self) -> tuple[Node, str]:
        if self.accept("*"):
            return Node("star"), ""
        found = self._sum()
        if self.accept("AS"):
            return found, _plain(self.take()[1])
        kind, text = self.peek()
        if kind == "quoted" or (kind == "word" and text.upper() not in _RESERVED):
            return found, _plain(self.take()[1])
        return found, found.args[0][-1] if found.op == "column" else ""

    def _source(self, aliases: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
        path = self._path()
        if self.accept("("):  # a table function: its arguments are not looked at
            while not self.accept(")"):
                self.take()
        aliases[path[-1].lower()] = path
        kind, text = self.peek()
        if self.accept("AS") or kind == "quoted" or (kind == "word" and text.upper() not in _RESERVED):
            aliases[_plain(self.take()[1]).lower()] = path
        return path

    def _join(self, aliases: dict[str, tuple[str, ...]]) -> bool:
        """A join of catalogue views: read over, for they are answered joined."""
        if not (self.accept("JOIN") or self.accept("INNER", "JOIN") or self.accept("LEFT", "OUTER", "JOIN")):
            return False
        joined = self._source(aliases)
        if joined[0].lower() not in {"sys", "information_schema"}:
            raise SqlError(SYNTAX, f"JOIN {joined[-1]}")
        self.expect("ON")
        self.condition()
        return True

    def _term(self) -> tuple[Node, bool]:
        found = self._sum()
        return found, not self.accept("ASC") and self.accept("DESC")

    def condition(self) -> Node:
        found = self._all()
        while self.accept("OR"):
            found = Node("or", (found, self._all()))
        return found

    def _all(self) -> Node:
        found = self._not()
        while self.accept("AND"):
            found = Node("and", (found, self._not()))
        return found

    def _not(self) -> Node:
        return Node("not", (self._not(),)) if self.accept("NOT") else self._comparison()

    def _comparison(self) -> Node:
        left = self._sum()
        if self.word() in _COMPARISONS:
            sign = self.take()[1]
            return Node("compare", ("<>" if sign == "!=" else sign, left, self._sum()))
        if self.accept("IS"):
            absent = not self.accept("NOT")
            self.expect("NULL")
            return Node("is", (left, absent))
        negated = self.accept("NOT")
        if self.accept("IN"):
            self.expect("(")
            found = Node("in", (left, tuple(self._list())))
        elif self.accept("LIKE"):
            found = Node("like", (left, self._sum()))
        elif self.accept("BETWEEN"):
            low = self._sum()
            self.expect("AND")
            found = Node("and", (Node("compare", (">=", left, low)), Node("compare", ("<=", left, self._sum()))))
        else:
            return left
        return Node("not", (found,)) if negated else found

    def _list(self) -> list[Node]:
        """What stands between parentheses, the closing one included."""
        found: list[Node] = []
        while not self.accept(")"):
            if found:
                self.expect(",")
            found.append(Node("star") if self.accept("*") else self._sum())
        return found

    def _sum(self) -> Node:
        found = self._primary()
        while self.word() in {"+", "-", "*", "/"}:
            found = Node("sum", (self.take()[1], found, self._primary()))
        return found

    def _primary(self) -> Node:
        kind, text = self.peek()
        if self.accept("("):
            found = self.condition()
            self.expect(")")
            return found
        if self.accept("-"):
            return Node("sum", ("-", Node("value", (0,)), self._primary()))
        if kind == "param":
            self.take()
            return Node("param", (text,))
        if kind in {"text", "hex", "number"}:
            return Node("value", (_literal(*self.take()),))
        if kind == "word" and (special := self._special()):
            return special
        return self._named()

    def _special(self) -> Node | None:
        if self.accept("NULL"):
            return Node("value", (None,))
        if self.accept("CURRENT_TIMESTAMP"):
            return Node("call", ("GETDATE", ()))
        if self.accept("CASE"):
            return self._case()
        if self.accept("CAST", "("):
            found = self._sum()
            self.expect("AS")
            return Node("cast", (found, self._declared()))
        return None

    def _declared(self) -> str:
        """A type, up to the parenthesis that closes the cast."""
        text = self.take()[1]
        if self.accept("("):
            text += "("
            while not self.accept(")"):
                text += self.take()[1]
            text += ")"
        self.expect(")")
        return text

    def _case(self) -> Node:
        subject = None if self.word() == "WHEN" else self._sum()
        branches = []
        while self.accept("WHEN"):
            when = self.condition()
            self.expect("THEN")
            branches.append((when if subject is None else Node("compare", ("=", subject, when)), self._sum()))
        otherwise = self._sum() if self.accept("ELSE") else Node("value", (None,))
        self.expect("END")
        return Node("case", (tuple(branches), otherwise))

    def _named(self) -> Node:
        path = self._path()
        if self.accept("("):
            return Node("call", (path[-1].upper(), tuple(self._list())))
        return Node("column", (path,))

    def _path(self) -> tuple[str, ...]:
        parts = []
        while True:
            kind, text = self.take()
            if kind not in {"word", "quoted"} or (kind == "word" and text.upper() in _RESERVED):
                raise SqlError(SYNTAX, text or "end of statement")
            parts.append(_plain(text))
            if not self.accept("."):
                return tuple(parts)


def _plain(name: str) -> str:
    return name[1:-1].replace("]]", "]") if name[:1] in {"[", '"'} else name


def _literal(kind: str, text: str) -> object:
    if kind == "text":
        return text[text.index("'") + 1 : -1].replace("''", "'")
    if kind == "hex":
        return bytes.fromhex(text[2:].zfill((len(text) - 1) // 2 * 2))
    if "e" in text.lower():
        return float(text)
    return Decimal(text) if "." in text else int(text)
