"""What the login may do in SQL Server: all that is read, and nothing else.

Rights are asked of the server itself (HAS_PERMS_BY_NAME counts roles, groups and denials as well), never tried out. A
table that we may not read looks the same as one that is not there; both are said. More rights than SELECT do no harm by
themselves, for nothing here writes, but whoever gets hold of the configuration could: that is a warning, with the
statements for a login that can only read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from agent.sources import SourceFinding
from agent.sources.reader import Reader
from agent.sources.statements import RIGHTS, ROLES

RIGHTS_IN_POHODA = "rights in POHODA"
NEEDED = ("SKz", "sSklad")
HELPFUL = {
    "SKzPoh": "a movement does not bring the next look forward, and a restored database is told less surely",
    "OBJpol": "an order does not bring the next look forward",
}
"""Tables that are read if they may be, and what is lost without."""
OF_VIEWS: Mapping[str, tuple[str, ...]] = {
    "products": (),
    "prices": ("SkCeny", "SKzCn"),
    "pictures": ("SkRefObraz",),
    "categories": ("SkKat",),
    "card_categories": ("SkKat", "SkRefKat"),
    "card_parameters": ("SkParam", "SkParamList", "SkRefParam", "SKRefParamList"),
    "card_suppliers": ("SKzNC", "AD"),
    "orders": ("OBJ", "OBJpol"),
    "lists": ("sVPULpol",),
}
"""View → the tables that it needs besides; ``lists`` stands for customers' own lists of orders."""
_CHANGES = ("INSERT", "UPDATE", "DELETE", "ALTER")
_ROLES = ("sysadmin", "db_owner", "db_datawriter", "db_ddladmin")


def examine_rights(
    reader: Reader, *, database: str, login: str, user: str, views: Collection[str] = ()
) -> tuple[list[SourceFinding], bool]:
    """Findings about rights, and whether every needed table may be read. Raises `SourceUnavailable`.

    ``views`` are those that are read beside ``stock`` (`OF_VIEWS`).
    """
    needed = tuple(dict.fromkeys([*NEEDED, *(table for view in views for table in OF_VIEWS[view])]))
    helpful = [table for table in HELPFUL if table not in needed]
    readable: list[str] = []
    missing: list[str] = []
    changes: set[str] = set()
    for table in (*needed, *helpful):
        select, *more = reader.run(RIGHTS, (f"dbo.{table}",) * 5)[0]
        (readable if select == 1 else missing).append(table)
        changes |= {right for right, given in zip(_CHANGES, more, strict=True) if given == 1}
    found = [_missing(table, database, user, needed=table in needed) for table in missing]
    if readable:
        found.insert(0, SourceFinding("ok", RIGHTS_IN_POHODA, f"SELECT on {', '.join(readable)}"))
    roles = [role for role, member in zip(_ROLES, reader.run(ROLES)[0], strict=True) if member == 1]
    found.append(_surplus(roles, changes, login, statements(database, tables=(*needed, *helpful))))
    return found, not set(missing) & set(NEEDED)


def _missing(table: str, database: str, user: str, *, needed: bool) -> SourceFinding:
    text = f"the login may not read the table {table}, or there is none"
    if not needed:
        text += f": {HELPFUL[table]}"
    hint = f"Have an administrator run: USE {quoted(database)}; GRANT SELECT ON dbo.{table} TO {quoted(user)};"
    if table in NEEDED:
        hint += " If there is no such table, [pohoda] database names none of an accounting unit."
    return SourceFinding("error" if needed else "warning", RIGHTS_IN_POHODA, text, hint)


def _surplus(roles: list[str], changes: set[str], login: str, remedy: str) -> SourceFinding:
    if not roles and not changes:
        return SourceFinding("ok", "read-only", f"the login {login} can change none of these tables")
    has = ", ".join([*(f"the role {role}" for role in roles), *(right for right in _CHANGES if right in changes)])
    text = f"the login {login} has more rights than it needs ({has}): the agent only reads, but whoever finds its "
    text += "password could change the books"
    return SourceFinding("warning", "read-only", text, f"Give the agent a login of its own: {remedy}")


def statements(database: str, login: str = "pohoda_agent", *, tables: Iterable[str] = (*NEEDED, *HELPFUL)) -> str:
    """The T-SQL that makes a login that can only read what is read."""
    grants = " ".join(f"GRANT SELECT ON dbo.{table} TO {login};" for table in tables)
    make = f"CREATE LOGIN {login} WITH PASSWORD = '***'; USE {quoted(database)}; CREATE USER {login} FOR LOGIN {login};"
    return f"{make} {grants}"


def quoted(name: str) -> str:
    """A name as T-SQL takes it, whatever is in it."""
    return f"[{name.replace(']', ']]')}]"
