"""Vendure in the contract: a real server (`tests/e2e/vendure`), read through its database file."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from agent.events import Value, key_of
from agent.shops import Shop
from agent.shops.vendure import VendureShop, no_pictures
from tests.contract import vendure_owner as owner
from tests.contract.world import Seen, SeenCategory, SeenFirms, SeenPicture, World
from tests.e2e.vendure import PASSWORD, USER, RealVendure, running_vendure
from tests.e2e.vendure_customer import Customers
from tests.fault_server import FaultProxy

NAMED = frozenset(
    {"categories", "categories.products", "parameters.terms", "parameters", "suppliers.firms", "suppliers"}
)
ALL = frozenset({"quantities", "products", "prices", "images", "order_states"}) | NAMED
_PIXEL = bytes.fromhex(  # a PNG of one pixel
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001"
    "a5f645400000000049454e44ae426082"
)
_ASSET = "id name"
_SEEN = f"""query($o: ProductVariantListOptions) {{ productVariants(options: $o) {{ items {{
  sku enabled prices {{ currencyCode price }} taxCategory {{ name }} customFields {{ ean unit weight marks }}
  translations {{ languageCode name customFields {{ availability }} }}
  product {{ id enabled translations {{ languageCode name slug description customFields {{ shortDescription }} }}
  assets {{ {_ASSET} translations {{ languageCode name }} }} featuredAsset {{ id }} }} }} }} }}"""


class VendureWorld:
    """A real Vendure 3.7.3; read through its database file, written apart from the adapter through its own API."""

    smallest = 0  # a negative stockOnHand is refused
    fields = frozenset(
        {
            "name",
            "description",
            "short_description",
            "ean",
            "unit",
            "weight",
            "vat",
            "availability",
            "marks",
            "visible",
        }
    )
    vat_rates = ("21", "12")
    marks = ("action", "clearance", "discount", "new", "preparing", "recommended")
    unknown_link = "999999"
    secret = PASSWORD
    keeps_order = True
    keeps_main = False  # Vendure knows no main category
    keeps_codes = False  # a facet value of a variant says a name, and nothing else
    remembers_categories = True  # by the facet value of the category, which outlives the collection
    refused: Mapping[str, tuple[str, ...]] = {}
    begun, partly, sent = "PaymentSettled", "PartiallyShipped", "Shipped"
    delivered, cancelled = "Delivered", "Cancelled"

    def __init__(self, server: RealVendure, proxy: FaultProxy) -> None:
        self.server = server
        self.proxy = proxy
        self._customers = Customers(server)

    def shop(
        self,
        *,
        timeout: float = 5.0,
        secret: str | None = None,
        pictures: Callable[[str], bytes] | None = None,
        root: str = "",
    ) -> Shop:
        return VendureShop(
            self.proxy.url,
            user=USER,
            password=secret or PASSWORD,
            timeout=timeout,
            targets=ALL,
            price_form="net",
            creates=True,
            product_fields=self.fields,
            pictures=pictures or no_pictures,
            root=root,
            firms=True,
        )

    def add(self, *things: tuple[str, int]) -> None:
        self.server.create_products([code for code, _ in things])
        ids = {code: number for number, code, _ in self._rows()}
        self._write(*((ids[code], quantity) for code, quantity in things))

    def remove(self, code: str) -> None:
        (number,) = (number for number, sku, _ in self._rows() if sku == code)
        self.server.graphql("mutation($id: ID!) { deleteProductVariant(id: $id) { result } }", {"id": str(number)})

    def sell(self, code: str, pieces: int) -> None:
        ((number, held),) = ((number, held) for number, sku, held in self._rows() if sku == code)
        self._write((number, held - pieces))

    def everything(self) -> list[tuple[str, int]]:
        return [(sku, held) for _, sku, held in self._rows()]

    def seen(self, code: str) -> list[Seen]:
        """The configured language is the channel's: English."""
        question = {"filter": {"sku": {"contains": code}}, "take": 100}
        items = self.server.graphql(_SEEN, {"o": question})["productVariants"]["items"]
        return [_seen(item) for item in items if key_of(item["sku"]) == key_of(code)]

    def translate(self, code: str, name: str) -> None:
        product = self._product(code)
        czech = {"languageCode": "cs", "name": name, "slug": f"cs-{product['id']}", "description": f"<p>{name}</p>"}
        change = "mutation($p: UpdateProductInput!) { updateProduct(input: $p) { id } }"
        self.server.graphql(change, {"p": {"id": product["id"], "translations": [czech]}})

    def add_picture(self, code: str) -> str:
        product = self._product(code)
        added = self.server.upload("clovek.png", _PIXEL)
        before = [asset["id"] for asset in product["assets"]]
        featured = (product["featuredAsset"] or {}).get("id") or added
        change = "mutation($p: UpdateProductInput!) { updateProduct(input: $p) { id } }"
        parts = {"id": product["id"], "assetIds": [*before, added], "featuredAssetId": featured}
        self.server.graphql(change, {"p": parts})
        return added

    # -- categories ---------------------------------------------------------------------------------------------------

    def home(self) -> str:
        rows = self._select("SELECT id FROM collection WHERE isRoot = 1")
        return str(rows[0][0]) if rows else ""

    def categories(self) -> dict[str, SeenCategory]:
        return owner.categories(self.server)

    def children(self, category: str) -> list[str]:
        return owner.children(self.server, category)

    def category_in(self, link: str) -> str:
        return re.split("[:#]", link)[0]

    def link_to_category(self, category: str) -> str:
        return f"{category}:"

    def add_category(self, name: str, parent: str = "", *, visible: bool = True) -> str:
        return owner.add_collection(self.server, name, parent, visible=visible)

    def rename_category(self, category: str, name: str) -> None:
        owner.change_collection(self.server, category, translations=[{"languageCode": owner.LANGUAGE, "name": name}])

    def translate_category(self, category: str, name: str) -> None:
        czech = {"languageCode": "cs", "name": name, "slug": f"cs-{category}", "description": ""}
        owner.change_collection(self.server, category, translations=[czech])

    def translation_of(self, category: str) -> str:
        texts = owner.collections(self.server)[category]["translations"]
        return next((str(text["name"]) for text in texts if text["languageCode"] == "cs"), "")

    def move_category(self, category: str, parent: str) -> None:
        owner.move_collection(self.server, category, parent)

    def remove_category(self, category: str) -> None:
        owner.remove_collection(self.server, category)

    def categories_of(self, code: str) -> set[str]:
        return owner.showing(self.server, code)

    def main_of(self, code: str) -> str:
        assert owner.variant(self.server, code)
        return ""

    def put_into(self, code: str, category: str) -> None:
        owner.add_filter(self.server, category, code)

    # -- parameters, firms --------------------------------------------------------------------------------------------

    def terms(self) -> list[tuple[str, str]]:
        return owner.terms(self.server)

    def add_term(self, parameter: str, value: str = "") -> None:
        if value:
            owner.add_value(self.server, owner.term(self.server, parameter), value)
        else:
            owner.add_facet(self.server, parameter)

    def rename_term(self, parameter: str, value: str, name: str) -> None:
        rename = owner.rename_value if value else owner.rename_facet
        rename(self.server, owner.term(self.server, parameter, value), name)

    def remove_term(self, parameter: str, value: str = "") -> None:
        remove = owner.remove_value if value else owner.remove_facet
        remove(self.server, owner.term(self.server, parameter, value))

    def parameters_of(self, code: str) -> dict[str, list[str]]:
        return owner.parameters_of(self.server, code)

    def give_parameter(self, code: str, parameter: str, value: str) -> None:
        owner.give(self.server, code, owner.term(self.server, parameter, value))

    def firms(self) -> list[tuple[str, str]]:
        return owner.firms(self.server)

    def add_firm(self, kind: str, name: str) -> None:
        owner.add_firm(self.server, kind, name)

    def rename_firm(self, kind: str, name: str, new: str) -> None:
        owner.rename_value(self.server, owner.firm(self.server, kind, name), new)

    def remove_firm(self, kind: str, name: str) -> None:
        owner.remove_value(self.server, owner.firm(self.server, kind, name))

    def firms_of(self, code: str) -> SeenFirms:
        return owner.firms_of(self.server, code)

    def give_firm(self, code: str, kind: str, name: str) -> None:
        owner.give(self.server, code, owner.firm(self.server, kind, name))

    # -- orders -------------------------------------------------------------------------------------------------------

    def buy(self, lines: Mapping[str, int]) -> str:
        return self._customers.order(lines)

    def bring(self, number: str, state: str) -> None:
        owner.bring(self.server, number, state)

    def state_of(self, number: str) -> str:
        return str(owner.order(self.server, number)["state"])

    def states_of(self, number: str) -> list[str]:
        return owner.states_of(self.server, number)

    def tracking_of(self, number: str) -> str:
        return owner.tracking_of(self.server, number)

    def saleable(self, code: str) -> int:
        sql = (
            "SELECT s.stockOnHand - s.stockAllocated FROM product_variant v JOIN stock_level s"
            " ON s.productVariantId = v.id WHERE v.deletedAt IS NULL AND v.sku = ?"
        )
        ((left,),) = self._select(sql, code)
        return int(left)

    # -- products -----------------------------------------------------------------------------------------------------

    def _product(self, code: str) -> dict[str, Any]:
        items = self.server.graphql(_SEEN, {"o": {"filter": {"sku": {"eq": code}}}})["productVariants"]["items"]
        product: dict[str, Any] = items[0]["product"]
        return product

    def _rows(self) -> list[tuple[int, str, int]]:
        query = (
            "SELECT v.id, v.sku, s.stockOnHand FROM product_variant v JOIN stock_level s ON s.productVariantId = v.id"
            " WHERE v.deletedAt IS NULL AND s.stockLocationId = 1"
        )
        return self._select(query)

    def _select(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        uri = f"{(self.server.folder / 'shop.sqlite').absolute().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=10)) as database:
            return database.execute(query, values).fetchall()

    def _write(self, *quantities: tuple[int, int]) -> None:
        rows: list[dict[str, Any]] = [
            {"id": str(number), "stockLevels": [{"stockLocationId": "1", "stockOnHand": held}]}
            for number, held in quantities
        ]
        document = "mutation($i: [UpdateProductVariantInput!]!) { updateProductVariants(input: $i) { id } }"
        self.server.graphql(document, {"i": rows})


def _seen(item: dict[str, Any]) -> Seen:
    product = item["product"]
    mine, texts = ({t["languageCode"]: t for t in holder["translations"]} for holder in (item, product))
    own = item["customFields"]
    names = {str((mine.get("en") or {}).get("name")), str((texts.get("en") or {}).get("name"))}
    fields: dict[str, Value] = {
        "name": " / ".join(sorted(names)),
        "description": texts["en"]["description"],
        "short_description": texts["en"]["customFields"]["shortDescription"] or "",
        "ean": own["ean"] or "",
        "unit": own["unit"] or "",
        "weight": f"{own['weight'] or 0:g}",
        "vat": {"Standard": "21", "Reduced": "12"}[item["taxCategory"]["name"]],
        "availability": mine["en"]["customFields"]["availability"] or "",
        "marks": list(own["marks"] or []),
        "visible": item["enabled"] and product["enabled"],
    }
    featured = (product["featuredAsset"] or {}).get("id")
    pictures = tuple(SeenPicture(asset["id"], _alt(asset), asset["id"] == featured) for asset in product["assets"])
    (price,) = (each["price"] for each in item["prices"])
    other = tuple(text["name"] for language, text in texts.items() if language != "en")
    amount = f"{price // 100}.{price % 100:02}".rstrip("0").rstrip(".")
    return Seen(fields=fields, price=amount, pictures=pictures, other_names=other)


def _alt(asset: dict[str, Any]) -> str:
    """The alternative text is the name; the name of the file, which tells whose bytes it holds, is none."""
    name = next((t["name"] for t in asset["translations"] if t["languageCode"] == "en"), asset["name"])
    return "" if re.search("-ph[0-9]+-[0-9a-f]{64}", name) else str(name)


@contextlib.contextmanager
def vendure_world(folder: Path) -> Iterator[World]:
    def writes(request: bytes) -> bool:
        return b"mutation" in request and b"login(" not in request and b'"i":[]' not in request

    with running_vendure(folder / "shop") as server, FaultProxy(server.port, writes) as proxy:
        yield VendureWorld(server, proxy)
