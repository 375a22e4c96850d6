"""The PrestaShop adapter: all targets, through the webservice (``/api``); each has a module of its own.

Decisions, from recorded exchanges with 9.1.4 unless another source is named:

* A quantity lives in a row of ``stock_availables``, one per product and combination. The link is
  ``row:product:combination``, so that a read can tell when the row has come to belong to something else. Products and
  prices share it; `prestashop_images` has links of its own that contain it.
* The row of a product that has combinations is their sum and may be written to nonsense: it is never an item, and as
  links are shared such a product is none for products, prices and pictures either. Its combinations are.
* References are not unique, neither among products nor across combinations: a doubled one is refused with a hint.
  MySQL also folds accents (``Č`` = ``C``), so what it finds is compared again by `agent.events.key_of`.
* Multistore: of several rows per product the one of ``shop_id`` counts, else the one that a group of shops shares
  (``id_shop`` 0). ``shop_id`` other than 1 is sent along as ``id_shop`` (``WebserviceRequest::shopExists``; read there,
  not recorded).
* Links to pictures that ``find`` and ``read_page`` give know nothing of what was uploaded before: where there is a link
  already, that one must be kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from agent.errors import ShopUnavailable, Unusable
from agent.events import Held, Outcome, Owed, Page, Rejected, Value, Wanted
from agent.shops import Finding, prestashop_check
from agent.shops import prestashop_xml as wire
from agent.shops.foreign import left_alone
from agent.shops.http import ShopHttp
from agent.shops.part import Part
from agent.shops.prestashop_categories import Categories
from agent.shops.prestashop_find import find_products
from agent.shops.prestashop_firms import Firms
from agent.shops.prestashop_images import Images
from agent.shops.prestashop_lists import Lists, by_key, doubled, judge
from agent.shops.prestashop_orders import Orders
from agent.shops.prestashop_parameters import Parameters
from agent.shops.prestashop_pictures import ImagesLink, link_of, of_combination
from agent.shops.prestashop_prices import PLACES, PriceList
from agent.shops.prestashop_product_categories import ProductCategories
from agent.shops.prestashop_products import Products
from agent.shops.prestashop_quantities import Quantities
from agent.shops.prestashop_setup import Setup
from agent.shops.prestashop_suppliers import Suppliers
from agent.shops.prestashop_terms import Terms
from agent.shops.prestashop_xml import Link

PRODUCTS_PER_PAGE = 200


def _no_pictures(sha: str) -> bytes:
    raise Unusable("images", f"nobody gives the picture {sha[:12]}", hint="This is a fault of the agent: report it.")


class PrestaShop:
    """One PrestaShop whose webservice knows PATCH (proven with 9.1.4). See `agent.shops.Shop`."""

    kind = "prestashop"
    quantity: Literal["saleable", "physical"] = "saleable"
    targets = frozenset({"quantities", "products", "prices", "images"})
    """Those of which a page can be read; the others are `Part`s."""
    price_form: Literal["net", "gross"] = "net"
    price_places = PLACES

    def __init__(
        self,
        url: str,
        *,
        key: str,
        timeout: float,
        pace: Callable[[], None] = lambda: None,
        shop_id: int = 1,
        targets: frozenset[str] = frozenset({"quantities"}),
        language: str = "cs",
        country: str = "CZ",
        pictures: Callable[[str], bytes] | None = None,
        leave_foreign: bool = False,
        root: str = "",
        order_number: Literal["reference", "id"] = "reference",
        order_states: Sequence[str] = (),
    ) -> None:
        """``url`` is the shop's address, with or without ``/api``; ``timeout`` is in seconds, per request.

        ``targets`` are those that are enabled: ``check`` examines what they need. ``language`` (of POHODA's texts) and
        ``country`` (of the rates of VAT) are ISO codes. ``pictures`` gives the bytes of a picture by its sha256.
        ``leave_foreign`` leaves products alone that have pictures when they are first looked up. ``root`` is the id of
        the category below which ours are (empty: the home). ``order_number`` says what POHODA has of an order, and
        ``order_states`` are the configured ones, for ``check``.
        """
        base = url.rstrip("/").removesuffix("/api")
        self._key = key
        self._enabled = targets
        self._leave_foreign = leave_foreign
        self._http = http = ShopHttp(f"{base}/api", timeout=timeout, auth=(key, ""), pace=pace)
        self._lists = lists = Lists(http, shop_id=shop_id)
        self._setup = Setup(lists, language=language, country=country)
        self._quantities = Quantities(http, lists, short=self._short)
        self._products = Products(http, lists, self._setup, short=self._short)
        self._prices = PriceList(http, lists, short=self._short)
        self._images = Images(http, lists, data=pictures or _no_pictures, short=self._short)
        data, short = pictures or _no_pictures, self._short
        self._orders = Orders(http, lists, number=order_number, states=order_states, short=short)
        self._parts: dict[str, Part] = {
            "categories": Categories(http, lists, self._setup, short=short, root=root, pictures=data),
            "categories.products": ProductCategories(http, lists, self._setup, short=short, root=root),
            "parameters.terms": Terms(http, lists, self._setup, short=short),
            "parameters": Parameters(http, lists, self._setup, short=short),
            "suppliers.firms": Firms(http, lists, short=short),
            "suppliers": Suppliers(http, lists, short=short),
            "order_states": self._orders,
        }
        self._paged: dict[int, int] = {}  # hash of key → product, over the pages of one reading: finds doubled codes

    def deliver(self, target: str, owed: Sequence[Owed]) -> list[Outcome]:
        """Write values; see the module of the target. Raises `ShopUnavailable` when nothing was sent."""
        if target in self._parts:
            return self._parts[target].deliver(owed)
        _know(target)
        if target == "quantities":
            return self._quantities.deliver(owed)
        if not owed:
            return []
        if target == "products":
            return self._products.deliver(owed)
        return self._prices.deliver(owed) if target == "prices" else self._images.deliver(owed)

    # ------------------------------------------------------------------------------------------------ reading

    def probe(self) -> None:
        """Read the id of one stock row. Raises `ShopUnavailable`."""
        self._lists.ask("stock_availables", {"display": "[id]", "limit": "1"})

    def read(self, target: str, wanted: Sequence[Wanted]) -> dict[str, Held]:
        """Read what is behind the links.

        Missing are links whose row is gone, belongs to something else, or has become the sum of combinations.
        Raises `ShopUnavailable`.
        """
        if target in self._parts:
            return self._parts[target].read(wanted)
        _know(target)
        if target == "images":
            return self._read_images([(item, known) for item in wanted if (known := link_of(item.link)) is not None])
        linked = [(item, link) for item in wanted if (link := wire.link_of(item.link)) is not None]
        if target == "quantities":
            return self._read_quantities(linked)
        values = self._values(target, [link for _, link in linked])
        return {item.key: Held(item.key, item.code, str(link), values[link]) for item, link in linked if link in values}

    def find(self, target: str, wanted: Sequence[Wanted]) -> dict[str, Held | Rejected]:
        """Look codes up among the references of products and combinations. Raises `ShopUnavailable`."""
        if target in self._parts:
            return self._parts[target].find(wanted)
        _know(target)
        return self._with_values(target, find_products(self._lists, wanted))

    def read_page(self, target: str, page: str | None) -> Page:
        """Read everything by ascending product id; a page token is the last product id, so it outlives a restart.

        A code doubled across pages is only noticed while one adapter reads them all; `find` always notices.
        Raises `ShopUnavailable`, also for a token that is not one.
        """
        _know(target)
        after = wire.whole(page or "0")
        if after is None:
            raise ShopUnavailable(
                "This is not a page of PrestaShop.", hint="Start the reading again from the beginning."
            )
        if page is None:
            self._paged.clear()
        products = self._lists.products({"filter[id]": f">[{after}]"}, limit=PRODUCTS_PER_PAGE)
        if not products:
            return Page((), None)
        last = max(place.product for place in products)
        interval = {"filter[id_product]": f"[{after + 1},{last}]"}
        combinations = self._lists.combinations(interval)
        rows = self._lists.stock(interval)
        known, parents = ({place.product for place in places} for places in (products, combinations))
        found: dict[str, Held | Rejected] = {}
        for key, places in by_key([*products, *(place for place in combinations if place.product in known)]).items():
            held = judge(key, places, parents, rows)
            if isinstance(held, Held) and self._paged.setdefault(hash(key), places[0].product) != places[0].product:
                held = doubled(f"products {self._paged[hash(key)]} and {places[0].product}")
            found[key] = held
        valued = self._with_values(target, found)
        items = tuple(held for held in valued.values() if isinstance(held, Held))
        problems = tuple((key, held) for key, held in valued.items() if isinstance(held, Rejected))
        return Page(items, str(last), problems)

    def check(self) -> list[Finding]:
        """Examine version, rights, number of the shop, languages and taxes. Never raises."""
        found = prestashop_check.check(self._http, self._lists, self._setup, self._enabled, self._short)
        return [*found, *self._orders.findings()] if "order_states" in self._enabled else found

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def _read_quantities(self, linked: Sequence[tuple[Wanted, Link]]) -> dict[str, Held]:
        rows = self._lists.rows([link.row for _, link in linked])
        parents = self._lists.parents({link.product for _, link in linked if not link.combination and link.row in rows})
        held = {}
        for item, link in linked:
            row = rows.get(link.row)
            if row is None or (row.product, row.combination) != (link.product, link.combination):
                continue
            if link.combination or link.product not in parents:
                held[item.key] = Held(item.key, item.code, str(link), row.quantity)
        return held

    def _read_images(self, linked: Sequence[tuple[Wanted, ImagesLink]]) -> dict[str, Held]:
        places = [(item, link, place) for item, link in linked if (place := wire.link_of(link.product)) is not None]
        galleries = self._images.galleries([place.product for _, _, place in places])
        held = {}
        for item, link, place in places:
            gallery = galleries.get(place.product)
            if gallery is None:
                continue
            known = link if item.tried is None else self._images.resolved(link, place.product, gallery, item.tried)
            held[item.key] = Held(item.key, item.code, str(known), self._images.value(known, gallery))
        return held

    def _values(self, target: str, links: Sequence[Link]) -> Mapping[Link, Value]:
        return self._products.values(links) if target == "products" else self._prices.values(links)

    def _with_values(self, target: str, found: Mapping[str, Held | Rejected]) -> dict[str, Held | Rejected]:
        """Put the target's values in the place of quantities; what is gone meanwhile is left out."""
        if target == "quantities":
            return dict(found)
        links = {
            key: link for key, held in found.items() if isinstance(held, Held) and (link := wire.link_of(held.link))
        }
        answer: dict[str, Held | Rejected] = {key: held for key, held in found.items() if isinstance(held, Rejected)}
        if target != "images":
            values = self._values(target, list(links.values()))
            held = {key: values[link] for key, link in links.items() if link in values}
            return answer | {key: _valued(found[key], str(links[key]), value) for key, value in held.items()}
        galleries = self._images.galleries([link.product for link in links.values() if not link.combination])
        for key, link in links.items():
            if link.combination:
                answer[key] = of_combination(str(link))
            elif link.product in galleries:
                gallery = galleries[link.product]
                if self._leave_foreign and gallery.ids:
                    answer[key] = left_alone(len(gallery.ids))
                    continue
                answer[key] = _valued(found[key], str(ImagesLink(str(link), {}, tuple(sorted(gallery.ids)))), [])
        return answer

    def _short(self, text: str) -> str:
        return wire.short(text, self._key)


def _valued(found: Held | Rejected, link: str, value: Value) -> Held | Rejected:
    return Held(found.key, found.code, link, value) if isinstance(found, Held) else found


def _know(target: str) -> None:
    if target not in PrestaShop.targets:
        raise ValueError(f"the prestashop adapter does not know the target {target}")
