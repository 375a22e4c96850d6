"""What can be wrong with the state file, and what each means for the one who catches it."""

from __future__ import annotations


class StateError(Exception):
    """The state file cannot be used; ``hint`` says what to try."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class StateFullError(StateError):
    """Nothing can be written (disk full, file read-only): taking in and sending stop until a write succeeds."""


class StateDamagedError(StateError):
    """The file is no sound SQLite database; `rescue.set_aside` saves what can be read."""
