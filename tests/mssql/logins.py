"""Who may do what: users, their databases and the tables that they may not read."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Login:
    """One user. Changes hold at once, for open connections too, as in SQL Server."""

    password: str
    databases: set[str] | None = None
    """Names in lower case; None: all."""
    denied: set[tuple[str, str]] = field(default_factory=set)
    """Database and table in lower case, of what may not be read."""
    refusal: int = 0
    """With this error the log-in is refused although the password is right (locked, expired, disabled)."""
    writes: bool = False
    """Has more rights than needed: INSERT, UPDATE and DELETE on everything."""
    roles: set[str] = field(default_factory=set)
    """Roles that it is in, in lower case, of the server (sysadmin) and of its databases (db_owner)."""

    def deny(self, database: str, table: str) -> None:
        """Take the right to read a table away: statements get 229, and the catalogue hides it."""
        self.denied.add((database.lower(), table.lower()))

    def grant(self, database: str, table: str) -> None:
        """Give it back."""
        self.denied.discard((database.lower(), table.lower()))

    def may_use(self, database: str) -> bool:
        return self.databases is None or database.lower() in self.databases or database.lower() == "master"

    def may_read(self, database: str, table: str) -> bool:
        return (database.lower(), table.lower()) not in self.denied

    def may(self, right: str, database: str, table: str) -> bool:
        """What HAS_PERMS_BY_NAME says of a table, or, with an empty one, of the database."""
        if right in {"SELECT", "ANY", "CONNECT", "VIEW DEFINITION"}:
            return self.may_read(database, table)
        owns = not self.roles.isdisjoint({"sysadmin", "db_owner"})
        return owns or (self.writes and right in {"INSERT", "UPDATE", "DELETE"})

    def is_in(self, role: str) -> bool:
        """What IS_MEMBER and IS_SRVROLEMEMBER say of a role that exists."""
        return role.lower() in self.roles or (self.writes and role.lower() == "db_datawriter")
