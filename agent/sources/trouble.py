"""What a failure of a database means: errors of the drivers become `SourceUnavailable`, in our words, with a hint.

Decisions: SQL Server's failures are told by the number in the driver's text, ``… (1205) (SQLExecDirectW)``, for the
drivers disagree about SQLSTATE and class: a deadlock is 42000 with FreeTDS and 40001 with Microsoft's driver. Failures
that the driver itself found (no server, a broken connection, time out) have no such number; they are told by SQLSTATE
and the driver's own numbers. The text itself is not passed on, for it may hold SQL or a value of POHODA's; only names
of a table, a column, a database or a user are taken out of it, and the number is named, to be looked up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.errors import SourceUnavailable
from agent.sources.server_errors import AGAIN, SERVER_ERRORS

_SQLITE = (
    ("locked", "POHODA's database is locked.", "Somebody writes to it for long; the agent tries again by itself."),
    ("unable to open", "POHODA's database cannot be opened.", "Check [pohoda] database: the file must be there."),
    ("not a database", "The file is no database.", "Check [pohoda] database; an MDB file is not read this way."),
    ("malformed", "POHODA's database is damaged.", "Have POHODA check its data; the agent reads nothing until then."),
    ("no such table", "A table is missing.", "Check [pohoda] database: it must be one of an accounting unit."),
    ("no such column", "A column is missing.", "Run `check`: it lists the columns that are needed."),
    ("interrupted", "Reading took too long and was cut short.", "The agent tries again by itself; see `status`."),
    ("decode", "A text in the database is not readable.", "Have POHODA check its data (an invalid character)."),
)

_NUMBER = re.compile(r"\((-?\d+)\)(?=\s*(?:\(SQL\w+\)|;\s*\[|$))")
_QUOTED = re.compile(r"(?<!\w)['\"„‚«](.{1,128}?)['\"“‘»]")
_SERVER = "[SQL Server]"

_TIMED_OUT, _TDS_TIMED_OUT = "HYT00", 20003
_BROKEN_STATES = {"08S01", "08003", "08007", "08001", "HYT01"}
_BROKEN_TDS = {20002, 20003, 20004, 20006, 20009, 20017, 20047}
"""FreeTDS: timed out, cannot read, cannot write, not there, unexpected end, dead."""
_BROKEN_NUMBERS = {233, 596, 6005, 6006, 10053, 10054, 17142}
"""The server says it itself: the session is being killed, it shuts down, it is paused."""
_MISSING_DRIVER = {"IM002", "IM003", "IM004"}
_UNTRUSTED = {-2146893019, -2146893022, -2146762487}
"""Windows: issued by an authority that is not trusted, another name than the server's, an untrusted root."""


@dataclass(frozen=True, slots=True)
class _Failure:
    """What can be told of a driver's error."""

    state: str
    """SQLSTATE."""
    number: int
    """The server's, or the driver's; 0: none."""
    by_server: bool
    text: str
    """Not to be shown."""

    @property
    def name(self) -> str:
        """The first name in quotes: the table, column, database or user that it is about. Empty if there is none."""
        found = _QUOTED.search(self.text)
        return f" {found[1]}" if found else ""


def of_server(error: Exception, *, opening: bool) -> SourceUnavailable:
    """Explain an error of pyodbc; ``opening``: it came while connecting."""
    if isinstance(error, UnicodeError):
        return _undecodable()
    found = _read(error)
    if found.by_server and found.number in SERVER_ERRORS:
        message, hint = SERVER_ERRORS[found.number]
        return SourceUnavailable(f"{message.format(found.name)} ({found.number})", hint=hint)
    if found.by_server:
        return SourceUnavailable(
            f"SQL Server refused with its error {found.number}.",
            hint=f"Look the number up in Microsoft's list of errors. {AGAIN}",
        )
    return _at_opening(found) if opening else _in_reading(found)


def is_broken(error: Exception) -> bool:
    """Tell whether the connection broke, so that those beside it probably did, too."""
    return _is_broken(_read(error))


