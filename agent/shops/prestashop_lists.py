"""Reading PrestaShop's lists: who holds a code, which rows hold the stock, and what cannot be addressed.

Lists have no totals and no link to the next page: they are read by ascending ids until one comes back short. Everything
here is a read, so whatever goes wrong, a maintenance page with status 200 included, is `ShopUnavailable`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from agent.errors import ShopUnavailable
from agent.events import Held, Rejected, key_of
from agent.shops import prestashop_xml as wire
from agent.shops.http import Answer, ShopHttp
from agent.shops.prestashop_xml import Link, StockRow

IDS_PER_CALL = 200
ROWS_PER_CALL = 1000
_STOCK = "id,id_product,id_product_attribute,id_shop,quantity"


@dataclass(frozen=True, slots=True)
class Place:
    """A product (``combination`` 0) or a combination, with the code that it bears, as it is spelt in the shop."""

    product: int
    combination: int
    code: str

    def __str__(self) -> str:
        return (
            f"combination {self.combination} of product {self.product}"
            if self.combination
            else f"product {self.product}"
        )


class Lists:
    """The lists of one shop; ``shop_id`` says which rows count where a PrestaShop runs several shops."""

    def __init__(self, http: ShopHttp, *, shop_id: int) -> None:
        self._http = http
        self.shop_id = shop_id
        self.context = {} if shop_id == 1 else {"id_shop": str(shop_id)}

    def products(self, filters: Mapping[str, str], *, limit: int | None = None) -> list[Place]:
        """Products by ascending id: all that pass the filters, or one page of ``limit``."""
        if limit is None:
            rows = self._all("products", "id,reference", filters)
        else:
            page = {"display": "[id,reference]", **filters, "sort": "[id_ASC]", "limit": str(limit)}
            rows = self.ask("products", page)
        numbered = ((wire.whole(row.get("id")), row) for row in rows)
        return [Place(product, 0, _code(row)) for product, row in numbered if product]

    def combinations(self, filters: Mapping[str, str]) -> list[Place]:
        """All combinations that pass the filters."""
        places = []
        for row in self._all("combinations", "id,id_product,reference", filters):
            combination, product = wire.whole(row.get("id")), wire.whole(row.get("id_product"))
            if combination and product:
                places.append(Place(product, combination, _code(row)))
        return places

    def places(self, codes: Sequence[str]) -> dict[str, list[Place]]:
        """Who holds these codes, by key; more keys than asked for may come."""
        found: list[Place] = []
        for value in wire.code_filters(codes):
            found += self.products({"filter[reference]": value})
            found += self.combinations({"filter[reference]": value})
        return by_key(dict.fromkeys(found))

    def parents(self, products: Iterable[int]) -> set[int]:
        """Which of these products have combinations; asked of the combinations, for stock rows may be left over."""
        filters = ({"filter[id_product]": wire.id_filter(ids)} for ids in _chunks(products))
        return {place.product for each in filters for place in self.combinations(each)}

    def stock_of(self, products: Iterable[int]) -> dict[tuple[int, int], StockRow]:
        """The rows of these products, as `stock` gives them."""
        found: dict[tuple[int, int], StockRow] = {}
        for ids in _chunks(products):
            found |= self.stock({"filter[id_product]": wire.id_filter(ids)})
        return found

    def stock(self, filters: Mapping[str, str]) -> dict[tuple[int, int], StockRow]:
        """The row that counts for each (product, combination): of our shop, else of the group of shops (shop 0)."""
        rows = [row for fields in self._all("stock_availables", _STOCK, filters) if (row := wire.stock_row(fields))]
        ours = [row for row in rows if row.shop in {self.shop_id, 0}]
        ours.sort(key=lambda row: (row.shop == self.shop_id, -row.row))
        return {(row.product, row.combination): row for row in ours}

    def rows(self, ids: Iterable[int]) -> dict[int, StockRow]:
        """Stock rows by their ids; rows that are gone are missing."""
        found = {}
        for some in _chunks(ids):
            query = {"filter[id]": wire.id_filter(some), "display": f"[{_STOCK}]"}
            for fields in self.ask("stock_availables", query):
                if row := wire.stock_row(fields):
                    found[row.row] = row
        return found

    def records(
        self, resource: str, display: str, ids: Iterable[int], size: int = IDS_PER_CALL
    ) -> dict[int, Mapping[str, object]]:
        """Records by their ids with these fields, ``size`` at a time; what is gone is missing."""
        found: dict[int, Mapping[str, object]] = {}
        for some in _chunks(ids, size):
            query = {"filter[id]": wire.id_filter(some), "display": display if display == "full" else f"[{display}]"}
            found |= {number: row for row in self.ask(resource, query) if (number := wire.whole(row.get("id")))}
        return found

    def every(self, resource: str, fields: str, filters: Mapping[str, str] | None = None) -> list[dict[str, object]]:
        """All records that pass the filters, by ascending id, with these fields. Raises `ShopUnavailable`."""
        return self._all(resource, fields, filters or {})

    def hanging(
        self, resource: str, fields: str, owner: str, ids: Iterable[int], size: int = IDS_PER_CALL
    ) -> list[dict[str, object]]:
        """All records that belong to these owners (``owner`` is the field that names them): rows of products, values
        of features, children of categories. Raises `ShopUnavailable`.
        """
        filters = ({f"filter[{owner}]": wire.id_filter(some)} for some in _chunks(ids, size))
        return [row for each in filters for row in self._all(resource, fields, each)]

    def ask(self, resource: str, query: Mapping[str, str]) -> list[dict[str, object]]:
        """Read one list. Raises `ShopUnavailable` for every other answer."""
        answer = self._http.read(resource, params={**query, "output_format": "JSON", **self.context})
        rows = wire.json_list(answer.body, resource) if answer.status == 200 else None
        if rows is None:
            raise not_the_webservice(answer)
        return rows

    def _all(self, resource: str, fields: str, filters: Mapping[str, str]) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = []
        query = {"display": f"[{fields}]", **filters, "sort": "[id_ASC]", "limit": str(ROWS_PER_CALL)}
        while True:
            more = self.ask(resource, query)
            rows += more
            last = max((wire.whole(row.get("id")) or 0 for row in more), default=0)
            if len(more) < ROWS_PER_CALL or f">[{last}]" == query.get("filter[id]"):
                return rows
            query["filter[id]"] = f">[{last}]"


def judge(
    key: str, found: Sequence[Place], parents: set[int], rows: Mapping[tuple[int, int], StockRow]
) -> Held | Rejected:
    """Say where a code is to be written, or why it cannot be; ``rows`` is what `Lists.stock` gives."""
    if len(found) > 1:
        return doubled(", ".join(map(str, found[:5])))
    place = found[0]
    if not place.combination and place.product in parents:
        return Rejected(
            f"The product {place.product} has variants; its own quantity is only their sum.",
            "Give each combination its own reference in PrestaShop, equal to the code of its card in POHODA.",
        )
    row = rows.get((place.product, place.combination))
    if row is None:
        return Rejected(
            f"The {place} has no stock row in the configured shop of this PrestaShop.",
            "Assign the product to that shop in PrestaShop, or correct shop_id.",
        )
    return Held(key, place.code, str(Link(row.row, place.product, place.combination)), row.quantity)


def doubled(where: str) -> Rejected:
    """Refuse a code that several products or combinations bear."""
    hint = "Make the reference unique in PrestaShop, also across combinations and products that are switched off."
    return Rejected(f"The shop holds this code more than once: {where}.", hint)


def by_key(places: Iterable[Place]) -> dict[str, list[Place]]:
    """Group by key; what has no code is left out."""
    grouped: dict[str, list[Place]] = {}
    for place in places:
        if place.code:
            grouped.setdefault(key_of(place.code), []).append(place)
    return grouped


def not_the_webservice(answer: Answer) -> ShopUnavailable:
    """Make the error for an answer that the webservice does not give."""
    return ShopUnavailable(
        f"The shop answers HTTP {answer.status}, but not as PrestaShop's webservice does.",
        hint="Is the shop under maintenance, is the webservice switched on, is [shop] url the shop's main address?",
    )


def _code(row: Mapping[str, object]) -> str:
    return str(row.get("reference") or "").strip()


def _chunks(ids: Iterable[int], size: int = IDS_PER_CALL) -> list[list[int]]:
    ordered = sorted(set(ids))
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]
