"""PrestaShop in the contract: the fake of 9.1.4, which is held against recordings of the real one."""

from __future__ import annotations

import base64
import contextlib
import urllib.request
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

from agent.demo.prestashop import FakePrestaShop, catalogue
from agent.demo.prestashop.store import Row
from agent.events import Value
from agent.shops import Shop
from agent.shops.prestashop import PrestaShop
from agent.shops.prestashop_fields import FIELDS, MARKS
from tests.contract.world import Seen, SeenPicture, World
from tests.fault_server import FaultProxy

ENGLISH, CZECH = 1, 2


class PrestaShopWorld:
    """The fake of PrestaShop 9.1.4, which is held against recordings of the real one."""

    smallest = -(2**31)
    unknown_link = "999999:999999:0"
    fields = FIELDS
    vat_rates = ("21", "12")
    marks = tuple(sorted(MARKS))

    def __init__(self, fake: FakePrestaShop, proxy: FaultProxy) -> None:
        self.fake = fake
        self.proxy = proxy
        self.secret = fake.key

    def shop(
        self, *, timeout: float = 5.0, secret: str | None = None, pictures: Callable[[str], bytes] | None = None
    ) -> Shop:
        return PrestaShop(
            self.proxy.url,
            key=secret or self.secret,
            timeout=timeout,
            targets=PrestaShop.targets,
            pictures=pictures,
        )

    def add(self, *things: tuple[str, int]) -> None:
        self.fake.add_products(things)

    def remove(self, code: str) -> None:
        (row,) = catalogue.stock_rows_by_reference(self.fake.store, code)
        product = self.fake.store.tables["stock_availables"].rows[row]["id_product"]
        request = urllib.request.Request(f"{self.fake.url}/api/products/{product}", method="DELETE")
        request.add_header("authorization", "Basic " + base64.b64encode(f"{self.secret}:".encode()).decode())
        with urllib.request.urlopen(request, timeout=10) as said:
            assert said.status == 200

    def seen(self, code: str) -> list[Seen]:
        store = self.fake.store
        with store.lock:
            table = store.tables["products"]
            return [self._seen(table.rows[row], row) for row in table.find("reference", code)]

    def _seen(self, row: Row, product: int) -> Seen:
        def text(name: str, language: int = CZECH) -> str:
            kept = row.get(name)
            return str(kept.get(language) or "") if isinstance(kept, dict) else ""

        group = row.get("id_tax_rules_group", 0)
        fields: dict[str, Value] = {
            "name": text("name"),
            "description": text("description"),
            "short_description": text("description_short"),
            "availability": text("available_now"),
            "ean": str(row.get("ean13", "")),
            "unit": str(row.get("unity", "")),
            "weight": f"{Decimal(str(row.get('weight', 0))).normalize():f}",
            "vat": {1: "21", 2: "12"}.get(int(str(group)), "0"),
            "marks": ["action"] if row.get("on_sale") == "1" else [],
            "visible": row.get("active") == "1",
        }
        pictures = sorted(self.fake.store.shelf.of(product), key=lambda one: not one.cover)  # as customers see them
        return Seen(
            fields,
            f"{Decimal(str(row['price'])).normalize():f}",
            tuple(SeenPicture(str(one.id), None, one.cover) for one in pictures),
            (text("name", ENGLISH),),
        )

    def translate(self, code: str, name: str) -> None:
        table = self.fake.store.tables["products"]
        with self.fake.store.lock:
            for row in table.find("reference", code):
                texts = table.rows[row]["name"]
                assert isinstance(texts, dict)
                table.change(row, {"name": texts | {ENGLISH: name}})

    def add_picture(self, code: str) -> str:
        store = self.fake.store
        with store.lock:
            (product,) = store.tables["products"].find("reference", code)
            made = store.shelf.add(product)
            made.data = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40
            return str(made.id)

    def sell(self, code: str, pieces: int) -> None:
        self.fake.sell(code, pieces)

    def everything(self) -> list[tuple[str, int]]:
        store = self.fake.store
        with store.lock:
            parents = {row["id_product"] for row in store.tables["combinations"].rows.values()}
            return [
                (catalogue.reference_of(store, number), catalogue.quantity_of(store, number))
                for number, row in store.tables["stock_availables"].rows.items()
                if row.get("id_product_attribute") or row["id_product"] not in parents
            ]


@contextlib.contextmanager
def prestashop_world(_: Path) -> Iterator[World]:
    with (
        FakePrestaShop(key="PRESTA-K3Y-" + "x" * 21) as fake,
        FaultProxy(int(fake.url.rpartition(":")[2]), lambda request: not request.startswith(b"GET ")) as proxy,
    ):
        yield PrestaShopWorld(fake, proxy)
        assert fake.internal_errors == []
