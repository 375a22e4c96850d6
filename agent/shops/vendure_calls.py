"""Vendure: writes made one after another, and what their answers mean for the item that is being worked on.

For things that take several calls each (categories, parameters, firms): the first answer that is not clear ends the
batch, for the shop is more likely in trouble than the item, and what was not begun yet is untried.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from agent.errors import AnswerLost, ShopUnavailable
from agent.events import Exchange, Outcome, Rejected, Unclear, Untried
from agent.shops.vendure_session import Reply, Upload, VendureSession
from agent.shops.vendure_variants import REFUSALS, refused

T = TypeVar("T")


class Stop(Exception):
    """An outcome that ends the work on an item."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


class Calls:
    """The writes of one call of ``deliver``, which know whether any was made."""

    def __init__(self, session: VendureSession) -> None:
        self._session = session
        self.wrote = False

    def change(
        self, document: str, variables: Mapping[str, object], *, what: str, file: Upload | None = None
    ) -> dict[str, Any]:
        """Make one write: its data. Raises `Stop` if it was refused or nobody knows, `ShopUnavailable` as the session.

        ``what`` says for people what was asked.
        """
        try:
            reply = (
                self._session.upload(document, variables, file) if file else self._session.change(document, variables)
            )
        except AnswerLost as error:
            self.wrote = True
            raise Stop(Unclear(str(error), Exchange(what, str(error)))) from error
        self.wrote = True
        if reply.failed or reply.data is None:
            raise Stop(_judged(reply, what))
        return reply.data

    @staticmethod
    def told(what: str, read: Callable[[], T]) -> T:
        """Take something from the answer to a write; where it is not there, nobody knows what was done."""
        try:
            return read()
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise Stop(Unclear(f"the answer does not say it: {what}", Exchange(what))) from error


@dataclass(frozen=True, slots=True)
class Unit:
    """Work that is done or refused as one, for the items at some places of a call of ``deliver``."""

    places: Sequence[int]
    deliver: Callable[[], Sequence[Outcome]]
    """One outcome per place, in order; or raises `Stop` with that of all."""


def in_turn(calls: Calls, units: Sequence[Unit]) -> dict[int, Outcome]:
    """Work in order; after an unclear answer the rest is untried. Raises `ShopUnavailable` if nothing was sent."""
    outcomes: dict[int, Outcome] = {place: Untried() for unit in units for place in unit.places}
    for unit in units:
        try:
            said = unit.deliver()
        except Stop as stop:
            said = [stop.outcome] * len(unit.places)
        except ShopUnavailable:
            if not calls.wrote:
                raise
            break
        outcomes.update(zip(unit.places, said, strict=True))
        if any(isinstance(outcome, Unclear) for outcome in said):
            break
    return outcomes


def _judged(reply: Reply, what: str) -> Outcome:
    if reply.code in REFUSALS or reply.status == 413:
        return refused(reply, [what])
    return Unclear(reply.message, Exchange(what, reply.message))


def not_sent(reason: str, hint: str = "Correct it in POHODA; it was not sent.") -> Rejected:
    """Refuse what no request is to be made for."""
    return Rejected(reason, hint)
