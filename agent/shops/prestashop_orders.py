"""The target ``order_states`` in PrestaShop: ``PATCH orders`` with the state; never ``order_histories``.

* ``PATCH orders`` with ``current_state`` is idempotent: the state that an order has adds no entry to its history and
  mails nobody (recorded; the setter returns where they are equal). ``POST order_histories`` appends every time.
* Before that the orders of a batch, their histories and parcels are read together (`prestashop_order_parts`): what was
  ever reached is not written again, what is at an end is left, so an order never goes backwards. What is confirmed is
  read back in the same way.
* One order a PATCH: each mails its customer while the shop works, and an error is then an order's own. After an answer
  that was lost the rest of the batch is `Untried`.
* An unknown state is an empty 500 in PrestaShop, permanent as it is: so it is looked for in ``order_states`` before.
* The tracking number goes first, so that the mail of the state has it. It is written into the order's parcel
  (``order_carriers``; without ``sendemail`` nobody is mailed). An order without a parcel (a download) keeps none.
* ``carrier`` is not written: PrestaShop's carriers are records with prices, chosen by the customer, and POHODA has a
  word. `moved`: the codes of an order that is, or was, cancelled or in an error of payment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal
from xml.sax.saxutils import escape

from agent.errors import AnswerLost, ShopUnavailable
from agent.events import Done, Exchange, Held, Outcome, Owed, Rejected, Unclear, Untried, Wanted, key_of
from agent.shops import Finding
from agent.shops import prestashop_order_parts as orders
from agent.shops import prestashop_xml as wire
from agent.shops.http import ShopHttp
from agent.shops.prestashop_answers import Said, failure, record_of
from agent.shops.prestashop_lists import Lists
from agent.shops.prestashop_order_parts import Part, Wish
from agent.shops.prestashop_order_states import OrderStates, States, missing

NEEDED = (("orders", "get"), ("orders", "patch"), *((f"order_{name}", "get") for name in ("histories", "states")))
"""Resource and method that a key needs; `DETAILS` and `TRACKING` beside."""
DETAILS = (("order_details", "get"),)
"""What cancelled orders gave back."""
TRACKING = (("order_carriers", "get"), ("order_carriers", "patch"))
_XML = {"content-type": "text/xml; charset=utf-8"}
_GONE = "Someone deleted the order in PrestaShop; it is looked up again by its number."
_TRACKING = (
    "PrestaShop's tracking numbers have at most 64 letters, digits and signs like - . / +: correct it in POHODA."
)


@dataclass(slots=True)
class _Job:
    """One item of a batch, with what the shop holds of it."""

    item: Owed
    wish: Wish
    parts: Sequence[Part]
    log: list[str] = field(default_factory=list)

    @property
    def request(self) -> str:
        """What was said, for the history."""
        return f"order {self.item.event.code}: {'; '.join(self.log) or 'read'}"[: wire.MAX_TEXT]


class Orders:
    """Delivers, reads and finds the states of orders."""

    def __init__(
        self,
        http: ShopHttp,
        lists: Lists,
        *,
        number: Literal["reference", "id"],
        states: Sequence[str] = (),
        short: Callable[[str], str],
    ) -> None:
        """``number`` says what POHODA has as the shop's number; ``states`` are the configured ones, for `findings`."""
        self._http = http
        self._lists = lists
        self._number = number
        self._states = OrderStates(http, lists, configured=states)
        self._short = short

    def deliver(self, owed: Sequence[Owed]) -> list[Outcome]:
        """Bring orders into states. Raises `ShopUnavailable` when nothing was sent."""
        wishes = [orders.wish_of(item.event.value) for item in owed]
        states = self._states.having({wish.state for wish in wishes if wish})
        parts = self._parts([item.link for item in owed], parcels=any(wish and wish.tracking for wish in wishes))
        final: dict[int, Outcome] = {}
        jobs: dict[int, _Job] = {}
        for place, (item, wish) in enumerate(zip(owed, wishes, strict=True)):
            one = _prepare(item, wish, parts, states)
            if isinstance(one, Rejected):
                final[place] = one
            else:
                jobs[place] = one
        moving = [part for job in jobs.values() for part in job.parts if _moves(part, job.wish, states)]
        codes = orders.references_of(self._lists, [part.id for part in moving])
        final |= self._send(jobs, states)
        final |= self._confirm({place: job for place, job in jobs.items() if place not in final}, states, codes)
        return [final[place] for place in range(len(owed))]

    def read(self, wanted: Sequence[Wanted]) -> dict[str, Held]:
        """Read orders by their links; those that are gone, one part of several too, are missing.

        A value has ``moved`` where the order has moved stock: codes. Raises `ShopUnavailable`.
        """
        return self._held({item.key: (item, orders.ids_of(item.link)) for item in wanted})

    def find(self, wanted: Sequence[Wanted]) -> dict[str, Held | Rejected]:
        """Look orders up by their numbers; all with one reference are one. Raises `ShopUnavailable`."""
        items = {item.key: item for item in wanted if item.code.strip()}
        answer: dict[str, Held | Rejected] = {}
        found: dict[str, list[int]] = {}
        if self._number == "id":
            codes = {key: item.code.strip() for key, item in items.items()}
            ids = {key: one for key, code in codes.items() if (one := wire.whole(code)) and str(one) == code}
            found = {key: [one] for key, one in ids.items() if one > 0}
        else:
            for value in wire.code_filters(list(dict.fromkeys(item.code.strip() for item in items.values()))):
                for one, reference in orders.numbered(self._lists, {"filter[reference]": value}):
                    if (key := key_of(reference)) in items and one not in found.setdefault(key, []):
                        found[key].append(one)
            for key, item in items.items():
                if not wire.findable(item.code.strip()):
                    text = "PrestaShop's webservice cannot look for a number in square brackets."
                    answer[key] = Rejected(text, "Correct the number of the shop's order in POHODA.")
        return answer | self._held({key: (items[key], tuple(sorted(ids))) for key, ids in found.items()})

    def findings(self) -> list[Finding]:
        """What ``check`` says: the states that there are, and configured ones that there are not. Never raises."""
        try:
            return self._states.findings()
        except ShopUnavailable as error:
            return [Finding("error", "order states", self._short(str(error)), error.hint)]

    def _parts(self, links: Sequence[str | None], *, parcels: bool) -> dict[int, Part]:
        return orders.parts_of(self._lists, {one for link in links for one in orders.ids_of(link)}, parcels=parcels)

    def _held(self, asked: Mapping[str, tuple[Wanted, tuple[int, ...]]]) -> dict[str, Held]:
        if not any(ids for _, ids in asked.values()):
            return {}
        wishes = {key: orders.wish_of(item.value) for key, (item, _) in asked.items()}
        states = self._states.having(())
        parcels = any(wish and wish.tracking for wish in wishes.values())
        there = orders.parts_of(self._lists, {one for _, ids in asked.values() for one in ids}, parcels=parcels)
        codes = orders.references_of(self._lists, orders.moving(there.values(), states))
        held = {}
        for key, (_, ids) in asked.items():
            if not ids or not there.keys() >= set(ids):
                continue
            parts = [there[one] for one in ids]
            value = orders.present(parts, wishes[key], states)
            if moved := _codes(parts, codes):
                value["moved"] = list(moved)
            code = parts[0].reference if self._number == "reference" else str(ids[0])
            held[key] = Held(key, code, "+".join(map(str, ids)), value)
        return held

    def _send(self, jobs: Mapping[int, _Job], states: States) -> dict[int, Outcome]:
        """Write what is to be written; the outcomes of those that are not simply to be read back."""
        outcomes: dict[int, Outcome] = {}
        stopped = sent = False
        for place, job in jobs.items():
            if stopped:
                outcomes[place] = Untried()
                continue
            outcome: Outcome | None
            try:
                outcome = self._bring(job, states)
            except ShopUnavailable as error:
                if not sent and not job.log:
                    raise
                outcome = self._said(job).unclear(str(error)) if job.log else Untried()
            if outcome is not None:
                outcomes[place] = outcome
            stopped = isinstance(outcome, Unclear | Untried)
            sent = sent or bool(job.log)
        return outcomes

    def _bring(self, job: _Job, states: States) -> Rejected | Unclear | None:
        """Write tracking number and state of each part. Raises `ShopUnavailable`."""
        for part in job.parts:
            if orders.untold(part, job.wish, states):
                fields = f"<tracking_number>{escape(job.wish.tracking)}</tracking_number>"
                outcome = self._patch(job, "order_carriers", part.parcel, fields)
                if isinstance(outcome, Rejected) and not outcome.link_lost:
                    return replace(outcome, hint=_TRACKING)
                if outcome is not None:
                    return outcome
            if orders.is_due(part, job.wish, states):
                fields = f"<current_state>{job.wish.state}</current_state>"
                if (outcome := self._patch(job, "orders", part.id, fields)) is not None:
                    return outcome
        return None

    def _patch(self, job: _Job, resource: str, number: int, fields: str) -> Rejected | Unclear | None:
        name = resource.removesuffix("s")
        what = f"PATCH {resource} {number} {job.wish.state if resource == 'orders' else job.wish.tracking}"
        body = wire.document(f"<{name}><id>{number}</id>{fields}</{name}>")
        try:
            path = f"{resource}/{number}"
            answer = self._http.write("PATCH", path, content=body, params=self._lists.context or None, headers=_XML)
        except AnswerLost as error:
            job.log.append(what)
            return self._said(job).unclear(str(error))
        job.log.append(what)
        if record_of(answer, name) is not None:
            return None
        outcome = failure(answer, self._said(job))
        return replace(outcome, hint=_GONE) if isinstance(outcome, Rejected) and outcome.link_lost else outcome

    def _confirm(
        self, jobs: Mapping[int, _Job], states: States, codes: Mapping[int, tuple[str, ...]]
    ) -> dict[int, Outcome]:
        """Read back what was written; the rest is as it was read before."""
        written = {place: job for place, job in jobs.items() if job.log}
        now: dict[int, Part] = {}
        lost = ""
        if written:
            parcels = any(job.wish.tracking for job in written.values())
            try:
                now = self._parts([job.item.link for job in written.values()], parcels=parcels)
            except ShopUnavailable as error:
                lost = f"The state was sent, and what came of it cannot be read: {error}"
        outcomes: dict[int, Outcome] = {}
        for place, job in jobs.items():
            parts = [now[part.id] for part in job.parts if part.id in now] if job.log else job.parts
            if lost and job.log:
                outcomes[place] = self._said(job).unclear(lost)
            elif len(parts) < len(job.parts):
                outcomes[place] = self._said(job).unclear("The shop took it and does not show the order.")
            else:
                answer = f"{'' if job.log else 'nothing to do: '}state {'+'.join(part.state for part in parts)}"
                exchange = Exchange(job.request, answer)
                confirmed = orders.present(parts, job.wish, states)
                outcomes[place] = Done(job.item.link, confirmed, exchange, _codes(parts, codes))
        return outcomes

    def _said(self, job: _Job) -> Said:
        return Said(job.request, self._short)


def _prepare(item: Owed, wish: Wish | None, parts: Mapping[int, Part], states: States) -> _Job | Rejected:
    if wish is None:
        return Rejected("state: not the state of an order.", "This is a fault of the agent: report it.")
    ids = orders.ids_of(item.link)
    if not ids or not parts.keys() >= set(ids):
        return Rejected("PrestaShop does not know this order any more.", _GONE, link_lost=True)
    return missing(states, wish.state) or _Job(item, wish, [parts[one] for one in ids])


def _moves(part: Part, wish: Wish, states: States) -> bool:
    """Tell whether the stock of its goods is moved, now or by a request before whose answer was lost."""
    return bool(states.moving.intersection({*part.been, wish.state}))


def _codes(parts: Sequence[Part], codes: Mapping[int, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code for part in parts for code in codes.get(part.id, ())))
