"""Vendure: quantities, products, prices and images through the GraphQL admin API. Measured on Vendure 3.7.3.

One module per matter: `vendure_lists` (reading), `vendure_variants` (quantities, prices), `vendure_card` and
`vendure_products`, `vendure_gallery` and `vendure_images`, `vendure_setup`, `vendure_session`. Decisions here:

* The link is the id of the variant; that of ``images`` holds it (`vendure_gallery.Link`).
* The API answers an unknown stock location with a database error, so it is looked up before the first use, and again
  after a refusal. The form of the prices (with or without tax) is looked up before each writing of prices: a channel
  that was turned over would be given prices wrong by the tax.
* An API key may not ask for its own rights (``me`` is forbidden to it). But an update of **no** variants needs the
  right to write and has no effect: that is the probe. So it goes for creating and deleting no assets.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Container, Sequence
from typing import Any, Literal

from agent.errors import ShopUnavailable, Unusable
from agent.events import Held, Outcome, Owed, Page, Rejected, Wanted, key_of
from agent.shops import Finding, vendure_images, vendure_products, vendure_variants
from agent.shops import vendure_card as card
from agent.shops import vendure_gallery as gallery
from agent.shops.foreign import left_alone
from agent.shops.part import Part
from agent.shops.vendure_card_facets import parameters, product_categories, suppliers
from agent.shops.vendure_check import Examination
from agent.shops.vendure_collections import Categories
from agent.shops.vendure_facets import Firms, Terms
from agent.shops.vendure_lists import Lists, Row, doubled, understood
from agent.shops.vendure_orders import Orders
from agent.shops.vendure_session import VendureSession, not_vendure
from agent.shops.vendure_setup import SetUp, read_set_up, require_channel

_PROBE = "mutation($i: [UpdateProductVariantInput!]!) { updateProductVariants(input: $i) { id } }"
_PLACES = "{ activeChannel { token } stockLocations(options: { take: 1000 }) { items { id name } } }"


def no_pictures(sha: str) -> bytes:
    """Stand in where nobody gives the bytes of pictures."""
    raise Unusable("images", f"nobody gives the picture {sha[:12]}", hint="This is a fault of the agent: report it.")


class VendureShop:
    """The contract `agent.shops.Shop` for one channel and one stock location of a Vendure server."""

    kind = "vendure"
    quantity: Literal["saleable", "physical"] = "physical"
    targets: frozenset[str] = frozenset({"quantities", "products", "prices", "images"})
    """Those of which a page can be read; the others are `Part`s."""
    price_places = 2

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        user: str | None = None,
        password: str | None = None,
        stock_location: str | None = None,
        channel: str | None = None,
        language: str | None = None,
        price_form: Literal["net", "gross"] = "gross",
        targets: frozenset[str] = frozenset({"quantities"}),
        product_fields: frozenset[str] = frozenset(),
        creates: bool = False,
        pictures: Callable[[str], bytes] = no_pictures,
        leave_foreign: bool = False,
        root: str = "",
        firms: bool = False,
        order_states: Sequence[str] = (),
        lock: contextlib.AbstractContextManager[Any] | None = None,
        timeout: float = 30.0,
        pace: Callable[[], None] = lambda: None,
    ) -> None:
        """Take the shop's address (with or without ``/admin-api``) and either a key, or a user and a password.

        ``stock_location`` is an id or a name, needed where the channel has several; ``channel`` is a channel's token
        (None: the default channel); ``language`` is a code such as ``cs`` (None: the channel's default language);
        ``price_form`` says whether the channel stores prices with tax. ``targets`` (the enabled ones),
        ``product_fields`` (those to be kept in sync) and ``creates`` are what `check` examines. ``pictures`` gives the
        bytes of a picture by its sha; ``leave_foreign`` leaves products alone that have pictures of others only when
        they are first looked up. ``root`` is the id of the collection below which
        categories are (empty: the root), ``firms`` whether manufacturers and suppliers are kept, too; ``order_states``
        are the configured ones, for ``check``. ``lock`` is the one of all adapters of this shop: three targets write
        the facet values of variants. ``timeout`` is in seconds; ``pace`` is called before every request.
        """
        self._session = VendureSession(
            url, api_key=api_key, user=user, password=password, channel=channel, timeout=timeout, pace=pace
        )
        self._lists = Lists(self._session)
        self._channel = channel
        self._language = language
        self._wish = stock_location
        self._location: str | None = None
        self._known: SetUp | None = None
        self._enabled = targets
        self._product_fields = product_fields
        self._creates = creates
        self._pictures = pictures
        self._leave_foreign = leave_foreign
        self._root = root
        self._firms = firms
        self._lock = lock or contextlib.nullcontext()
        self._orders = Orders(self._session, states=order_states, place=self._place)
        self._parts: dict[str, Part] = {"order_states": self._orders}
        self._elsewhere = vendure_images.Elsewhere(self._session)
        self.price_form: Literal["net", "gross"] = price_form

    @property
    def logins(self) -> int:
        """How often a session was begun with user and password (0 with a key)."""
        return self._session.logins

    @property
    def fields(self) -> frozenset[str]:
        """The fields of a card that this shop can hold; asks the shop once. Raises `ShopUnavailable`."""
        return self._set_up().fields

    def probe(self) -> None:
        """Update no variants: needs the right to write and a working database, and has no effect."""
        if "quantities" in self._enabled:
            self._place()
        if self._enabled == {"order_states"}:
            self._orders.probe()
        else:
            self._session.ask(_PROBE, {"i": []})

    def deliver(self, target: str, owed: Sequence[Owed]) -> list[Outcome]:
        """Write values; see `agent.shops.Shop.deliver`."""
        if not owed:
            return []
        if target not in VendureShop.targets:
            return self._part(target).deliver(owed)
        if target == "products":
            return vendure_products.Products(self._session, self._lists, self._set_up()).deliver(owed)
        if target == "images":
            return vendure_images.Images(
                self._session,
                self._lists,
                language=self._set_up().language,
                pictures=self._pictures,
                elsewhere=self._elsewhere,
            ).deliver(owed)
        return self._deliver_numbers(target, owed)

    def read(self, target: str, wanted: Sequence[Wanted]) -> dict[str, Held]:
        """Read by link, 500 a request; variants that are deleted or not in the channel are missing."""
        if target not in VendureShop.targets:
            return self._part(target).read(wanted) if wanted else {}
        ids = {w.key: link for w in wanted if w.link and (link := _variant(target, w.link))}
        if not ids:
            return {}
        fields, held = self._reading(target)
        rows = self._lists.by_id(fields, list(ids.values()))
        return {w.key: held(w.key, rows[ids[w.key]], w.link) for w in wanted if ids.get(w.key) in rows}

    def read_page(self, target: str, page: str | None) -> Page:
        """Read the next 500 variants by id. A SKU that another variant of the shop has, too, is a problem."""
        _know(target)
        fields, held = self._reading(target)
        read = self._lists.page(fields, page)
        items = [held(key, rows[0], None) for key, rows in read.rows.items() if key and len(rows) == 1]
        problems = [(key, doubled(rows)) for key, rows in read.rows.items() if not key or len(rows) > 1]
        return Page(items=tuple(items), next=read.next, problems=tuple(problems))

    def find(self, target: str, wanted: Sequence[Wanted]) -> dict[str, Held | Rejected]:
        """Find variants by SKU without case, whatever the database's collation does (`Lists.find`)."""
        if not wanted:
            return {}
        if target not in VendureShop.targets:
            return self._part(target).find(wanted)
        fields, held = self._reading(target)
        found = self._lists.find(fields, wanted)
        answer = {k: held(k, rows[0], None) if len(rows) == 1 else doubled(rows) for k, rows in found.items()}
        if target == "images" and self._leave_foreign:
            foreign = {k: self._foreign(rows[0]) for k, rows in found.items() if len(rows) == 1}
            answer |= {k: left_alone(count) for k, count in foreign.items() if count}
        return answer

    def check(self) -> list[Finding]:
        """Examine sign-in, channel, rights, and what the enabled targets need of the set-up."""
        found = Examination(
            session=self._session,
            lists=self._lists,
            place=self._place,
            set_up=self._fresh,
            probe=self.probe,
            price_form=self.price_form,
            targets=self._enabled,
            product_fields=self._product_fields,
            creates=self._creates,
        ).findings()
        return [*found, *self._orders.findings()] if "order_states" in self._enabled else found

    def close(self) -> None:
        """Let go of connections. The session stays valid in the shop until it expires there."""
        self._session.http.close()

    def _part(self, target: str) -> Part:
        """Make the part of a target, once: its texts are in the shop's language. Raises `ShopUnavailable`."""
        if target not in self._parts:
            session, language = self._session, self._set_up().language
            beside: dict[str, Any] = {"language": language, "lock": self._lock}
            makers: dict[str, Callable[[], Part]] = {
                "categories": lambda: Categories(
                    session, language=language, root=self._root, pictures=self._pictures, elsewhere=self._elsewhere
                ),
                "categories.products": lambda: product_categories(session, self._lists, **beside),
                "parameters.terms": lambda: Terms(session, language=language, firms=self._firms),
                "parameters": lambda: parameters(session, self._lists, **beside),
                "suppliers.firms": lambda: Firms(session, language=language),
                "suppliers": lambda: suppliers(session, self._lists, **beside),
            }
            _know(target, makers)
            self._parts[target] = makers[target]()
        return self._parts[target]

    def _foreign(self, row: Row) -> int:
        """Count a card's pictures where none is ours; ours are known by their names, whatever was forgotten here."""
        there = vendure_images.gallery_of(row, self._set_up().language)
        return 0 if there.ours() else len(there.foreign())

    def _deliver_numbers(self, target: str, owed: Sequence[Owed]) -> list[Outcome]:
        write = self._writing(target)
        failed = True
        try:
            outcomes, failed = vendure_variants.deliver(self._session, self._lists, write, owed)
            return outcomes
        finally:
            if failed:
                self._location = self._known = None  # it may have been changed: look again before the next write

    def _writing(self, target: str) -> vendure_variants.Write:
        if target == "quantities":
            return vendure_variants.quantities(self._place())
        set_up = self._fresh()
        if set_up.gross != (self.price_form == "gross"):
            stored = "gross" if set_up.gross else "net"
            hint = f'Set [shop] prices = "{stored}", or change the channel in Vendure; no price was sent.'
            raise ShopUnavailable(f"The channel stores {stored} prices, the configuration says otherwise.", hint=hint)
        return vendure_variants.prices(set_up)

    def _reading(self, target: str) -> tuple[str, Callable[[str, Row, str | None], Held]]:
        """What is asked of a variant for a target, and how its answer is understood."""
        if target == "products":
            set_up = self._set_up()
            return card.fields(set_up), lambda key, row, _: vendure_products.held(key, row, set_up)
        if target == "images":
            language = self._set_up().language
            return gallery.FIELDS, lambda key, row, link: vendure_images.held(key, row, language=language, link=link)
        if target == "prices":
            write = vendure_variants.prices(self._set_up())
        else:
            write = vendure_variants.quantities(self._place())

        def held(key: str, row: Row, _: str | None) -> Held:
            value = understood(write.what, lambda: write.held(row))
            if value is None and target == "quantities":
                value = 0  # where it was never kept
            return Held(key=key, code=row.sku, link=row.id, value=value)

        return write.fields, held

    def _set_up(self) -> SetUp:
        return self._known or self._fresh()

    def _fresh(self) -> SetUp:
        known = read_set_up(self._session, channel=self._channel, language=self._language)
        self._known = known
        return known

    def _place(self) -> str:
        """Look the stock location's id up, once. Raises `ShopUnavailable` when the settings don't fit the shop."""
        if self._location is None:
            data = self._session.ask(_PLACES)
            try:
                places = {str(place["id"]): str(place["name"]) for place in data["stockLocations"]["items"]}
                channel = data["activeChannel"]["token"]
            except (KeyError, TypeError) as error:
                raise not_vendure("no stock locations in it") from error
            require_channel(self._channel, channel)
            self._location = _choose(places, self._wish)
        return self._location


def _know(target: str, known: Container[str] = VendureShop.targets) -> None:
    if target not in known:
        raise ValueError(f"the Vendure adapter does not know the target {target!r}")


def _variant(target: str, link: str) -> str:
    """The variant's id in a link; empty when it is no link of this target."""
    if target != "images":
        return link
    known = gallery.read_link(link)
    return known.variant if known else ""


def _choose(places: dict[str, str], wish: str | None) -> str:
    if wish is None and len(places) == 1:
        return next(iter(places))
    named = [] if wish is None else [place for place, name in places.items() if key_of(name) == key_of(wish)]
    if wish in places or len(named) == 1:
        return wish if wish in places else named[0]
    choices = ", ".join(f"{place} ({name})" for place, name in list(places.items())[:10]) or "none in this channel"
    text = "The channel has not just one stock location." if wish is None else "The channel has no such stock location."
    raise ShopUnavailable(text, hint=f"Set [shop] stock_location to one of: {choices}.")