def of_sqlite(error: Exception, *, opening: bool) -> SourceUnavailable:  # noqa: ARG001 - the same either way
    """Explain an error of SQLite; its texts name tables and columns, never values."""
    text = str(error)
    for sign, message, hint in _SQLITE:
        if sign in text.lower():
            return SourceUnavailable(f"{message} ({text[:200]})", hint=hint)
    return SourceUnavailable(
        f"POHODA's database cannot be read: {text[:200]}", hint="The agent tries again by itself; `check` says more."
    )


def _is_broken(found: _Failure) -> bool:
    if found.by_server:
        return found.number in _BROKEN_NUMBERS
    unknown = found.state == "HY000" and found.number == 0  # how FreeTDS says that it could not write
    return found.state in _BROKEN_STATES or found.number in _BROKEN_TDS or unknown


def _read(error: Exception) -> _Failure:
    text = str(error.args[-1]) if error.args else ""
    state = str(error.args[0]) if len(error.args) > 1 else ""
    numbers = [int(each) for each in _NUMBER.findall(text)]
    known = [each for each in numbers if each in SERVER_ERRORS]
    number = (known or numbers or [0])[0]
    of_driver = number <= 0 or (20000 <= number < 21000 and "FreeTDS" in text)
    return _Failure(state, number, _SERVER in text and not of_driver, text)


def _at_opening(found: _Failure) -> SourceUnavailable:
    lower = found.text.lower()
    if "can't open lib" in lower or found.state in _MISSING_DRIVER:
        return SourceUnavailable(
            f"The ODBC driver{found.name} cannot be loaded.",
            hint="Install it, with the libraries that it needs, or name another one by ?driver= in [pohoda] database.",
        )
    if "certificate" in lower or found.number in _UNTRUSTED:
        return SourceUnavailable(
            "SQL Server's certificate is not trusted by this computer, so it may be another server.",
            hint="POHODA's SQL Server usually has one that it signed itself. Install a certificate that this computer "
            "trusts, issued for the name in [pohoda] database; or, in a network that you trust, add "
            "?trust_server_certificate=yes to it.",
        )
    if "ssl" in lower or "encryption" in lower or "tls" in lower:
        return SourceUnavailable(
            "SQL Server and the ODBC driver cannot agree on encryption.",
            hint="Install SQL Server's updates (TLS 1.2); or, in a network that you trust, add ?encrypt=no to the "
            "address in [pohoda] database.",
        )
    if any(sign in lower for sign in ("sspi", "kerberos", "gss")):
        return SourceUnavailable(
            "The Windows log-in to SQL Server failed on this computer.",
            hint="Name a user of SQL Server and a password in [pohoda], or run the agent as a user of the domain.",
        )
    return SourceUnavailable(
        "SQL Server cannot be reached: nobody answers in time, or there is no such computer or instance.",
        hint="Check server, instance and port in [pohoda] database, that SQL Server runs and allows TCP/IP, and the "
        "firewall (1433/tcp; for an instance without a port also 1434/udp and the service SQL Server Browser). With "
        "FreeTDS a server without encryption looks the same: then ?encrypt=no helps.",
    )


def _in_reading(found: _Failure) -> SourceUnavailable:
    if found.state == _TIMED_OUT or found.number == _TDS_TIMED_OUT:
        return SourceUnavailable(
            "Reading from SQL Server took too long and was cut short.",
            hint=f"The server is busy, or somebody blocks it. {AGAIN}",
        )
    if _is_broken(found):
        return SourceUnavailable(
            "The connection to SQL Server broke in the middle of reading.",
            hint="The server was restarted, or the network failed. The agent connects again by itself.",
        )
    number = f", {found.number}" if found.number else ""
    return SourceUnavailable(
        f"The ODBC driver could not read from SQL Server ({found.state or 'no SQLSTATE'}{number}).",
        hint=f"{AGAIN} If this stays, try another driver by ?driver= in [pohoda] database; `check` says more.",
    )


def _undecodable() -> SourceUnavailable:
    return SourceUnavailable(
        "A text in the database is not readable.", hint="Have POHODA check its data (an invalid character)."
    )
