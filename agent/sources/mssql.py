"""SQL Server: from an address to a connection, over whichever ODBC driver the machine has.

Encryption: as in driver 18, the default is an encrypted connection to a server whose certificate is verified. FreeTDS
encrypts but **does not verify** (``Encryption=require``), so whoever sits in between can read along;
`SqlDatabase.described` says so. Drivers before 18 encrypt only when told to: they are told. The "SQL Server" driver of
old Windows cannot be told to trust a certificate. With ``encrypt=no`` the log-in is still encrypted where it can be.

Not sent: ``ApplicationIntent=ReadOnly``, for a secondary replica lags and knows nothing of open transactions, so that
``MIN_ACTIVE_ROWVERSION()`` would be too high there; MARS, for each statement is fetched to its end.
``ConnectRetryCount`` is 0, for the driver would mend a broken connection in the middle of a call, unseen by us. ODBC's
own pooling is off, for it hands out connections that the server closed long ago.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy.dialects.mssql import pyodbc as grammar

from agent.errors import ConfigError
from agent.sources import trouble
from agent.sources.drivers import INSTALL, Family, choose_driver, family_of, load_pyodbc
from agent.sources.lending import SqlDatabase, Way
from agent.sources.server_address import Address
from agent.sources.statements import SETTINGS

APPLICATION = "pohoda-agent"
"""By this name SQL Server's own tools show our connections."""
LOGIN_LIMIT = 5.0
"""Seconds for logging in. Microsoft's driver goes on trying all that time where nobody listens; FreeTDS gives up at
once, but looks 16 s for an instance of which nobody tells."""
CHUNK = 500
"""Rows between two looks at the clock."""


def open_server(address: Address, *, call_limit: float, lock_wait: float) -> SqlDatabase:
    """Make a `SqlDatabase` of an address. Raises `EnvironmentProblem` and `ConfigError` for what a driver cannot do."""
    driver = load_pyodbc()
    name = choose_driver(address.driver, driver.drivers(), windows=sys.platform == "win32")
    text = connection_string(address, name)
    settings = SETTINGS.format(lock_timeout=math.ceil(lock_wait * 1000))
    log_in = math.ceil(min(LOGIN_LIMIT, call_limit))

    def connect() -> Any:  # noqa: ANN401 - pyodbc has no types
        raw = driver.connect(text, autocommit=True, timeout=log_in)
        raw.timeout = math.ceil(call_limit)  # holds for cursors made from here on
        raw.execute(settings).close()
        return raw

    way = Way(
        dialect=grammar.dialect(paramstyle="qmark"),  # type: ignore[no-untyped-call]  # SQLAlchemy has none here
        open=connect,
        errors=driver.Error,
        explain=trouble.of_server,
        broken=trouble.is_broken,
        fetch=partial(_fetch, limit=call_limit, error=driver.OperationalError, clock=time.monotonic),
    )
    return SqlDatabase(way, place=address.place.lower(), described=_described(address, name))


def _fetch(cursor: Any, *, limit: float, error: type[Exception], clock: Callable[[], float]) -> list[Any]:  # noqa: ANN401 - pyodbc has no types
    """Fetch all rows within so many seconds: the drivers' own time limit ends with the first row."""
    rows: list[Any] = cursor.fetchmany(CHUNK)
    some = rows
    until = clock() + limit
    while len(some) == CHUNK:
        if clock() > until:
            raise error("HYT00", "[HYT00] Fetching took too long")
        some = cursor.fetchmany(CHUNK)
        rows += some
    return rows


def connection_string(address: Address, driver: str) -> str:
    """Write what the driver reads; it holds the password. Raises `ConfigError` for what this driver cannot do."""
    family = family_of(driver)
    parts = {"DRIVER": driver if "/" in driver or "\\" in driver else f"{{{driver}}}"}
    parts |= _server(address, family)
    parts |= {"DATABASE": _value(address.database, family), "APP": APPLICATION}
    if address.user:
        parts |= {"UID": _value(address.user, family), "PWD": _value(address.password, family)}
    else:
        parts["Trusted_Connection"] = "yes"
    parts |= _encryption(address, family)
    if family == "FreeTDS":
        parts |= {"TDS_Version": "7.4", "ClientCharset": "UTF-8"}
    elif family != "windows":
        parts["ConnectRetryCount"] = "0"
    return ";".join(f"{name}={value}" for name, value in parts.items()) + ";"


def _server(address: Address, family: Family) -> dict[str, str]:
    server = address.server
    if server in {".", "(local)"} and (family == "FreeTDS" or sys.platform != "win32"):
        server = "localhost"  # a word of Microsoft's libraries on Windows
    if family == "FreeTDS":
        behind = f"\\{address.instance}" if address.instance and not address.port else ""
        return {"SERVER": server + behind} | ({} if behind else {"PORT": str(address.port or 1433)})
    behind = f",{address.port}" if address.port else f"\\{address.instance}" if address.instance else ""
    return {"SERVER": server + behind}


def _encryption(address: Address, family: Family) -> dict[str, str]:
    if address.encrypt == "strict" and family != "current":
        raise ConfigError("[pohoda] database: encrypt=strict needs Microsoft's ODBC Driver 18.", hint=INSTALL)
    if family == "FreeTDS":
        return {"Encryption": "request" if address.encrypt == "no" else "require"}
    if family == "windows":
        if address.trust and address.encrypt != "no":
            raise ConfigError(
                '[pohoda] database: the old driver "SQL Server" cannot be told to trust a certificate.', hint=INSTALL
            )
        return {"Encrypt": address.encrypt}
    return {"Encrypt": address.encrypt, "TrustServerCertificate": "yes" if address.trust else "no"}


def _value(text: str, family: Family) -> str:
    """Quote a value. Microsoft's drivers read ``{…}`` with ``}}`` for ``}``; FreeTDS (measured: 1.3.17) reads to the
    first ``};`` and doubles nothing, and without braces up to the first ``;``.
    """
    if family != "FreeTDS":
        return "{" + text.replace("}", "}}") + "}"
    if ";" not in text and not text.startswith("{"):
        return text
    if "};" in text:
        raise ConfigError(
            "[pohoda]: the driver FreeTDS cannot take a user or a password in which } is followed by ;",
            hint=f"Choose another password. Or: {INSTALL}",
        )
    return "{" + text + "}"


def _described(address: Address, driver: str) -> str:
    who = f"as {address.user}" if address.user else "with the Windows log-in"
    unverified = address.trust or family_of(driver) == "FreeTDS"
    how = "encrypted, the certificate is not verified" if unverified else "encrypted, the certificate is verified"
    return f"{address.place} {who}, driver {Path(driver).name}, {'not encrypted' if address.encrypt == 'no' else how}"
