"""Every claim of the contract against every shop kind: PrestaShop (our fake) and Vendure (a real server).

To let a kind join: write its `World`, and add it to `WORLDS`.
"""

from __future__ import annotations

import base64
import contextlib
import sqlite3
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.demo.prestashop import FakePrestaShop, catalogue
from agent.shops import Shop
from agent.shops.prestashop import PrestaShop
from agent.shops.vendure import VendureShop
from tests.contract import bad_days, suite
from tests.contract.world import World
from tests.e2e.vendure import PASSWORD, USER, RealVendure, running_vendure
from tests.fault_server import FaultProxy


class PrestaShopWorld:
    """The fake of PrestaShop 9.1.4, which is held against recordings of the real one."""

    smallest = -(2**31)
    unknown_link = "999999:999999:0"

    def __init__(self, fake: FakePrestaShop, proxy: FaultProxy) -> None:
        self.fake = fake
        self.proxy = proxy
        self.secret = fake.key

    def shop(self, *, timeout: float = 5.0, secret: str | None = None) -> Shop:
        return PrestaShop(self.proxy.url, key=secret or self.secret, timeout=timeout)

    def add(self, *things: tuple[str, int]) -> None:
        self.fake.add_products(things)

    def remove(self, code: str) -> None:
        (row,) = catalogue.stock_rows_by_reference(self.fake.store, code)
        product = self.fake.store.tables["stock_availables"].rows[row]["id_product"]
        request = urllib.request.Request(f"{self.fake.url}/api/products/{product}", method="DELETE")
        request.add_header("authorization", "Basic " + base64.b64encode(f"{self.secret}:".encode()).decode())
        with urllib.request.urlopen(request, timeout=10) as said:
            assert said.status == 200

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


class VendureWorld:
    """A real Vendure 3.7.3; read through its database file, written apart from the adapter through its own API."""

    smallest = 0  # a negative stockOnHand is refused
    unknown_link = "999999"
    secret = PASSWORD

    def __init__(self, server: RealVendure, proxy: FaultProxy) -> None:
        self.server = server
        self.proxy = proxy

    def shop(self, *, timeout: float = 5.0, secret: str | None = None) -> Shop:
        return VendureShop(self.proxy.url, user=USER, password=secret or PASSWORD, timeout=timeout)

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


@contextlib.contextmanager
def prestashop_world(_: Path) -> Iterator[World]:
    with (
        FakePrestaShop(key="PRESTA-K3Y-" + "x" * 21) as fake,
        FaultProxy(int(fake.url.rpartition(":")[2]), lambda request: request.startswith(b"PATCH ")) as proxy,
    ):
        yield PrestaShopWorld(fake, proxy)
        assert fake.internal_errors == []


@contextlib.contextmanager
def vendure_world(folder: Path) -> Iterator[World]:
    def writes(request: bytes) -> bool:
        return b"updateProductVariants" in request and b'"i":[]' not in request

    with running_vendure(folder / "shop") as server, FaultProxy(server.port, writes) as proxy:
        yield VendureWorld(server, proxy)


WORLDS: dict[str, Callable[[Path], contextlib.AbstractContextManager[World]]] = {
    "prestashop": prestashop_world,
    "vendure": vendure_world,
}

pytestmark = pytest.mark.timeout(600)  # the first run on a machine installs Vendure


@pytest.fixture(scope="module", params=list(WORLDS))
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with WORLDS[request.param](tmp_path_factory.mktemp(request.param)) as world:
        yield world


@pytest.fixture
def world(running: World) -> Iterator[World]:
    yield running
    running.proxy.clear()


for _module in (suite, bad_days):
    _claims = {name: claim for name, claim in vars(_module).items() if name.startswith("claim_")}
    globals().update({f"test_{name.removeprefix('claim_')}": claim for name, claim in _claims.items()})
