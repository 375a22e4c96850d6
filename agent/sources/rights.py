"""What the login may do in SQL Server: all that is read, and nothing else.

Rights are asked of the server itself (HAS_PERMS_BY_NAME counts roles, groups and denials as well), never tried out. A
table that we may not read looks the same as one that is not there; both are said. More rights than SELECT do no harm by
themselves, for nothing here writes, but whoever gets hold of the configuration could: that is a warning, with the
statements for a login that can only read.
"""

from __future__ import annotations

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
_CHANGES = ("INSERT", "UPDATE", "DELETE", "ALTER")
_ROLES = ("sysadmin", "db_owner", "db_datawriter", "db_ddladmin")


def examine_rights(reader: Reader, *, database: str, login: str, user: str) -> tuple[list[SourceFinding], bool]:
    """Findings about rights, and whether every needed table may be read. Raises `SourceUnavailable`."""
    readable: list[str] = []
    missing: list[str] = []
    changes: set[str] = set()
    for table in (*NEEDED, *HELPFUL):
        select, *more = reader.run(RIGHTS, (f"dbo.{table}",) * 5)[0]
        (readable if select == 1 else missing).append(table)
        changes |= {right for right, given in zip(_CHANGES, more, strict=True) if given == 1}
    found = [_missing(table, database, user) for table in missing]
    if readable:
        found.insert(0, SourceFinding("ok", RIGHTS_IN_POHODA, f"SELECT on {', '.join(readable)}"))
    roles = [role for role, member in zip(_ROLES, reader.run(ROLES)[0], strict=True) if member == 1]
    found.append(_surplus(roles, changes, database, login))
    return found, not set(missing) & set(NEEDED)


def _missing(table: str, database: str, user: str) -> SourceFinding:
    needed = table in NEEDED
    text = f"the login may not read the table {table}, or there is none"
    if not needed:
        text += f": {HELPFUL[table]}"
    hint = f"Have an administrator run: USE {quoted(database)}; GRANT SELECT ON dbo.{table} TO {quoted(user)};"
    if needed:
        hint += " If there is no such table, [pohoda] database names none of an accounting unit."
    return SourceFinding("error" if needed else "warning", RIGHTS_IN_POHODA, text, hint)


def _surplus(roles: list[str], changes: set[str], database: str, login: str) -> SourceFinding:
    if not roles and not changes:
        return SourceFinding("ok", "read-only", f"the login {login} can change none of these tables")
    has = ", ".join([*(f"the role {role}" for role in roles), *(right for right in _CHANGES if right in changes)])
    text = f"the login {login} has more rights than it needs ({has}): the agent only reads, but whoever finds its "
    text += "password could change the books"
    return SourceFinding("warning", "read-only", text, f"Give the agent a login of its own: {statements(database)}")


def statements(database: str, login: str = "pohoda_agent") -> str:
    """The T-SQL that makes a login that can only read what is read."""
    grants = " ".join(f"GRANT SELECT ON dbo.{table} TO {login};" for table in (*NEEDED, *HELPFUL))
    make = f"CREATE LOGIN {login} WITH PASSWORD = '***'; USE {quoted(database)}; CREATE USER {login} FOR LOGIN {login};"
    return f"{make} {grants}"


def quoted(name: str) -> str:
    """A name as T-SQL takes it, whatever is in it."""
    return f"[{name.replace(']', ']]')}]"
