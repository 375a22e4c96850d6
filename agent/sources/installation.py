"""Whether POHODA is set up so that it can be read, for ``check``: driver, server, database, rights, ``DatSave``.

Decisions: each step borrows a connection of its own, so that one that fails hides no other. A database is told by its
name, ``StwPh_<IČO>_<year>`` (or the file's), and by the list of accounting units in ``StwPh_sys`` where that may be
read; it need not be: POHODA makes that database anew at its upgrades, so that a right to it would have to be given
again each time. A new year is a new database: one that is newer than ours is a warning, for nothing moves in ours then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from agent.errors import SourceUnavailable
from agent.sources import SourceFinding
from agent.sources.columns import Catalogue
from agent.sources.datsave_probe import probe
from agent.sources.reader import Database, Reader
from agent.sources.rights import RIGHTS_IN_POHODA, examine_rights
from agent.sources.server_address import read_address
from agent.sources.statements import SERVER, SYSTEM_DATABASE, UNITS, UNITS_READABLE, YEARS

_NAME = re.compile(r"(?i)(?:StwPh_)?(\d{8})_(\d{4})")
_RELEASES = {8: "2000", 9: "2005", 10: "2008", 11: "2012", 12: "2014", 13: "2016", 14: "2017", 15: "2019", 16: "2022"}
_RELEASES[17] = "2025"
_OLDEST = 11
_SQL_DRIVER_NAME, _SQL_DRIVER_VER = 6, 7  # of SQLGetInfo
_OURS = re.compile(r"(?i)sql server|freetds|access|mdb")


class Unit(NamedTuple):
    """An accounting unit and year."""

    ico: str
    year: int

    def __str__(self) -> str:
        return f"IČO {self.ico}, year {self.year}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is configured: where, which unit, and how changes are found."""

    database: str = field(repr=False)
    """The setting: an address or a path."""
    ico: str | None = None
    year: int | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    row_version: str = "auto"
    views: tuple[str, ...] = ()
    """Those that are read beside ``stock``."""

    @property
    def on_server(self) -> bool:
        """Tell whether it is SQL Server's."""
        return self.database.strip().lower().startswith("mssql:")


@dataclass(slots=True)
class Examined:
    """The findings, and whether it is worth looking at the tables at all."""

    findings: list[SourceFinding] = field(default_factory=list)
    usable: bool = True


def examine(database: Database, wanted: Wanted) -> Examined:
    """Examine the installation behind a database. Never raises for its sake."""
    done = Examined()
    try:
        with database.reading() as reader:
            done.findings += _reached(reader, getattr(database, "described", ""))  # not every kind describes itself
            facts = reader.run(SERVER)[0] if wanted.on_server else ()
    except SourceUnavailable as error:
        return Examined([_more(SourceFinding("error", "POHODA", str(error), error.hint), wanted)], usable=False)
    if wanted.on_server:
        _examine_server(database, wanted, _Server(*(str(fact or "") for fact in facts)), done)
    else:
        done.findings += _file(wanted)
    if done.usable:
        done.findings += _step(
            database, "DatSave", lambda reader: [probe(reader, Catalogue(), row_version=wanted.row_version)]
        )
    return done


class _Server(NamedTuple):
    version: str
    edition: str
    database: str
    login: str
    user: str


def _examine_server(database: Database, wanted: Wanted, server: _Server, done: Examined) -> None:
    done.findings.append(release(server.version, server.edition))
    units = _units(database)
    ours = _unit_of(server.database, units)
    done.findings.append(belongs(server.database, ours, wanted, listed=units is not None))
    if ours is not None:
        done.findings += _step(database, "accounting year", lambda reader: _newer(reader, ours))

    def rights(reader: Reader) -> list[SourceFinding]:
        found, done.usable = examine_rights(
            reader, database=server.database, login=server.login, user=server.user, views=wanted.views
        )
        return found

    done.findings += _step(database, RIGHTS_IN_POHODA, rights)


def _step(database: Database, subject: str, ask: Callable[[Reader], list[SourceFinding]]) -> list[SourceFinding]:
    """Ask one thing; what goes wrong becomes its finding."""
    try:
        with database.reading() as reader:
            return ask(reader)
    except SourceUnavailable as error:
        return [SourceFinding("error", subject, str(error), error.hint)]


def _more(refusal: SourceFinding, wanted: Wanted) -> SourceFinding:
    """Say what else a server has that was reached and refused."""
    if not wanted.on_server:
        return refusal
    from agent.sources.neighbours import look_around  # noqa: PLC0415 - late: SQLite needs none of it

    keys = {"user": wanted.user, "password": wanted.password, "ico": wanted.ico}
    return look_around(read_address(wanted.database.strip(), **keys, year=wanted.year), refusal)


def _reached(reader: Reader, described: str) -> list[SourceFinding]:
    """How it is reached, the driver that is used by its own account, and those that are installed (none for SQLite)."""
    found = [SourceFinding("ok", "POHODA", described)] if described else []
    raw: Any = reader.connection.raw
    if not hasattr(raw, "getinfo"):
        return found
    import pyodbc  # noqa: PLC0415 - late: its import fails where the ODBC library is missing

    installed = ", ".join(name for name in pyodbc.drivers() if _OURS.search(name)) or "none by name"
    used = f"{raw.getinfo(_SQL_DRIVER_NAME)} {raw.getinfo(_SQL_DRIVER_VER)}"
    return [*found, SourceFinding("ok", "ODBC driver", f"{used} is used; installed: {installed}")]


