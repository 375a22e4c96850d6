"""Vendure: facet values of variants, written as sets: products' categories, parameters, suppliers. Measured on 3.7.3.

* A card is a variant, so its facet values are; those of the product beside it are other people's. Filters of customers
  and of collections see both.
* The shop takes the whole list of a variant's facet values or nothing, and three targets of ours and the shop's owner
  have theirs in it. So it is read and written under one lock per shop, and nothing is written where nothing differs. A
  write without an answer that lands after another target's takes that one's values away; only a reconcile sees it.
* Facet values that do not exist the shop drops without a word: so those that are to be written are looked up before.
* 100 variants: read in 0.1 s, written in 0.3 s, one transaction. Which goods a collection shows follows later, in the
  shop's queue of jobs: nothing is confirmed by that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from agent.errors import AnswerLost
from agent.events import Done, Exchange, Held, Outcome, Owed, Rejected, Unclear, Untried, Value, Wanted
from agent.shops.vendure_facet_lists import age, name_in, values_by_id
from agent.shops.vendure_lists import Lists, Row, doubled, understood
from agent.shops.vendure_session import Reply, VendureSession
from agent.shops.vendure_variants import REFUSALS, gone, refused

_TEXTS = "name translations { languageCode name }"
FIELDS = f"facetValues {{ id code {_TEXTS} facet {{ id code {_TEXTS} }} }}"
_UPDATE = f"mutation($i: [UpdateProductVariantInput!]!) {{ updateProductVariants(input: $i) {{ id sku {FIELDS} }} }}"


@dataclass(frozen=True, slots=True)
class Label:
    """One facet value of a variant, with its facet; both as they are called in our language."""

    id: str
    code: str
    name: str
    facet: str
    facet_code: str
    facet_name: str


@dataclass(frozen=True, slots=True)
class Kept:
    """How the values of one target are kept in facet values."""

    what: str
    """What the facet values are, for messages: ``categories``."""
    maker: str
    """Name of the target that creates them."""
    bad: Callable[[Value], str]
    """Why a value is none of the contract's; empty when it is one."""
    wanted: Callable[[Wanted], Mapping[str, str]]
    """The facet values that a value names: id → what it is, for people. Raises `KeyError` for what has no link."""
    ours: Callable[[Wanted], Callable[[Label], bool]]
    """Which of the facet values that a variant has are replaced by the wanted ones."""
    held: Callable[[Wanted, Sequence[Label]], Value]
    """What the facet values of a variant say, in the form of the value."""
    ready: Callable[[], object] = lambda: None
    """Called before anything is read: what `ours` and `held` have to ask the shop for. Raises `ShopUnavailable`."""


@dataclass(frozen=True, slots=True)
class _Work:
    """One item that may be sent, with its place in the call."""

    place: int
    asked: Wanted
    wanted: frozenset[str]
    link: str

    @property
    def said(self) -> str:
        return f"facet values of {self.asked.code[:60]}: {', '.join(sorted(self.wanted, key=age))[:200]}"


