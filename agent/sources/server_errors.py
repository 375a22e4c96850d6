"""SQL Server's errors by their numbers (``sys.messages``), in our words: what is wrong, and what to try.

``{}`` is where the name of the table, column, database or user comes, with a space before it, or nothing.
"""

from __future__ import annotations

AGAIN = "The agent tries again by itself."
_RIGHTS = "Have an administrator of SQL Server grant the agent's user SELECT on POHODA's tables (role db_datareader)."
_DATABASE = "Check the database's name in [pohoda] database (StwPh_<IČO>_<year>) and that the user may open it."
_COLUMNS = "POHODA was updated, or the database is none of an accounting unit; run `check`: it lists what is needed."
_ADMINISTRATOR = "Have the administrator of SQL Server look at its error log and the disk; reading goes on afterwards."
_BUSY = f"The server has too much to do, or too little memory. {AGAIN}"
_OFFLINE = f"An administrator is working on it (a restore, maintenance). {AGAIN}"
_SHUT = "It is being restarted or was stopped. The agent connects again by itself."
_LOGIN = (
    "Check [pohoda] user, password and the database's name: FreeTDS says the same of a database that does not exist or "
    "that the user may not open. SQL Server must also allow log-ins of its own users (mixed mode)."
)
_DAMAGED = "SQL Server found damage in the database."

SERVER_ERRORS: dict[int, tuple[str, str]] = {
    # who may come in
    18456: ("SQL Server refused the log-in of the user{}.", _LOGIN),
    18452: (
        "SQL Server does not accept this Windows log-in.",
        "Name a user of SQL Server and a password in [pohoda], or run the agent as a user of the server's domain.",
    ),
    18470: ("The user{} is disabled in SQL Server.", "Have the administrator of SQL Server enable it."),
    18486: ("The user{} is locked out of SQL Server.", "Have the administrator unlock it; then correct the password."),
    18487: ("The password of the user{} has expired.", "Have the administrator set a new one, one that never expires."),
    18488: ("The password of the user{} must be changed first.", "Have the administrator set one that stays valid."),
    18461: ("SQL Server runs for a single administrator only.", _OFFLINE),
    17809: ("SQL Server has no connections left.", _BUSY),
    17810: ("SQL Server has no connections left.", _BUSY),
    # which database
    4060: ("The database{} does not exist, or the user may not open it.", _DATABASE),
    911: ("The database{} does not exist, or the user may not open it.", _DATABASE),
    916: ("The user may not open the database.", _DATABASE),
    4064: ("The user's default database cannot be opened.", _DATABASE),
    927: ("The database{} is being restored.", _OFFLINE),
    942: ("The database{} is offline.", _OFFLINE),
    924: ("The database{} is in use by a single user.", f"An administrator works on it alone. {AGAIN}"),
    921: ("The database{} is still being recovered after a start.", AGAIN),
    922: ("The database{} is still being recovered after a start.", AGAIN),
    952: ("The database{} is changing its state.", _OFFLINE),
    926: ("The database{} is marked as suspect.", _ADMINISTRATOR),
    945: ("The database{} cannot be opened: its files, the disk or memory.", _ADMINISTRATOR),
    976: ("The database{} is a replica that may not be read.", "Name the primary server in [pohoda] database."),
    978: ("The database{} is a replica that may not be read.", "Name the primary server in [pohoda] database."),
    # rights, tables, columns
    229: ("The right to read the table{} is missing.", _RIGHTS),
    230: ("The right to read the column{} is missing.", _RIGHTS),
    300: ("A right on the server is missing.", _RIGHTS),
    208: ("The table{} is missing, or nothing of it may be seen.", f"{_COLUMNS} {_RIGHTS}"),
    207: ("The column{} is missing.", _COLUMNS),
    # others at work
    1205: ("SQL Server ended our reading to untie a deadlock: POHODA's users come first.", AGAIN),
    1222: ("Rows are locked by somebody who writes for long.", f"{AGAIN} If it lasts, see who writes in POHODA."),
    # the server itself
    596: ("SQL Server ended our connection.", "An administrator did, or it is restarting. The agent connects again."),
    6005: ("SQL Server is shutting down.", _SHUT),
    6006: ("SQL Server is shutting down.", _SHUT),
    17142: ("SQL Server is paused.", "Have the administrator resume it; the agent tries again by itself."),
    233: ("SQL Server closed the connection.", f"It is restarting, or has no connections left. {AGAIN}"),
    **dict.fromkeys((40613, 40197, 40501, 49918, 49919, 49920, 10928, 10929), ("SQL Server is busy for now.", _BUSY)),
    **dict.fromkeys((701, 802, 8628, 8645, 8651), ("SQL Server has not enough memory or time for us.", _BUSY)),
    # the disk
    9002: ("The log of the database{} is full.", _ADMINISTRATOR),
    1105: ("SQL Server's disk, or a file of the database, is full.", _ADMINISTRATOR),
    **dict.fromkeys((605, 823, 824, 825, 3313, 7105), (_DAMAGED, f"Have POHODA's data checked. {_ADMINISTRATOR}")),
}