def release(version: str, edition: str) -> SourceFinding:
    """Judge the server's version (``15.0.2000.5``) and edition."""
    major = int(version.split(".", maxsplit=1)[0]) if version.split(".", maxsplit=1)[0].isdigit() else 0
    name = f"SQL Server {'2008 R2' if version.startswith('10.50') else _RELEASES.get(major, '')}".rstrip()
    text = f"{name} ({version}, {edition}), so this is POHODA SQL or E1"
    if 0 < major < _OLDEST:
        hint = "Move POHODA to a newer SQL Server; until then the driver FreeTDS may do: add ?driver=FreeTDS."
        return SourceFinding("warning", "server", f"{text}; it is older than what today's drivers support", hint)
    return SourceFinding("ok", "server", text)


def unit_in(name: str) -> Unit | None:
    """Read IČO and year from a database's or a file's name: ``StwPh_12345678_2026.mdb``; None if it tells neither."""
    found = _NAME.fullmatch(_stem(name))
    return Unit(found[1], int(found[2])) if found else None


def _stem(name: str) -> str:
    return re.sub(r"(?i)\.(mdb|accdb|db|sqlite3?)$", "", _last(name)).strip()


def _last(path: str) -> str:
    """The file's name of a path of this system or of Windows."""
    return re.split(r"[/\\]", path.strip())[-1]


def _unit_of(name: str, units: Sequence[tuple[Unit, str]] | None) -> Unit | None:
    """What the list of units says of a database, else its name."""
    listed = [unit for unit, file in units or () if _stem(file).casefold() == _stem(name).casefold()]
    return listed[0] if listed else unit_in(name)


def _units(database: Database) -> list[tuple[Unit, str]] | None:
    """POHODA's own list of units and the names of their databases; None where it cannot be read, which is no harm."""
    try:
        with database.reading() as reader:
            if reader.run(SYSTEM_DATABASE)[0][0] != 1 or reader.run(UNITS_READABLE)[0][0] != 1:
                return None
            rows = reader.run(UNITS)
    except SourceUnavailable:
        return None
    return [
        (Unit(str(ico or "").strip(), int(year)), str(file or ""))
        for ico, year, file in rows
        if str(year or "").strip().isdigit()
    ]


def belongs(name: str, ours: Unit | None, wanted: Wanted, *, listed: bool | None = None) -> SourceFinding:
    """Compare the accounting unit behind a database with the configured one. ``listed``: StwPh_sys could be read."""
    if ours is None:
        text = f"the name {name} tells neither IČO nor year" + (", and StwPh_sys is not readable" if not listed else "")
        if wanted.ico is None and wanted.year is None:
            return SourceFinding("ok", "database", text)
        hint = f"Compare with POHODA's agenda Účetní jednotky; its databases are called StwPh_{wanted.ico or '<IČO>'}_"
        hint += f"{wanted.year or '<year>'}."
        return SourceFinding("warning", "database", f"{text}: whether it is the configured one is not sure", hint)
    right = wanted.ico in {None, ours.ico} and wanted.year in {None, ours.year}
    if not right:
        meant = ", ".join(
            [*([f"IČO {wanted.ico}"] if wanted.ico else []), *([f"year {wanted.year}"] if wanted.year else [])]
        )
        text = f"{name} belongs to {ours}, but [pohoda] says {meant}"
        hint = f'Set ico = "{ours.ico}" and year = {ours.year} if this one is meant, else let database name '
        hint += f"StwPh_{wanted.ico or ours.ico}_{wanted.year or ours.year}."
        return SourceFinding("error", "database", text, hint)
    known = {None: "", True: "; so says StwPh_sys", False: "; StwPh_sys is not readable, which is fine"}[listed]
    return SourceFinding("ok", "database", f"{name} belongs to {ours}{known}")


def _newer(reader: Reader, ours: Unit) -> list[SourceFinding]:
    """Warn of a newer accounting year of the same unit."""
    found = (unit_in(str(name)) for (name,) in reader.run(YEARS, (f"StwPh_{ours.ico}_%",)))
    years = sorted(unit.year for unit in found if unit is not None and unit.year > ours.year)
    if not years:
        return []
    text = f"the server also has StwPh_{ours.ico}_{years[-1]}: a newer accounting year than {ours.year}, which is read"
    hint = f"As soon as POHODA works in it, set year = {years[-1]} (and the database's name, if database names it), and"
    hint += " give the login the same rights there."
    return [SourceFinding("warning", "accounting year", text, hint)]


def _file(wanted: Wanted) -> list[SourceFinding]:
    """A database that is a file: POHODA's base series (Access), or SQLite."""
    name = _last(wanted.database)
    access = name.lower().endswith((".mdb", ".accdb"))
    ours = unit_in(name)
    if ours is None and not access and wanted.ico is None and wanted.year is None:
        return []
    found = belongs(name, ours, wanted)
    if access and found.verdict == "ok":
        return [replace(found, text=f"{found.text}; a file of Access, so this is POHODA's base series")]
    return [found]
