"""Vendure in the contract: a real server (`tests/e2e/vendure`), read through its database file."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from agent.events import Value, key_of
from agent.shops import Shop
from agent.shops.vendure import VendureShop, no_pictures
from tests.contract.world import Seen, SeenPicture, World
from tests.e2e.vendure import PASSWORD, USER, RealVendure, running_vendure
from tests.fault_server import FaultProxy

ALL = frozenset({"quantities", "products", "prices", "images"})
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

    def __init__(self, server: RealVendure, proxy: FaultProxy) -> None:
        self.server = server
        self.proxy = proxy

    def shop(
        self,
        *,
        timeout: float = 5.0,
        secret: str | None = None,
        pictures: Callable[[str], bytes] | None = None,
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

    def _product(self, code: str) -> dict[str, Any]:
        items = self.server.graphql(_SEEN, {"o": {"filter": {"sku": {"eq": code}}}})["productVariants"]["items"]
        product: dict[str, Any] = items[0]["product"]
        return product

    def _rows(self) -> list[tuple[int, str, int]]:
        query = (
            "SELECT v.id, v.sku, s.stockOnHand FROM product_variant v JOIN stock_level s ON s.productVariantId = v.id"
            " WHERE v.deletedAt IS NULL AND s.stockLocationId = 1"
        )
        uri = f"{(self.server.folder / 'shop.sqlite').absolute().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=10)) as database:
            return database.execute(query).fetchall()

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