class Labels:
    """The contract's three calls for one target."""

    def __init__(
        self,
        session: VendureSession,
        lists: Lists,
        kept: Kept,
        *,
        language: str,
        lock: AbstractContextManager[Any],
    ) -> None:
        self._session = session
        self._lists = lists
        self._kept = kept
        self._language = language
        self._lock = lock
        again = f"pohoda-agent reconcile --target {kept.maker} --repair"
        self._again = (
            f"Somebody deleted it in Vendure. Have it made anew: {again}; then: pohoda-agent outbox retry --all."
        )

    def deliver(self, owed: Sequence[Owed]) -> list[Outcome]:
        """Replace the facet values of ours; one read and one write. Raises `ShopUnavailable`, `BatchRefused`."""
        outcomes: dict[int, Outcome] = {}
        good: list[_Work] = []
        for place, item in enumerate(owed):
            work = self._work(place, item)
            if isinstance(work, _Work):
                good.append(work)
            else:
                outcomes[place] = work
        if good:
            with self._lock:
                outcomes |= self._deliver(good)
        return [outcomes[place] for place in range(len(owed))]

    def read(self, wanted: Sequence[Wanted]) -> dict[str, Held]:
        """Read by link; variants that are deleted are missing. Raises `ShopUnavailable`."""
        self._kept.ready()
        ids = [w.link for w in wanted if w.link]
        rows = self._lists.by_id(FIELDS, ids) if ids else {}
        return {w.key: self._held(w, rows[w.link]) for w in wanted if w.link and w.link in rows}

    def find(self, wanted: Sequence[Wanted]) -> dict[str, Held | Rejected]:
        """Find variants by SKU (`Lists.find`). Raises `ShopUnavailable`."""
        self._kept.ready()
        asked = {w.key: w for w in wanted}
        found = self._lists.find(FIELDS, wanted) if asked else {}
        return {
            key: self._held(asked[key], rows[0]) if len(rows) == 1 else doubled(rows) for key, rows in found.items()
        }

    # ------------------------------------------------------------------------------------------------ writing

    def _work(self, place: int, item: Owed) -> _Work | Rejected:
        asked = item.wanted
        if reason := self._kept.bad(asked.value):
            return Rejected(f"{self._kept.what}: {reason}", "Correct it in POHODA; nothing was sent.")
        if not item.link:
            return Rejected("The card is not known in the shop.", "It is looked up by its SKU.", link_lost=True)
        try:
            wanted = frozenset(self._kept.wanted(asked))
        except KeyError as error:
            return Rejected(f"{self._kept.what}: nobody knows where {error} is in the shop", self._again)
        return _Work(place, asked, wanted, item.link)

    def _deliver(self, good: Sequence[_Work]) -> dict[int, Outcome]:
        outcomes: dict[int, Outcome] = {}
        self._kept.ready()
        rows = self._lists.by_id(FIELDS, [work.link for work in good])
        known = self._known(good, rows)
        to_send: list[tuple[_Work, dict[str, object]]] = []
        for work in good:
            row = rows.get(work.link)
            missing = work.wanted - known
            if row is None:
                outcomes[work.place] = gone(work.link, work.said)
            elif missing:
                names = [name for each, name in self._kept.wanted(work.asked).items() if each in missing]
                reason = f"{self._kept.what}: the shop has no facet value any more for {', '.join(sorted(names))[:200]}"
                outcomes[work.place] = Rejected(reason, self._again, Exchange(work.said))
            elif (ids := self._ids(work, row)) == [label.id for label in self._labels(row)]:
                outcomes[work.place] = self._done(work, row, "nothing to do")
            else:
                to_send.append((work, {"id": work.link, "facetValueIds": ids}))
        return outcomes | (self._send(to_send) if to_send else {})

    def _known(self, good: Sequence[_Work], rows: Mapping[str, Row]) -> set[str]:
        """Those of the wanted facet values that exist: what a variant has does; the rest is looked up."""
        there = {label.id for row in rows.values() for label in self._labels(row)}
        asked = {each for work in good for each in work.wanted} - there
        return there | (values_by_id(self._session, self._language, asked).keys() if asked else set())

    def _ids(self, work: _Work, row: Row) -> list[str]:
        """What the variant is to have: as it is now, without ours that are not wanted, then the wanted ones."""
        ours = self._kept.ours(work.asked)
        labels = self._labels(row)
        kept = [label.id for label in labels if label.id in work.wanted or not ours(label)]
        return kept + sorted(work.wanted - set(kept), key=age)

    def _send(self, to_send: Sequence[tuple[_Work, dict[str, object]]]) -> dict[int, Outcome]:
        works, inputs = [work for work, _ in to_send], [each for _, each in to_send]
        try:
            reply = self._session.change(_UPDATE, {"i": inputs})
        except AnswerLost as error:
            return {work.place: Unclear(str(error), Exchange(work.said, str(error))) for work in works}
        if reply.code == "ENTITY_NOT_FOUND":
            there = self._lists.by_id("", [work.link for work in works])
            if any(work.link not in there for work in works):
                return {w.place: Untried() if w.link in there else gone(w.link, w.said, reply) for w in works}
        if reply.code in REFUSALS or reply.status == 413:
            refusal = refused(reply, [work.said for work in works])
            return {work.place: refusal for work in works}
        return self._confirmed(works, reply)

    def _confirmed(self, works: Sequence[_Work], reply: Reply) -> dict[int, Outcome]:
        """Take what the shop says it holds now; a variant of which it does not say it is `Unclear`."""
        outcomes: dict[int, Outcome] = {}
        try:
            changed = [] if reply.failed or reply.data is None else reply.data["updateProductVariants"]
            rows = {str(raw["id"]): Row(str(raw["id"]), str(raw["sku"]), raw) for raw in changed}
            for row in rows.values():
                self._read(row)
        except (KeyError, TypeError, ValueError, AttributeError):
            rows = {}
        reason = reply.message or "the answer does not name the variant's facet values"
        for work in works:
            there = rows.get(work.link)
            lost = Unclear(reason, Exchange(work.said, reason))
            outcomes[work.place] = lost if there is None else self._done(work, there, "written")
        return outcomes

    # ------------------------------------------------------------------------------------------------ meaning

    def _done(self, work: _Work, row: Row, what: str) -> Done:
        held = self._kept.held(work.asked, self._labels(row))
        return Done(work.link, held, Exchange(work.said, what))

    def _held(self, asked: Wanted, row: Row) -> Held:
        return Held(key=asked.key, code=row.sku, link=row.id, value=self._kept.held(asked, self._labels(row)))

    def _labels(self, row: Row) -> list[Label]:
        return understood("facet values of a variant", lambda: self._read(row))

    def _read(self, row: Row) -> list[Label]:
        return [_label(raw, self._language) for raw in row.said["facetValues"]]


def _label(raw: Mapping[str, Any], language: str) -> Label:
    facet = raw["facet"]
    return Label(
        id=str(raw["id"]),
        code=str(raw["code"]),
        name=name_in(raw, language),
        facet=str(facet["id"]),
        facet_code=str(facet["code"]),
        facet_name=name_in(facet, language),
    )
