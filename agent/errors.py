"""Every error that crosses a room's border, and what each means for the one who catches it.

The class tells the caller what to do; the hint tells the person what to try. An error is raised or logged, never both.
Texts must not hold secrets or personal data: they end in logs, in the state file and on screens.
"""

from __future__ import annotations


class AgentError(Exception):
    """Base of the errors that are expected to happen; carries a hint that says what to try."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ConfigError(AgentError):
    """The user's input cannot be used: nothing was started. Exit code 2. ``problems`` lists all of them at once."""

    def __init__(self, message: str, *, hint: str = "", problems: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.problems = problems


class EnvironmentProblem(AgentError):
    """Something outside the program is missing: an ODBC library, a right to a folder. Exit code 3."""


class SourceUnavailable(AgentError):
    """A source cannot be read now. Its loop waits and tries again; nothing is lost, for nothing was taken."""


class ShopUnavailable(AgentError):
    """The shop did certainly not process it: refused connection, 429, 423, 401, 403, 405, or any failed **read**.

    The target waits ``retry_after`` seconds (None: as long as the back-off says), no attempt is counted, the order
    is kept. ``denied`` marks 401 and 403: with a good probe beside it, the item is to blame.
    """

    def __init__(self, message: str, *, hint: str = "", retry_after: float | None = None, denied: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after
        self.denied = denied


class BatchRefused(AgentError):
    """The shop refused a batch of several items as a whole, with no effect, and did not say because of which.

    Dispatch bisects: every item's attempt is counted and the next batches are half as large, at once.
    """

    def __init__(self, message: str, *, hint: str = "", request: str = "", answer: str = "") -> None:
        super().__init__(message, hint=hint)
        self.request = request
        self.answer = answer


class AnswerLost(AgentError):
    """A write was sent and no clear answer came. Adapters turn it into one ``Unclear`` per item; never leaves shops/.

    Measured on a real shop: a dropped answer, half an answer, a gateway's 503 and a timeout had all applied the write.
    """


class Unusable(AgentError):
    """A row of the source cannot be made into a value: the field is named; the key becomes a dead letter."""

    def __init__(self, field: str, message: str, *, hint: str = "") -> None:
        super().__init__(f"{field}: {message}", hint=hint)
        self.field = field
