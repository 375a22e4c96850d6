"""Writes to PrestaShop made one after another, and what their answers mean for the item that is being worked on.

For things that take several calls each (categories, parameters, firms, suppliers of products). The first answer that is
not clear ends the batch, for the shop is more likely in trouble than the item; what was not begun yet is untried. What
was done in part is unclear: the next delivery looks at what is there and goes on from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from agent.errors import AnswerLost, ShopUnavailable, Unusable
from agent.events import Outcome, Rejected, Unclear, Untried
from agent.shops import prestashop_xml as wire
from agent.shops.http import Answer, ShopHttp
from agent.shops.prestashop_answers import Said, failure, record_of
from agent.shops.prestashop_fields import Unfit
from agent.shops.prestashop_lists import Lists

XML = {"content-type": "text/xml; charset=utf-8"}
T = TypeVar("T")


class Stop(Exception):
    """An outcome that ends the work on an item."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


class Calls:
    """The writes of one call of ``deliver``, which know what has become of them."""

    def __init__(self, http: ShopHttp, lists: Lists, short: Callable[[str], str]) -> None:
        self._http = http
        self._context = lists.context
        self.short = short
        self.wrote = False
        """Something was sent and not turned away."""
        self.taken = 0
        """Writes with a success for an answer."""

    def said(self, request: str) -> Said:
        """The words for the history."""
        return Said(request, self.short)

    def send(
        self,
        method: str,
        path: str,
        *,
        said: Said,
        content: bytes = b"",
        headers: Mapping[str, str] = XML,
        params: Mapping[str, str] | None = None,
    ) -> Answer:
        """Make one write: its answer, good or bad. Raises `Stop` when nobody knows, `ShopUnavailable` when not sent."""
        try:
            answer = self._http.write(
                method, path, content=content, params={**self._context, **(params or {})} or None, headers=headers
            )
        except AnswerLost as error:
            self.wrote = True
            raise Stop(said.unclear(str(error))) from error
        self.wrote = True
        self.taken += answer.status < 300
        return answer

    def record(self, method: str, resource: str, name: str, inner: str, said: Said) -> int:
        """Write one record: its id. Raises `Stop` for all but a clear success, `ShopUnavailable` when not sent."""
        answer = self.send(method, resource, said=said, content=wire.document(f"<{name}>{inner}</{name}>"))
        record = record_of(answer, name)
        made = None if record is None else wire.whole((record.findtext("id") or "").strip())
        if not made:
            raise Stop(failure(answer, said))
        return made

    def delete(self, path: str, said: Said) -> None:
        """Delete one record; one that is not there is deleted (recorded: 404 with code 87). Raises as `record`."""
        answer = self.send("DELETE", path, said=said)
        outcome = None if answer.status < 300 and not answer.body.strip() else failure(answer, said)
        if outcome is not None and not (isinstance(outcome, Rejected) and outcome.link_lost):
            raise Stop(outcome)


def one_by_one(calls: Calls, items: Sequence[T], deliver: Callable[[T], Outcome]) -> list[Outcome]:
    """Work on items in order; after an unclear one the rest is untried.

    A refusal after a part of an item's steps is unclear; without them `Unfit` and `Unusable` are refusals of ours.
    Raises `ShopUnavailable` if nothing was sent.
    """
    outcomes: list[Outcome] = []
    for item in items:
        before = calls.taken
        try:
            outcome = deliver(item)
        except Stop as stop:
            outcome = stop.outcome
        except (Unfit, Unusable) as problem:
            outcome = Rejected(calls.short(str(problem)), problem.hint)
        except ShopUnavailable as error:
            if not calls.wrote:
                raise
            if calls.taken == before:
                break
            outcome = calls.said("").unclear(f"It was changed in part: {error}")
        if isinstance(outcome, Rejected) and calls.taken > before:
            outcome = Unclear(calls.short(f"It was changed in part: {outcome.reason}"), outcome.exchange)
        outcomes.append(outcome)
        if isinstance(outcome, Unclear):
            break
    return outcomes + [Untried()] * (len(items) - len(outcomes))
