"""The ODBC drivers of this machine: which one reads SQL Server, and what it can do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

from agent.errors import ConfigError, EnvironmentProblem
from agent.sources.server_address import did_you_mean

Family: TypeAlias = Literal["current", "early", "windows", "FreeTDS"]
"""Microsoft's driver 18 and later; its earlier ones; the one that is part of Windows; FreeTDS."""

INSTALL = (
    "Install Microsoft's \"ODBC Driver 18 for SQL Server\" (Windows: its installer from Microsoft's site; Debian: "
    "apt install msodbcsql18 from Microsoft's packages, or apt install libodbc2 tdsodbc for FreeTDS)."
)
_MICROSOFT = re.compile(r"ODBC Driver (\d+(?:\.\d+)?) for SQL Server")


def choose_driver(wanted: str, installed: Sequence[str], *, windows: bool) -> str:
    """Find the driver: the one that is wanted (a name, or a file), else the newest of Microsoft's, else FreeTDS, else
    on Windows the old "SQL Server". Raises `ConfigError` for an unknown one, `EnvironmentProblem` when there is none.
    """
    if "/" in wanted or "\\" in wanted:
        if not Path(wanted).is_file():
            raise ConfigError(f"[pohoda] database: there is no driver file {wanted}.", hint="Leave driver= away.")
        return wanted
    if wanted:
        known = {name.lower(): name for name in installed}
        if wanted.strip("{}").lower() not in known:
            meant = did_you_mean(wanted, installed)
            there = f"Installed are: {', '.join(installed) or 'none'}."
            raise ConfigError(f'[pohoda] database: no ODBC driver "{wanted}" is installed.', hint=f"{meant}{there}")
        return known[wanted.strip("{}").lower()]
    numbered = [(float(found[1]), name) for name in installed if (found := _MICROSOFT.fullmatch(name))]
    if numbered:
        return max(numbered)[1]
    for name in ("FreeTDS", *(["SQL Server"] if windows else [])):
        if name in installed:
            return name
    raise EnvironmentProblem(
        f"No ODBC driver for SQL Server is installed; there are: {', '.join(installed) or 'none at all'}.",
        hint=INSTALL,
    )


def family_of(driver: str) -> Family:
    """Which dialect of connection strings a driver reads, told by its name or the name of its file."""
    name = Path(driver).name.lower()
    if "freetds" in name or "tdsodbc" in name:
        return "FreeTDS"
    if name == "sql server" or "sqlsrv32" in name:
        return "windows"
    version = re.search(r"(?:odbc driver |libmsodbcsql-|msodbcsql)(\d+)", name)
    early = "native client" in name or (version is not None and int(version[1]) < 18)
    return "early" if early else "current"


def load_pyodbc() -> Any:  # noqa: ANN401 - pyodbc has no types
    """Import pyodbc, with its pooling off. Raises `EnvironmentProblem`."""
    try:
        import pyodbc  # noqa: PLC0415 - late: its import fails where the ODBC library is missing
    except ImportError as error:
        raise EnvironmentProblem(
            "The ODBC library is missing, so SQL Server cannot be read.",
            hint=f"Debian: apt install libodbc2. {INSTALL}",
        ) from error
    pyodbc.pooling = False
    return pyodbc
