"""Vendure: quantities (``stockOnHand``) through the GraphQL admin API. Measured on Vendure 3.7.3; decisions:

* A batch is one transaction: one unknown id, and nothing of it is applied. Which ids are gone is found by a read.
* Always ``stockLevels`` with a location, never the deprecated ``stockOnHand``, which writes the oldest location of
  the channel and reads the sum of all. The price: the shop guards only ``stockOnHand`` against negative numbers
  (``stockLevels`` took -4), so that is done here; and it answers an unknown location with a database error, so the
  location is looked up before the first use.
* The API has no "id greater than", and SKUs are neither unique nor indexed: a page is a position and the id before
  it (`VendureShop._page_at`), and its SKUs are looked up in the rest of the shop.
* An API key may not ask for its own rights (``me`` is forbidden to it). But an update of **no** variants needs the
  right to write and has no effect: that is the probe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from agent.errors import AnswerLost, BatchRefused, ShopUnavailable
from agent.events import Done, Exchange, Held, Outcome, Owed, Page, Rejected, Unclear, Untried, Wanted, key_of
from agent.shops import Finding
from agent.shops.vendure_session import Reply, VendureSession, not_vendure

PAGE = 500
"""Variants per read; the admin API gives at most 1,000 (``adminListQueryLimit``)."""
MAX_QUANTITY = 2**31 - 1
"""What a GraphQL ``Int`` holds."""

_FIELDS = "{ id sku stockLevels { stockLocationId stockOnHand } }"
_LIST = "query($o: ProductVariantListOptions) { productVariants(options: $o) { totalItems items " + _FIELDS + " } }"
_UPDATE = "mutation($i: [UpdateProductVariantInput!]!) { updateProductVariants(input: $i) " + _FIELDS + " }"
_SET_UP = "{ activeChannel { token } stockLocations(options: { take: 1000 }) { items { id name } } }"
_COUNTING = "{ globalSettings { trackInventory } }"
_REFUSALS = {"USER_INPUT_ERROR", "ILLEGAL_OPERATION", "BAD_USER_INPUT", "ENTITY_NOT_FOUND"}


@dataclass(frozen=True, slots=True)
class _Variant:
    id: str
    sku: str
    levels: dict[str, int]

    def held(self, key: str, location: str) -> Held:
        """Make what it holds at a location; where it was never kept, that is 0."""
        return Held(key=key, code=self.sku, link=self.id, value=self.levels.get(location, 0))


class VendureShop:
    """The contract `agent.shops.Shop` for one channel and one stock location of a Vendure server."""

    kind = "vendure"
    quantity: Literal["saleable", "physical"] = "physical"

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        user: str | None = None,
        password: str | None = None,
        stock_location: str | None = None,
        channel: str | None = None,
        timeout: float = 30.0,
        pace: Callable[[], None] = lambda: None,
    ) -> None:
        """Take the shop's address (with or without ``/admin-api``) and either a key, or a user and a password.

        ``stock_location`` is an id or a name, needed where the channel has several; ``channel`` is a channel's token
        (None: the default channel); ``timeout`` is in seconds; ``pace`` is called before every request.
        """
        self._session = VendureSession(
            url, api_key=api_key, user=user, password=password, channel=channel, timeout=timeout, pace=pace
        )
        self._channel = channel
        self._wish = stock_location
        self._location: str | None = None

    @property
    def logins(self) -> int:
        """How often a session was begun with user and password (0 with a key)."""
        return self._session.logins

    def probe(self) -> None:
        """Update no variants: needs the right to write and a working database, and has no effect."""
        self._place()
        self._session.ask(_UPDATE, {"i": []})

    def deliver(self, target: str, owed: Sequence[Owed]) -> list[Outcome]:
        """Set quantities in one transaction (500 variants: 1.8 to 2.9 s, measured); see `agent.shops.Shop.deliver`."""
        _only_quantities(target)
        refused = {n: refusal for n, item in enumerate(owed) if (refusal := _unsendable(item)) is not None}
        rest = [item for n, item in enumerate(owed) if n not in refused]
        sent = iter(self._write(rest) if rest else [])
        return [refused[n] if n in refused else next(sent) for n in range(len(owed))]

    def read(self, target: str, wanted: Sequence[Wanted]) -> dict[str, Held]:
        """Read quantities by link, 500 a request; variants that are deleted or not in the channel are missing."""
        _only_quantities(target)
        location = self._place()
        variants = self._by_id([w.link for w in wanted if w.link])
        return {w.key: variants[w.link].held(w.key, location) for w in wanted if w.link and w.link in variants}

    def read_page(self, target: str, page: str | None) -> Page:
        """Read the next 500 variants by id. A SKU that another variant of the shop has, too, is a problem."""
        _only_quantities(target)
        location = self._place()
        variants, token = self._page_at(page)
        others = {"id": {"notIn": [variant.id for variant in variants]}}
        skus = [variant.sku for variant in variants]
        by_key = _by_key([*variants, *self._having(skus, lambda part: {**others, **_spelt(part)}, chunk=PAGE)])
        items, problems = [], []
        for key in dict.fromkeys(key_of(sku) for sku in skus):
            if key and len(by_key[key]) == 1:
                items.append(by_key[key][0].held(key, location))
            else:
                problems.append((key, _doubled(by_key[key])))
        return Page(items=tuple(items), next=token, problems=tuple(problems))

    def find(self, target: str, wanted: Sequence[Wanted]) -> dict[str, Held | Rejected]:
        """Find variants by SKU without case, whatever the database's collation does.

        First the likely spellings by ``in``; what is not found so, by ``regex``, which ignores case on SQLite and
        PostgreSQL, and on MySQL as its collation does. A stranger spelling ("Abc") beside a likely one ("ABC") is
        not seen here; so are two of them on different pages of `read_page`.
        """
        _only_quantities(target)
        location = self._place()
        codes = {w.key: w.code for w in wanted if w.key}
        found = _by_key(self._having(list(codes.values()), _spelt, chunk=100))
        missing = [code for key, code in codes.items() if key not in found]
        found |= _by_key(self._having(missing, _alike, chunk=20))
        found = {key: variants for key, variants in found.items() if key in codes}
        return {k: v[0].held(k, location) if len(v) == 1 else _doubled(v) for k, v in found.items()}

    def check(self) -> list[Finding]:
        """Examine sign-in, channel, stock location, the right to write, and whether the shop counts its stock."""
        steps: dict[str, Callable[[], Finding]] = {
            "stock location": self._check_place,
            "right to write": self._check_right,
            "stock counting": self._check_counting,
        }
        findings: list[Finding] = []
        for subject, step in steps.items():
            try:
                findings.append(step())
            except ShopUnavailable as error:  # what comes after it could not be asked either
                return [*findings, Finding("error", subject, str(error), error.hint)]
        return findings

    def close(self) -> None:
        """Let go of connections. The session stays valid in the shop until it expires there."""
        self._session.http.close()

    def _check_place(self) -> Finding:
        return Finding("ok", "stock location", f"signed in; quantities go to stock location {self._place()}")

    def _check_right(self) -> Finding:
        self.probe()
        return Finding("ok", "right to write", "stock may be written")

    def _check_counting(self) -> Finding:
        counted = (self._session.ask(_COUNTING).get("globalSettings") or {}).get("trackInventory")
        _, number = self._list(
            {"filter": {"trackInventory": {"eq": "FALSE"} if counted else {"notEq": "TRUE"}}}, take=1
        )
        if number == 0:
            return Finding("ok", "stock counting", "the stock of every variant counts")
        text = f"{number} variants are sold without regard to their stock"
        hint = "Set 'track inventory' to true in Vendure: in those variants, or in the global settings."
        return Finding("warning", "stock counting", text, hint)

    def _write(self, items: list[Owed]) -> list[Outcome]:
        location = self._place()
        rows: list[dict[str, Any]] = [
            {"id": i.link, "stockLevels": [{"stockLocationId": location, "stockOnHand": i.event.value}]} for i in items
        ]
        said = [f"updateProductVariants {orjson.dumps(row).decode()}" for row in rows]
        try:
            reply = self._session.change(_UPDATE, {"i": rows})
        except AnswerLost as error:
            return [Unclear(str(error), Exchange(request, str(error))) for request in said]
        if reply.failed:
            self._location = None  # it may have been deleted: look again before the next write
        if reply.code == "ENTITY_NOT_FOUND":
            there = self._by_id([row["id"] for row in rows])
            if any(row["id"] not in there for row in rows):
                pairs = zip(rows, said, strict=True)
                return [Untried() if row["id"] in there else _gone(row["id"], request, reply) for row, request in pairs]
        if reply.code in _REFUSALS or reply.status == 413:
            return [_refused(reply, said)]
        return _confirmed(reply, rows, said, location)

    def _place(self) -> str:
        """Look the stock location's id up, once. Raises `ShopUnavailable` when the settings don't fit the shop."""
        if self._location is None:
            data = self._session.ask(_SET_UP)
            try:
                places = {str(place["id"]): str(place["name"]) for place in data["stockLocations"]["items"]}
                channel = data["activeChannel"]["token"]
            except (KeyError, TypeError) as error:
                raise not_vendure("no stock locations in it") from error
            if self._channel and channel != self._channel:  # with one channel, a wrong token is ignored silently
                hint = "Set [shop] channel to the channel's token (Settings, Channels in Vendure)."
                raise ShopUnavailable("The shop does not know the configured channel.", hint=hint)
            self._location = _choose(places, self._wish)
        return self._location

    def _page_at(self, page: str | None) -> tuple[list[_Variant], str | None]:
        """Read from a position on, with the last variant of the page before as an anchor: ``position:id``.

        Ids grow, so what is new comes last. If the anchor is not where it was, variants before it were deleted and
        the others moved up: then a whole page is read again, which is harmless. Only more than a page of deletions
        between two requests can hide a variant from this pass; the next one sees it.
        """
        position, _, anchor = (page or "0:").partition(":")
        at = int(position)
        variants, total = self._list({}, skip=max(at - 1, 0))
        if at and variants and variants[0].id == anchor:
            variants = variants[1:]
        elif at:
            at = max(at - PAGE, 0)
            variants, total = self._list({}, skip=at)
        at += len(variants)
        return variants, f"{at}:{variants[-1].id}" if variants and at < total else None

    def _having(
        self, codes: Sequence[str], question: Callable[[Sequence[str]], dict[str, object]], *, chunk: int
    ) -> list[_Variant]:
        """Read all variants that answer a question about some codes, so many codes at a time."""
        found: list[_Variant] = []
        for part in _chunks(codes, chunk):
            some, total = self._list({"filter": question(part)})
            while len(some) < total:
                more, total = self._list({"filter": question(part)}, skip=len(some))
                if not more:
                    break
                some += more
            found += some
        return found

    def _by_id(self, ids: Sequence[str]) -> dict[str, _Variant]:
        parts = _chunks(list(dict.fromkeys(ids)), PAGE)
        return {variant.id: variant for part in parts for variant in self._list({"filter": {"id": {"in": part}}})[0]}

    def _list(
        self, options: dict[str, object], *, skip: int = 0, take: int | None = None
    ) -> tuple[list[_Variant], int]:
        """Read a list of variants that are not deleted, by id: what was asked for, and how many there are in all."""
        window = {"sort": {"id": "ASC"}, "skip": skip, "take": take or PAGE}
        data = self._session.ask(_LIST, {"o": {**options, **window}})
        try:
            listed = data["productVariants"]
            return [_variant(raw) for raw in listed["items"]], int(listed["totalItems"])
        except (KeyError, TypeError, ValueError) as error:
            raise not_vendure("no list of variants in it") from error


def _only_quantities(target: str) -> None:
    if target != "quantities":
        raise ValueError(f"the Vendure adapter does not know the target {target!r}")


def _unsendable(item: Owed) -> Rejected | None:
    value = item.event.value
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_QUANTITY:
        reason = f"stockOnHand: {str(value)[:50]} is not a whole number from 0 to {MAX_QUANTITY}"
        return Rejected(reason, "Correct the quantity in POHODA, or the settings that form it; it was not sent.")
    if not item.link:
        return Rejected("id: the variant is not known", "It is looked up by its SKU.", link_lost=True)
    return None


def _choose(places: dict[str, str], wish: str | None) -> str:
    if wish is None and len(places) == 1:
        return next(iter(places))
    named = [] if wish is None else [place for place, name in places.items() if key_of(name) == key_of(wish)]
    if wish in places or len(named) == 1:
        return wish if wish in places else named[0]
    choices = ", ".join(f"{place} ({name})" for place, name in list(places.items())[:10]) or "none in this channel"
    text = "The channel has not just one stock location." if wish is None else "The channel has no such stock location."
    raise ShopUnavailable(text, hint=f"Set [shop] stock_location to one of: {choices}.")


def _refused(reply: Reply, said: list[str]) -> Rejected:
    """Make the outcome of a definite refusal of one item; of several, raise `BatchRefused`."""
    reason = f"The shop refuses it: {reply.message}"
    hint = "See what Vendure says; correct the value or the variant, then retry."
    if len(said) > 1:
        raise BatchRefused(reason, hint=hint, request=f"updateProductVariants, {len(said)} items", answer=reason)
    return Rejected(reason, hint, Exchange(said[0], reason))


def _confirmed(reply: Reply, rows: list[dict[str, Any]], said: list[str], location: str) -> list[Outcome]:
    """Take what the shop says it holds now; a variant of which it does not say it is `Unclear`."""
    try:
        changed = [] if reply.failed or reply.data is None else reply.data["updateProductVariants"]
        held = {variant.id: variant for variant in map(_variant, changed)}
    except (KeyError, TypeError, ValueError):
        held = {}
    reason = reply.message or "the answer does not name the variant's stock"
    outcomes: list[Outcome] = []
    for row, request in zip(rows, said, strict=True):
        value = held[row["id"]].levels.get(location) if row["id"] in held else None
        if value is None:
            outcomes.append(Unclear(reason, Exchange(request, reason)))
        else:
            outcomes.append(Done(row["id"], value, Exchange(request, f"stockOnHand {value}")))
    return outcomes


def _gone(link: str, request: str, reply: Reply) -> Rejected:
    reason = f"The shop has no variant {link} any more."
    return Rejected(reason, "It is looked up by its SKU.", Exchange(request, reply.message), link_lost=True)


def _doubled(variants: list[_Variant]) -> Rejected:
    ids = ", ".join(variant.id for variant in variants[:5])
    if not variants[0].sku.strip():
        return Rejected(f"Variants without a SKU: {ids}.", "Give each in Vendure the code of its card in POHODA.")
    reason = f"The shop has this SKU {len(variants)} times: variants {ids}."
    return Rejected(reason, "Give each variant in Vendure a SKU of its own, or delete the superfluous ones.")


def _variant(raw: dict[str, Any]) -> _Variant:
    levels = {str(level["stockLocationId"]): int(level["stockOnHand"]) for level in raw["stockLevels"]}
    return _Variant(str(raw["id"]), str(raw["sku"]), levels)


def _by_key(variants: Iterable[_Variant]) -> dict[str, list[_Variant]]:
    found: dict[str, dict[str, _Variant]] = {}
    for variant in variants:
        found.setdefault(key_of(variant.sku), {})[variant.id] = variant
    return {key: list(same.values()) for key, same in found.items()}


def _spelt(codes: Sequence[str]) -> dict[str, object]:
    spellings = {s for code in codes for c in (code, code.strip()) for s in (c, c.upper(), c.lower(), c.title())}
    return {"sku": {"in": sorted(spellings)}}


def _alike(codes: Sequence[str]) -> dict[str, object]:
    return {"_or": [{"sku": {"regex": _pattern(code.strip())}} for code in codes]}


def _pattern(code: str) -> str:
    """Ask for more than is wanted, for the dialects agree on little and Python folds: all but ASCII letters and
    digits becomes ``.``; of what does not fit into the 100 characters that Vendure takes, the beginning.
    """
    pattern = "".join(c if c.isascii() and c.isalnum() else "." for c in code)
    return f"^ *{pattern} *$" if len(pattern) <= 90 else f"^ *{pattern[:90]}"


def _chunks(items: Sequence[str], size: int) -> Iterable[Sequence[str]]:
    return (items[at : at + size] for at in range(0, len(items), size))
