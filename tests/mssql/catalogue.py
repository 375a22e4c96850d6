"""The catalogue views, and ``sp_columns`` and ``sp_datatype_info``: what column detection and the drivers ask.

A join of ``sys`` views is answered from one wide list that is joined already, whatever its ON says; a column of a view
that has nothing to tell (defaults, computed columns, comments) is NULL. Tables that may not be read are not shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from tests.mssql.context import Context, Result
from tests.mssql.engine import Column, Table
from tests.mssql.errors import NO_TABLE, SqlError
from tests.mssql.functions import object_id
from tests.mssql.kinds import BIT, INT, NAME, SMALLINT, Kind

Wide: TypeAlias = dict[str, Any]
"""``sys.columns.name`` → value: one row of all views together."""

_SIZES = {"tinyint": 1, "smallint": 2, "int": 4, "bigint": 8, "bit": 1, "float": 8, "money": 8, "datetime": 8}
_DIGITS = {"int": 10, "float": 53, "money": 19, "datetime": 23, "bit": 1, "bigint": 19, "smallint": 5, "tinyint": 3}
_ODBC = {"int": 4, "bit": -7, "float": 6, "money": 3, "datetime": 93, "varchar": 12, "nvarchar": -9, "text": -1}
_ODBC |= {"rowversion": -2, "bigint": -5, "smallint": 5, "tinyint": -6, "decimal": 3, "varbinary": -3, "datetime2": 93}


def wide(context: Context, view: str) -> list[Wide]:
    """The rows of a join that starts with this view. Raises `SqlError` 208."""
    if view not in _VIEWS:
        raise SqlError(NO_TABLE, view)
    return list(_VIEWS[view](context))


def kind_in_view(name: str) -> Kind:
    """The type of a column of a view, told by its name."""
    if name.startswith(("is_", "has_")) and name != "is_nullable":
        return BIT
    numbers = {"object_id", "column_id", "max_length", "precision", "scale", "schema_id", "user_type_id", "database_id"}
    numbers |= {"is_nullable", "ordinal_position", "character_maximum_length", "seed_value", "increment_value"}
    return INT if name in numbers else Kind("nvarchar", 4000)


def tables_of(context: Context) -> Iterator[Table]:
    """The tables that the user may see."""
    for table in context.database.tables():
        if context.login.may_read(context.database.name, table.name):
            yield table


def shown_type(kind: Kind) -> str:
    """The catalogue calls a rowversion a timestamp."""
    return {"rowversion": "timestamp"}.get(kind.name, kind.name)


def _objects(context: Context) -> Iterator[Wide]:
    for table in tables_of(context):
        yield {
            "sys.objects.name": table.name,
            "sys.objects.type": "U ",
            "sys.objects.object_id": object_id(context, table.name),
            "sys.schemas.name": "dbo",
            "sys.tables.name": table.name,
            "information_schema.tables.table_catalog": context.database.name,
            "information_schema.tables.table_schema": "dbo",
            "information_schema.tables.table_name": table.name,
            "information_schema.tables.table_type": "BASE TABLE",
        }


def _columns(context: Context) -> Iterator[Wide]:
    for row in _objects(context):
        table = context.database.table(row["sys.objects.name"])
        for number, column in enumerate(table.columns, 1):
            yield row | _column(column, number) | _plain_column(row, column, number)


def _column(column: Column, number: int) -> Wide:
    kind = column.kind
    return {
        "sys.columns.name": column.name,
        "sys.columns.column_id": number,
        "sys.columns.is_nullable": int(column.nullable),
        "sys.columns.max_length": _length(kind),
        "sys.columns.precision": kind.size if kind.name == "decimal" else _DIGITS.get(kind.name, 0),
        "sys.columns.scale": {"money": 4, "datetime": 3}.get(kind.name, kind.scale),
        "sys.columns.collation_name": "Czech_CI_AS" if kind.is_text else None,
        "sys.types.name": shown_type(kind),
        "sys.identity_columns.is_identity": True if number == 1 else None,
        "sys.identity_columns.seed_value": 1 if number == 1 else None,
        "sys.identity_columns.increment_value": 1 if number == 1 else None,
    }


def _plain_column(row: Wide, column: Column, number: int) -> Wide:
    columns = {
        "table_catalog": row["information_schema.tables.table_catalog"],
        "table_schema": "dbo",
        "table_name": row["sys.objects.name"],
        "column_name": column.name,
        "ordinal_position": number,
        "is_nullable": "YES" if column.nullable else "NO",
        "data_type": shown_type(column.kind),
        "character_maximum_length": _length(column.kind) if column.kind.is_text else None,
        "collation_name": "Czech_CI_AS" if column.kind.is_text else None,
    }
    return {f"information_schema.columns.{name}": value for name, value in columns.items()}


def _length(kind: Kind) -> int:
    if kind.name == "text":
        return 16
    if kind.is_text or kind.name in {"varbinary", "binary"}:
        return -1 if kind.size is None else kind.size * (2 if kind.name.startswith("n") else 1)
    return _SIZES.get(kind.name, 8)


def _databases(context: Context) -> Iterator[Wide]:
    for number, database in enumerate(context.databases.values(), 1):
        yield {"sys.databases.name": database.name, "sys.databases.database_id": number}


def _nothing(_: Context) -> Iterator[Wide]:
    return iter(())


_VIEWS: dict[str, Callable[[Context], Iterator[Wide]]] = {
    **dict.fromkeys(("sys.objects", "sys.tables", "information_schema.tables"), _objects),
    **dict.fromkeys(("sys.columns", "information_schema.columns"), _columns),
    "sys.databases": _databases,
    **dict.fromkeys(("sys.system_views", "fn_listextendedproperty"), _nothing),
}

_TYPES = (("datetime2", 93, 27, 0, 7), ("nvarchar", -9, 4000, None, None), ("varchar", 12, 8000, None, None),
          ("varbinary", -3, 8000, None, None))  # fmt: skip # a table
_TYPE_COLUMNS = (
    *(("TYPE_NAME", NAME), ("DATA_TYPE", SMALLINT), ("PRECISION", INT), ("LITERAL_PREFIX", NAME)),
    *(("LITERAL_SUFFIX", NAME), ("CREATE_PARAMS", NAME), ("NULLABLE", SMALLINT), ("CASE_SENSITIVE", SMALLINT)),
    *(("SEARCHABLE", SMALLINT), ("UNSIGNED_ATTRIBUTE", SMALLINT), ("MONEY", SMALLINT), ("AUTO_INCREMENT", SMALLINT)),
    *(("LOCAL_TYPE_NAME", NAME), ("MINIMUM_SCALE", SMALLINT), ("MAXIMUM_SCALE", SMALLINT)),
    *(("SQL_DATA_TYPE", SMALLINT), ("SQL_DATETIME_SUB", SMALLINT), ("NUM_PREC_RADIX", INT)),
    *(("INTERVAL_PRECISION", SMALLINT), ("USERTYPE", SMALLINT)),
)


def data_types(wanted: int) -> Result:
    """``sp_datatype_info``: pyodbc asks at connect how long texts may be and how fine times are. 0: all."""
    rows = [
        (*(name, code, size, "'", "'", None, 1, 0), *(3, None, 0, None, name, low, high, code, None, None, None, 0))
        for name, code, size, low, high in _TYPES
        if wanted in {0, code}
    ]
    return Result(_TYPE_COLUMNS, rows)


_COLUMN_COLUMNS = (
    *(("TABLE_QUALIFIER", NAME), ("TABLE_OWNER", NAME), ("TABLE_NAME", NAME), ("COLUMN_NAME", NAME)),
    *(("DATA_TYPE", SMALLINT), ("TYPE_NAME", NAME), ("PRECISION", INT), ("LENGTH", INT), ("SCALE", SMALLINT)),
    *(("RADIX", SMALLINT), ("NULLABLE", SMALLINT), ("REMARKS", NAME), ("COLUMN_DEF", NAME)),
    *(("SQL_DATA_TYPE", SMALLINT), ("SQL_DATETIME_SUB", SMALLINT), ("CHAR_OCTET_LENGTH", INT)),
    *(("ORDINAL_POSITION", INT), ("IS_NULLABLE", NAME), ("SS_DATA_TYPE", SMALLINT)),
)


def columns_of(context: Context, name: str) -> Result:
    """``sp_columns``: what ``cursor.columns(table)`` gives."""
    rows = []
    for table in tables_of(context):
        if table.name.lower() != name.lower():
            continue
        for number, column in enumerate(table.columns, 1):
            kind, code = column.kind, _ODBC.get(column.kind.name, 12)
            size, nulls = kind.size or _DIGITS.get(kind.name, 0), "YES" if column.nullable else "NO"
            place = (context.database.name, "dbo", table.name, column.name)
            measures = (code, shown_type(kind), size, _length(kind), kind.scale, None, int(column.nullable))
            rows.append((*place, *measures, None, None, code, None, None, number, nulls, 0))
    return Result(_COLUMN_COLUMNS, rows)
