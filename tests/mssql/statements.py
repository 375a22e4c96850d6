"""The statements that are understood, and their answers. Whatever matches no shape is refused with error 102.

`SHAPES` is the whole list; a test that wants to know what the project relies on compares it with `Server.log`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.mssql import catalogue
from tests.mssql.context import Context, Result
from tests.mssql.engine import Table
from tests.mssql.errors import NO_ACCESS, NO_COLUMN, NO_DATABASE, NO_ENTRY, NO_RIGHT, NO_TABLE, SYNTAX, SqlError
from tests.mssql.evaluate import Compiler, alike
from tests.mssql.functions import AGGREGATES, aggregate
from tests.mssql.kinds import INT, Kind, Value
from tests.mssql.tsql import Node, Select, parse

_PARTS = re.compile(r"((?:[^;']|'(?:[^']|'')*')+)")


@dataclass(frozen=True, slots=True)
class Shape:
    """One form of statement."""

    name: str
    pattern: re.Pattern[str]
    answer: Callable[[Context, re.Match[str], Mapping[str, Any]], Result]


def answer(context: Context, sql: str, parameters: Mapping[str, Any]) -> list[Result]:
    """Answer a batch: one result per statement. Raises `SqlError`."""
    found = [_one(context, part, parameters) for part in _PARTS.findall(sql) if part.strip()]
    return found or [Result()]


def _one(context: Context, sql: str, parameters: Mapping[str, Any]) -> Result:
    for shape in SHAPES:
        if match := shape.pattern.fullmatch(sql.strip()):
            return shape.answer(context, match, parameters)
    near = sql.split(maxsplit=1)[0]
    text = f"Incorrect syntax near '{near}': the test server knows no statement of this shape: {sql[:300]}"
    raise SqlError(SYNTAX, text=text)


def _nothing(*_: object) -> Result:
    return Result()


def _use(context: Context, match: re.Match[str], _: Mapping[str, Any]) -> Result:
    name = match.group("database")
    database = context.databases.get(name.lower())
    if database is None:
        raise SqlError(NO_DATABASE, name)
    if not context.login.may_use(name):
        raise SqlError(NO_ACCESS, name)
    context.database = database
    return Result(use=database.name)


def _data_types(_: Context, match: re.Match[str], __: Mapping[str, Any]) -> Result:
    return catalogue.data_types(int(match.group("type")))


def _sp_columns(context: Context, match: re.Match[str], _: Mapping[str, Any]) -> Result:
    return catalogue.columns_of(context, match.group("table"))


def _transaction(context: Context, match: re.Match[str], _: Mapping[str, Any]) -> Result:
    begins = re.search(r"BEGIN\s+TRAN(?:SACTION)?$", match.group(0), re.IGNORECASE)
    context.open_transactions = 1 if begins else 0
    return Result()


def _select(context: Context, match: re.Match[str], parameters: Mapping[str, Any]) -> Result:
    statement = parse(match.group(0))
    source = _source(context, statement)
    compiler = Compiler(context, source, parameters)
    rows: Sequence[Any] = source.rows
    if statement.where is not None:
        keep = compiler.compile(statement.where).of
        rows = [row for row in source.within(statement.where, compiler) if keep(row)]
    if any(_is_aggregate(node) for node, _ in statement.items):
        return _aggregated(statement, compiler, rows)
    for term, descending in reversed(statement.order):
        of = compiler.compile(term).of
        rows = sorted(rows, key=lambda row: _sortable(of(row)), reverse=descending)
    if statement.top is not None:
        rows = rows[: int(compiler.compile(statement.top).of(None))]
    items = [item for node, name in statement.items for item in source.expanded(node, name)]
    made = [compiler.compile(node) for node, _ in items]
    described = tuple((name, each.kind) for (_, name), each in zip(items, made, strict=True))
    return Result(described, [[each.of(row) for each in made] for row in rows])


def _sortable(value: Value) -> tuple[bool, Value]:
    """NULL comes first."""
    return (False, 0) if value is None else (True, alike(value, value)[0])


def _is_aggregate(node: Node) -> bool:
    return node.op == "call" and node.args[0] in AGGREGATES


def _aggregated(statement: Select, compiler: Compiler, rows: Sequence[Any]) -> Result:
    described: list[tuple[str, Kind]] = []
    values = []
    for node, name in statement.items:
        if not _is_aggregate(node):
            raise SqlError(SYNTAX, text="Columns beside an aggregate need a GROUP BY, which is not known here.")
        inner = compiler.compile(node.args[1][0])
        given = [value for row in rows if (value := inner.of(row)) is not None]
        values.append(aggregate(node.args[0], given, lambda value: alike(value, value)[0]))
        described.append((name, INT if node.args[0] == "COUNT" else inner.kind))
    return Result(tuple(described), [values])


@dataclass(frozen=True, slots=True)
class _OfTable:
    """Rows of a table; a column may be spelled with the table or its alias."""

    table: Table
    rows: Sequence[Any]

    def find(self, path: tuple[str, ...]) -> tuple[Kind, Callable[[Any], Any]]:
        at = self.table.position(path[-1])
        return self.table.columns[at].kind, lambda row: row[at]

    def expanded(self, node: Node, name: str) -> list[tuple[Node, str]]:
        if node.op != "star":
            return [(node, name)]
        return [(Node("column", ((each.name,),)), each.name) for each in self.table.columns]

    def within(self, where: Node, compiler: Compiler) -> Sequence[Any]:
        """Candidates: fewer where the key must be one of some values, as an index would tell."""
        while where.op == "and":
            where = where.args[0]
        if where.op == "in" and where.args[0].op == "column" and self.table.position(where.args[0].args[0][-1]) == 0:
            wanted = {compiler.compile(each).of(None) for each in where.args[1]}
            return [self.table.rows[each] for each in wanted if each in self.table.rows]
        return self.rows


@dataclass(frozen=True, slots=True)
class _OfViews:
    """Rows of catalogue views, joined; a column without its view is one of the first view."""

    statement: Select
    rows: Sequence[catalogue.Wide]

    def find(self, path: tuple[str, ...]) -> tuple[Kind, Callable[[Any], Any]]:
        view = self.statement.aliases.get(path[-2].lower()) if len(path) > 1 else self.statement.table
        if view is None:
            raise SqlError(NO_COLUMN, ".".join(path))
        name = ".".join((*view, path[-1])).lower()
        return catalogue.kind_in_view(path[-1].lower()), lambda row: row.get(name)

    def expanded(self, node: Node, name: str) -> list[tuple[Node, str]]:
        if node.op == "star":
            raise SqlError(SYNTAX, "*")
        return [(node, name)]

    def within(self, where: Node, compiler: Compiler) -> Sequence[Any]:  # noqa: ARG002 - as for tables
        return self.rows


def _source(context: Context, statement: Select) -> _OfTable | _OfViews:
    path = statement.table
    if not path:
        return _OfTable(Table("", ()), [()])
    if path[0].lower() in {"sys", "information_schema"} or path[-1].lower() == "fn_listextendedproperty":
        return _OfViews(statement, catalogue.wide(context, ".".join(path).lower()))
    database = context.database
    if len(path) == 3:  # of another database of the server
        if path[0].lower() not in context.databases:
            raise SqlError(NO_TABLE, ".".join(path))
        database = context.databases[path[0].lower()]
        if not context.login.may_use(database.name):
            raise SqlError(NO_ENTRY, context.user, database.name)
    table = database.committed(path[-1])
    if not context.login.may_read(database.name, table.name):
        raise SqlError(NO_RIGHT, table.name, database.name)
    return _OfTable(table, list(table.rows.values()))


def _shape(name: str, pattern: str, answered: Callable[..., Result]) -> Shape:
    return Shape(name, re.compile(pattern, re.IGNORECASE | re.DOTALL), answered)


SHAPES = (
    _shape("settings of the connection", r"(?:SET\s+[\w ]+?\s+[-\w]+\s*)+", _nothing),
    _shape("change of database", r"USE\s+[\[\"]?(?P<database>[^\]\"]+?)[\]\"]?", _use),
    _shape(
        "transactions",
        r"(?:IF\s+@@TRANCOUNT\s*(?:>|<>)\s*0\s*)?(?:BEGIN|COMMIT|ROLLBACK)(?:\s+TRAN(?:SACTION)?)?"
        r"(?:\s+BEGIN\s+TRAN(?:SACTION)?)?",
        _transaction,
    ),
    _shape("data types of the driver", r"(?:EXEC\s+)?(?:sys\.)?sp_datatype_info\w*\s+(?P<type>-?\d+).*", _data_types),
    _shape("columns by the driver", r"(?:EXEC\s+)?(?:sys\.)?sp_columns\w*\s.*?N?'(?P<table>\w+)'.*", _sp_columns),
    _shape("SELECT of one table or of catalogue views", r"SELECT\s.+", _select),
)
