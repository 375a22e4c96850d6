"""How the fake webservice says no: an HTTP status with the shop's own number and text."""

from __future__ import annotations


class WebserviceError(Exception):
    """An error that the webservice answers with; ``code`` is PrestaShop's number of it."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class CrashError(Exception):
    """The shop's PHP dies: an empty 500; what was written before stays (recorded: unknown parent, unknown state)."""


def closest(word: str, words: list[str]) -> str:
    """Find the word that the shop proposes instead: the last one of the least edit distance."""
    return min(reversed(words), key=lambda other: _distance(word, other))


def _distance(left: str, right: str) -> int:
    row = list(range(len(right) + 1))
    for above, letter in enumerate(left, 1):
        before, row = row, [above]
        for column, other in enumerate(right, 1):
            row.append(min(before[column] + 1, row[-1] + 1, before[column - 1] + (letter != other)))
    return row[-1]
