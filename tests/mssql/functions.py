"""The functions and ``@@`` variables that statements may use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from tests.mssql.context import PRODUCT, Context
from tests.mssql.errors import SqlError
from tests.mssql.kinds import DATETIME, INT, NAME, ROWVERSION, VARIANT, Kind, Value, kind_for

Function: TypeAlias = Callable[..., Value]
AGGREGATES = {"MAX", "MIN", "COUNT", "SUM"}

_PROPERTIES = {
    "edition": "Express Edition (64-bit)",
    "engineedition": 4,
    "collation": "Czech_CI_AS",
    "productlevel": "RTM",
    "servername": "TESTSERVER",
    "isintegratedsecurityonly": 0,
}
_SERVER_ROLES = {"sysadmin", "serveradmin", "securityadmin", "dbcreator"}
_DATABASE_ROLES = {"db_owner", "db_datareader", "db_datawriter", "db_ddladmin", "public"}


def _text(function: Callable[[str], Value]) -> Function:
    return lambda value: None if value is None else function(str(value))


_OF_VALUES: dict[str, tuple[Kind | None, Function]] = {
    "COALESCE": (None, lambda *given: next((each for each in given if each is not None), None)),
    "ISNULL": (None, lambda one, two: two if one is None else one),
    "LTRIM": (None, _text(lambda text: text.lstrip(" "))),
    "RTRIM": (None, _text(lambda text: text.rstrip(" "))),
    "UPPER": (None, _text(str.upper)),
    "LOWER": (None, _text(str.lower)),
    "LEN": (INT, _text(lambda text: len(text.rstrip(" ")))),
    "ABS": (None, lambda value: None if value is None else abs(value)),
}
"""Name → the type of what it gives (None: that of its first argument), and what it does."""


def call(context: Context, name: str, kinds: Sequence[Kind]) -> tuple[Kind, Function]:
    """Find a function: the type of what it gives, and what to call with its values. Raises `SqlError` 195."""
    if name in _OF_VALUES:
        kind, function = _OF_VALUES[name]
        return kind or kinds[0], function
    found = _of_server(context).get(name)
    if found is None:
        raise SqlError(195, text=f"'{name}' is not a recognized built-in function name.")
    return found


def _of_server(context: Context) -> dict[str, tuple[Kind, Function]]:
    """Functions whose value hangs on the connection."""

    def has_right(securable: str | None, _: str, right: str, *__: object) -> int | None:
        *place, table = (securable or "").replace("[", "").replace("]", "").split(".")
        database = context.databases.get((place[0] if len(place) == 2 else context.database.name).lower())
        if database is None or not context.login.may_use(database.name):
            return None
        if table and not any(each.name.lower() == table.lower() for each in database.tables()):
            return None
        return int(context.login.may(right.upper(), database.name, table))

    def may_use(database: str | None) -> int | None:
        known = context.databases.get((database or "").lower())
        return None if known is None else int(context.login.may_use(known.name))

    def is_member(role: str, *_: object) -> int | None:
        return int(context.login.is_in(role)) if role.lower() in _DATABASE_ROLES else None

    def is_server_role(role: str, *_: object) -> int | None:
        return int(context.login.is_in(role)) if role.lower() in _SERVER_ROLES else None

    version = context.database
    properties = {**_PROPERTIES, "productversion": context.version}
    return {
        "GETDATE": (DATETIME, context.clock),
        "SYSDATETIME": (DATETIME, context.clock),
        "MIN_ACTIVE_ROWVERSION": (ROWVERSION, lambda: version.lowest_active().to_bytes(8, "big")),
        "SCHEMA_NAME": (NAME, lambda *_: "dbo"),
        "DB_NAME": (NAME, lambda *_: context.database.name),
        "SUSER_SNAME": (NAME, lambda *_: context.user),
        "SUSER_NAME": (NAME, lambda *_: context.user),
        "USER_NAME": (NAME, lambda *_: context.user),
        "SERVERPROPERTY": (VARIANT, lambda name: None if (v := properties.get(str(name).lower())) is None else str(v)),
        "HAS_PERMS_BY_NAME": (INT, has_right),
        "HAS_DBACCESS": (INT, may_use),
        "IS_ROLEMEMBER": (INT, is_member),
        "IS_MEMBER": (INT, is_member),
        "IS_SRVROLEMEMBER": (INT, is_server_role),
        "OBJECT_ID": (INT, lambda name, *_: object_id(context, str(name))),
    }


def object_id(context: Context, name: str) -> int | None:
    """Number of a table that the user may see; None for others."""
    wanted = name.replace("[", "").replace("]", "").split(".")[-1].lower()
    for number, table in enumerate(context.database.tables(), 1):
        if table.name.lower() == wanted and context.login.may_read(context.database.name, table.name):
            return 1000 + number
    return None


def variable(context: Context, name: str) -> tuple[Kind, Value]:
    """Value of a ``@@`` variable. Raises `SqlError` 137."""
    known: dict[str, Value] = {
        "VERSION": PRODUCT,
        "SERVERNAME": "TESTSERVER",
        "SPID": context.spid,
        "TRANCOUNT": context.open_transactions,
        "LOCK_TIMEOUT": -1,
        "MICROSOFTVERSION": 0x0F0007D0,
        "DBTS": context.database.version.to_bytes(8, "big"),
    }
    if name not in known:
        raise SqlError(137, text=f'Must declare the scalar variable "@@{name}".')
    return (ROWVERSION if name == "DBTS" else kind_for(known[name])), known[name]


def aggregate(name: str, values: Sequence[Value], key: Callable[[Value], Value]) -> Value:
    """Work out MAX, MIN, COUNT or SUM of values without NULL."""
    if name == "COUNT":
        return len(values)
    if not values:
        return None
    return sum(values) if name == "SUM" else (max if name == "MAX" else min)(values, key=key)
