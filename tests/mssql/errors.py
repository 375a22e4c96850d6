"""What SQL Server says when it refuses: the numbers that drivers pass on, and that the project tells failures by."""

from __future__ import annotations

LOGIN_REFUSED, NO_DATABASE, NO_ACCESS, NO_RIGHT = 18456, 911, 4060, 229
NO_TABLE, NO_COLUMN, SYNTAX, NO_PROCEDURE = 208, 207, 102, 2812
NO_ENTRY = 916
DEADLOCK, LOCK_TIMEOUT, CONVERSION, DUPLICATE = 1205, 1222, 245, 2627

_TEXTS = {
    LOGIN_REFUSED: "Login failed for user '{}'.",
    NO_DATABASE: "Database '{}' does not exist. Make sure that the name is entered correctly.",
    NO_ACCESS: 'Cannot open database "{}" requested by the login. The login failed.',
    NO_ENTRY: 'The server principal "{}" is not able to access the database "{}" under the current security context.',
    NO_RIGHT: "The SELECT permission was denied on the object '{}', database '{}', schema 'dbo'.",
    18452: "Login failed. The login is from an untrusted domain and cannot be used with Integrated authentication.",
    18470: "Login failed for user '{}'. Reason: The account is disabled.",
    18486: "Login failed for user '{}' because the account is currently locked out.",
    18487: "Login failed for user '{}'. Reason: The password of the account has expired.",
    18488: "Login failed for user '{}'. Reason: The password of the account must be changed.",
    NO_TABLE: "Invalid object name '{}'.",
    NO_COLUMN: "Invalid column name '{}'.",
    SYNTAX: "Incorrect syntax near '{}'.",
    NO_PROCEDURE: "Could not find stored procedure '{}'.",
    DEADLOCK: "Transaction (Process ID 52) was deadlocked on lock resources with another process and has been chosen "
    "as the deadlock victim. Rerun the transaction.",
    LOCK_TIMEOUT: "Lock request time out period exceeded.",
    CONVERSION: "Conversion failed when converting the value '{}' to data type {}.",
    DUPLICATE: "Violation of PRIMARY KEY constraint. Cannot insert duplicate key in object 'dbo.{}'.",
}
_SEVERITIES = {LOGIN_REFUSED: 14, NO_ACCESS: 11, NO_RIGHT: 14, NO_ENTRY: 14, SYNTAX: 15, DEADLOCK: 13, DUPLICATE: 14}


class SqlError(Exception):
    """An error token: its number decides what the client makes of it."""

    def __init__(self, number: int, *given: object, text: str = "") -> None:
        super().__init__(text or _TEXTS.get(number, "Error {}.").format(*(given or (number,))))
        self.number = number
        self.severity = _SEVERITIES.get(number, 16)
        self.state = 1 if number != DEADLOCK else 51
