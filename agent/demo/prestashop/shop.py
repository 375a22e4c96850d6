"""`FakePrestaShop`: a PrestaShop 9 webservice to start inside a test, a benchmark or the demo.

with FakePrestaShop() as shop:
    shop.add_product("SKU-1", 10, "Hammer")
    ...  # talk to shop.url with shop.key
    assert shop.quantity_of("SKU-1") == 7
"""

from __future__ import annotations

import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from agent.demo.prestashop import catalogue, categories, goods, orders
from agent.demo.prestashop.buying import Orders
from agent.demo.prestashop.faults import Faults
from agent.demo.prestashop.ledger import Creation, Ledger, StateChange, Upload, Write
from agent.demo.prestashop.resources import RESOURCES
from agent.demo.prestashop.server import Server
from agent.demo.prestashop.settings import beginning
from agent.demo.prestashop.store import Store
from agent.demo.prestashop.things import Things
from agent.demo.prestashop.webservice import ALL, KEY_LENGTH, READ_ONLY, Request, Webservice

DEMO_KEY = "DEMO" * 8
"""A key of the right length (32) that opens nothing but the fake."""
Outage = Literal["", "503", "close", "refuse"]


class FakePrestaShop:
    """One fake shop. What it holds survives `stop` and a new `start`, on the same port."""

    def __init__(
        self,
        *,
        key: str = DEMO_KEY,
        read_only_key: str | None = None,
        port: int = 0,
        languages: tuple[int, ...] = (1, 2),
        public_url: str | None = None,
        shop_name: str = "Demo",
        ledger: Path | None = None,
        on_write: Callable[[str, int, float], None] | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        """``public_url``: where links in answers point to (default: the fake's own address). ``ledger``: a file."""
        if len(key) != KEY_LENGTH or len(read_only_key or key) != KEY_LENGTH:
            raise ValueError(f"a key of PrestaShop has {KEY_LENGTH} characters")
        self.key = key
        self.latency = 0.0
        """Seconds added to every request, outside of any lock."""
        self.faults = Faults()
        self.stopping = threading.Event()
        self.internal_errors: list[str] = []
        """Tracebacks of bugs of the fake itself; must stay empty."""
        self.store = Store(RESOURCES, catalogue.RULES, languages=languages)
        self.store.clock = clock or self.store.clock
        self._ledger = Ledger(ledger, on_write)
        self.store.on_quantity = self._ledger.record
        self.store.on_created = self._created
        self.store.on_upload = self._ledger.record_upload
        self.store.on_state = self._ledger.record_state
        self.things = Things(self.store)
        """Categories, features, manufacturers, suppliers: put in by hand, read, and counted."""
        self.orders = Orders(self.store)
        """Customers' orders: placed, and read."""
        begun = {"categories": categories.beginning(languages), **beginning(languages), **orders.beginning(languages)}
        for resource, rows in begun.items():
            for row, values in rows.items():
                self.store.seed(resource, row, values)
        keys = {key: {"*": ALL}}
        if read_only_key is not None:
            keys[read_only_key] = {"*": READ_ONLY}
        self.webservice = Webservice(self.store, keys, shop_name=shop_name)
        self._public_url = public_url
        self._port = port
        self._server: Server | None = None
        self._thread: threading.Thread | None = None
        self._outage: Outage = ""
        self._refusing = False
        self._requests: Counter[tuple[str, str]] = Counter()
        self._count_lock = threading.Lock()
        self._timers: set[threading.Timer] = set()

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``, after `start`; ``/api`` comes behind it."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> str:
        """Listen; returns the address."""
        if self._server is None:
            self.stopping.clear()
            self._server = Server(("127.0.0.1", self._port), self)
            self._port = self._server.server_address[1]
            self.webservice.url = f"{self._public_url or self.url}/api"
            self._thread = threading.Thread(
                target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="fake-prestashop", daemon=True
            )
            self._thread.start()
        return self.url

    def stop(self) -> None:
        """Stop listening, end all connections, and give up late writes that are still to come."""
        self.stopping.set()
        self._refusing = False
        with self._count_lock:
            timers, self._timers = self._timers, set()
        for timer in timers:
            timer.cancel()
        self._close_listener()
        self._ledger.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # -- what is in the shop ------------------------------------------------------------------------------------------

    def add_product(
        self,
        reference: str,
        quantity: int = 0,
        name: str = "",
        combinations: Sequence[tuple[str, int]] = (),
        *,
        price: str = "0.000000",
    ) -> int:
        """Put a product on offer; with combinations its quantity is their sum. Returns its id."""
        with self.store.lock:
            return goods.add_product(
                self.store, reference, quantity, name=name or reference, price=price, combinations=combinations
            )

    def add_products(self, products: Iterable[tuple[str, int]]) -> list[int]:
        """Put many simple products on offer: code and quantity. 50,000 take about half a second."""
        with self.store.lock:
            return [self.add_product(reference, quantity) for reference, quantity in products]

    def quantity_of(self, reference: str) -> int:
        """The quantity that the shop holds for a code; of a code that it has twice, the first one's. `KeyError`."""
        with self.store.lock:
            rows = catalogue.stock_rows_by_reference(self.store, reference)
            if not rows:
                raise KeyError(reference)
            return catalogue.quantity_of(self.store, rows[0])

    def quantities(self) -> dict[str, int]:
        """Quantities of everything that can be bought: combinations, and products without any."""
        with self.store.lock:
            with_combinations = {row.get("id_product") for row in self.store.tables["combinations"].rows.values()}
            return {
                catalogue.reference_of(self.store, row_id): catalogue.quantity_of(self.store, row_id)
                for row_id, row in self.store.tables["stock_availables"].rows.items()
                if row.get("id_product_attribute") or row.get("id_product") not in with_combinations
            }

    def sell(self, reference: str, pieces: int = 1) -> int:
        """Let a customer buy: lowers the quantity (below 0, too) and returns the new one. No entry in the ledger."""
        with self.store.lock:
            rows = catalogue.stock_rows_by_reference(self.store, reference)
            if not rows:
                raise KeyError(reference)
            left = catalogue.quantity_of(self.store, rows[0]) - pieces
            catalogue.set_quantity(self.store, rows[0], left)
            return left

    # -- what happened ------------------------------------------------------------------------------------------------

    def writes(self) -> list[Write]:
        """Every accepted write of a quantity by a client, in the order in which they took effect."""
        return self._ledger.writes()

    def creations(self) -> list[Creation]:
        """Every record that a client created, products among them, in order."""
        return self._ledger.creations()

    def uploads(self) -> list[Upload]:
        """Every picture that a client uploaded, in order; a refused one is none."""
        return self._ledger.uploads()

    def state_changes(self) -> list[StateChange]:
        """Every state that a client brought an order into, in order: each may have been a mail to the customer."""
        return self._ledger.state_changes()

    @property
    def requests(self) -> dict[tuple[str, str], int]:
        """How many requests came, by method and resource, faults and outages included."""
        with self._count_lock:
            return dict(self._requests)

    @property
    def late_writes(self) -> int:
        """How many late writes are still to be applied."""
        with self._count_lock:
            return len(self._timers)

    # -- bad days -----------------------------------------------------------------------------------------------------

    @property
    def down(self) -> bool:
        """Tell whether the shop is out of order, for reads and writes."""
        return self.outage() != ""

    @down.setter
    def down(self, how: bool | Outage) -> None:
        """Break the shop: True or ``503`` answers 503, ``close`` hangs up, ``refuse`` does not listen. False mends."""
        self._outage = how if isinstance(how, str) else "503" if how else ""
        if self._outage == "refuse":
            self._refusing = self._refusing or self._server is not None
            self._close_listener()
        elif self._refusing:
            self._refusing = False
            self.start()

    def outage(self) -> str:
        """How the shop is down now; empty when it is not."""
        return self._outage or ("503" if self.faults.is_down() else "")

    # -- what the server calls ----------------------------------------------------------------------------------------

    def count(self, request: Request) -> None:
        """Count a request."""
        path = request.path
        with self._count_lock:
            self._requests[request.method, path[0] if path else ""] += 1

    def later(self, seconds: float, work: Callable[[], object]) -> None:
        """Run something later, unless the shop stops before."""

        def run() -> None:
            try:
                work()
            except Exception:  # nobody else would see it in this thread
                self.crashed(traceback.format_exc())
            finally:
                with self._count_lock:
                    self._timers.discard(timer)

        timer = threading.Timer(seconds, run)
        timer.daemon = True
        with self._count_lock:
            self._timers.add(timer)
        timer.start()

    def crashed(self, text: str) -> None:
        """Remember a bug of the fake."""
        self.internal_errors.append(text)

    def _created(self, resource: str, row: int) -> None:
        reference = self.store.tables[resource].rows[row].get("reference")
        self._ledger.record_creation(resource, row, str(reference or self.things.name_of(resource, row)))

    def _close_listener(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        server.shutdown()
        server.server_close()
        server.hang_up()
        if self._thread is not None:
            self._thread.join(5)
