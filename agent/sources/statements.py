"""Every T-SQL text that is not made of a view's columns, in one place: an administrator can read here what is asked.

All are plain statements with ``?`` for values; nothing here writes. Those made of a view's columns are in
``queries.py``. Beside them the drivers themselves ask on connecting, once per process: FreeTDS and pyodbc four times
``sp_datatype_info_100`` (how long a text may be), Microsoft's driver eight times, by a call; SQLAlchemy sends nothing.
"""

from __future__ import annotations

SETTINGS = (
    "SET LOCK_TIMEOUT {lock_timeout} SET DEADLOCK_PRIORITY LOW SET TRANSACTION ISOLATION LEVEL READ COMMITTED "
    "SET TEXTSIZE 2147483647 SET LANGUAGE us_english"
)
"""Once per connection. POHODA's users come first: locks are waited for so many milliseconds, in a deadlock we are the
victim, and what is not committed is not read. Long texts come whole (FreeTDS can be configured to cut them), and
messages are in one language, whichever the log-in has; with it, ``2026-03-01`` is the first of March."""

COLUMNS = (
    "SELECT COLUMN_NAME, DATA_TYPE FROM INFORMATION_SCHEMA.COLUMNS "
    "WHERE TABLE_SCHEMA = 'dbo' AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION"
)
"""The columns of a table and their types (a rowversion is called ``timestamp``); none for a table without a right."""

SERVER = (
    "SELECT CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)), CAST(SERVERPROPERTY('Edition') AS nvarchar(128)), "
    "DB_NAME(), SUSER_SNAME(), USER_NAME()"
)
"""For ``check``: version, edition, the database, the login and its user there. Cast, for drivers differ about the type
``sql_variant`` that SERVERPROPERTY gives."""

RIGHTS = (
    "SELECT HAS_PERMS_BY_NAME(?, 'OBJECT', 'SELECT'), HAS_PERMS_BY_NAME(?, 'OBJECT', 'INSERT'), "
    "HAS_PERMS_BY_NAME(?, 'OBJECT', 'UPDATE'), HAS_PERMS_BY_NAME(?, 'OBJECT', 'DELETE'), "
    "HAS_PERMS_BY_NAME(?, 'OBJECT', 'ALTER')"
)
"""For ``check``: what we may do with one table, its name given five times. 1, 0, or NULL where there is none."""

ROLES = (
    "SELECT IS_SRVROLEMEMBER('sysadmin'), IS_MEMBER('db_owner'), IS_MEMBER('db_datawriter'), IS_MEMBER('db_ddladmin')"
)
"""For ``check``: roles that may change data."""

SYSTEM_DATABASE = "SELECT HAS_DBACCESS('StwPh_sys')"
"""For ``check``: whether POHODA's system database may be entered; NULL where there is none."""

UNITS_READABLE = "SELECT HAS_PERMS_BY_NAME('StwPh_sys.dbo.Firma', 'OBJECT', 'SELECT')"
"""For ``check``: whether its list of accounting units may be read; asked only when it may be entered."""

UNITS = "SELECT ICO, Rok, Soubor FROM StwPh_sys.dbo.Firma"
"""For ``check``: the accounting units: IČO, year, and the name of their database."""

YEARS = "SELECT name FROM sys.databases WHERE name LIKE ? ORDER BY name"
"""For ``check``: the databases whose names begin so, for a newer accounting year."""

NEWEST_MOVEMENTS = "SELECT TOP 200 ID, RefSKz, Datum FROM SKzPoh ORDER BY ID DESC"
"""For ``check``: the newest movements of stock, and the cards that they moved."""

SAVED = "SELECT ID, DatSave FROM SKz WHERE ID IN ({marks})"
"""For ``check``: when these cards were saved last; one ``?`` per card."""
