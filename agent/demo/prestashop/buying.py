"""Customers' orders: placing them without a request, and reading what became of them.

From the shop's public source: an order takes its pieces from the stock at once, unless it begins in a state that the
shop calls cancelled or failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from agent.demo.prestashop import order_states
from agent.demo.prestashop.orders import PAID
from agent.demo.prestashop.quantity import quantity_of, set_quantity, stock_rows_by_reference
from agent.demo.prestashop.schema import whole
from agent.demo.prestashop.store import Row, Store

_VAT = Decimal("1.21")
_LETTERS = 26
_LENGTH = 9
_STRIDE = 3_141_592_653_587  # has no divisor in common with 26: every order has another reference


class Orders:
    """The customers of the shop, and the judge's eye on their orders."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def buy(
        self,
        lines: Mapping[str, int],
        *,
        state: int = PAID,
        carrier: int = 1,
        reference: str | None = None,
        placed: str | None = None,
    ) -> str:
        """Place an order: code → pieces. Returns its reference (nine capital letters unless given).

        ``placed``: when, as ``2026-01-31 12:00:00`` in the shop's time. `KeyError`: a code that nobody has, or a
        state that the shop does not have.
        """
        with self._store.lock:
            stock = {code: self._stock_row(code) for code in lines}
            if state not in self._store.tables["order_states"].rows:
                raise KeyError(state)
            order = self._insert_order(state, carrier, reference, placed or self._store.now())
            total = Decimal(0)
            for code, pieces in lines.items():
                total += self._insert_row(order, stock[code], code, pieces)
                if state not in order_states.ends(self._store):
                    set_quantity(self._store, stock[code], quantity_of(self._store, stock[code]) - pieces)
            self._put_sum(order, total)
            return self.reference_of(order)

    def id_of(self, reference: str) -> int:
        """The id of an order; `KeyError`."""
        with self._store.lock:
            found = self._store.tables["orders"].find("reference", reference)
            if not found:
                raise KeyError(reference)
            return found[0]

    def reference_of(self, order: int) -> str:
        """The reference of an order by its id; `KeyError`."""
        with self._store.lock:
            return str(self._store.tables["orders"].rows[order].get("reference", ""))

    def state_of(self, reference: str) -> int:
        """The state in which an order is now; `KeyError`."""
        with self._store.lock:
            return whole(self._store.tables["orders"].rows[self.id_of(reference)].get("current_state", 0))

    def states_of(self, reference: str) -> list[int]:
        """Every state that an order was brought into, in order, the one it was placed in first; `KeyError`.

        Each one but the first may have been a mail to the customer, so a state in it twice is a doubled mail.
        """
        with self._store.lock:
            return order_states.states_of(self._store, self.id_of(reference))

    def histories(self) -> dict[str, list[int]]:
        """`states_of` of every order, by reference."""
        with self._store.lock:
            return {self.reference_of(one): order_states.states_of(self._store, one) for one in self._ids()}

    def doubled(self) -> dict[str, list[int]]:
        """References of the orders that were brought into some state more than once → all their states."""
        return {one: states for one, states in self.histories().items() if len(set(states)) < len(states)}

    def tracking_of(self, reference: str) -> str:
        """The tracking number of an order, empty for none; `KeyError`."""
        return str(self._travel(reference).get("tracking_number", ""))

    def carrier_of(self, reference: str) -> int:
        """The id of the carrier that an order travels with; `KeyError`."""
        return whole(self._travel(reference).get("id_carrier", 0))

    def set_state(self, reference: str, state: int) -> None:
        """Let the owner change a state in the administration: no entry in the ledger. `KeyError`, `CrashError`."""
        with self._store.lock:
            order = self.id_of(reference)
            order_states.change_state(self._store, order, state)
            self._insert_history(order, state, self._store.now())

    def _ids(self) -> list[int]:
        return list(self._store.tables["orders"].ids())

    def _travel(self, reference: str) -> Row:
        with self._store.lock:
            row = order_states.first_carrier(self._store, self.id_of(reference))
            return {} if row is None else dict(self._store.tables["order_carriers"].rows[row])

    def _stock_row(self, code: str) -> int:
        rows = stock_rows_by_reference(self._store, code)
        if not rows:
            raise KeyError(code)
        return rows[0]

    def _insert_order(self, state: int, carrier: int, reference: str | None, placed: str) -> int:
        orders = self._store.tables["orders"]
        number = orders.next_id
        row: Row = {
            "id_currency": 1,
            "id_lang": self._store.languages[-1],
            "id_cart": number,
            "id_customer": 1,
            "id_address_delivery": 1,
            "id_address_invoice": 1,
            "id_carrier": carrier,
            "id_shop": 1,
            "id_shop_group": 1,
            "module": "ps_wirepayment",
            "payment": "Převodem",
            "carrier_tax_rate": "21.000",
            "conversion_rate": "1.000000",
            "secure_key": "0" * 32,
            "round_mode": 2,
            "round_type": 2,
            "date_add": placed,
            "date_upd": placed,
            "reference": reference or _reference(number),
        }
        order = orders.insert(row)
        self._store.tables["order_carriers"].insert({"id_order": order, "id_carrier": carrier, "date_add": placed})
        order_states.change_state(self._store, order, state)
        orders.change(order, {"date_upd": placed})
        self._insert_history(order, state, placed)
        return order

    def _insert_history(self, order: int, state: int, at: str) -> None:
        row: Row = {"id_order": order, "id_order_state": state, "date_add": at}
        self._store.tables["order_histories"].insert(row)

    def _insert_row(self, order: int, stock_row: int, code: str, pieces: int) -> Decimal:
        counted = self._store.tables["stock_availables"].rows[stock_row]
        product = whole(counted.get("id_product", 0))
        offered = self._store.tables["products"].rows[product]
        name, price = offered.get("name"), Decimal(str(offered.get("price", "0")))
        row: Row = {
            "id_order": order,
            "product_id": product,
            "product_attribute_id": whole(counted.get("id_product_attribute", 0)),
            "product_quantity": pieces,
            "product_name": str((name.get(self._store.languages[-1]) if isinstance(name, dict) else name) or ""),
            "product_reference": code,
            "product_ean13": offered.get("ean13", ""),
            "product_price": _six(price),
            "unit_price_tax_excl": _six(price),
            "unit_price_tax_incl": _six(price * _VAT),
            "total_price_tax_excl": _six(price * pieces),
            "total_price_tax_incl": _six(price * _VAT * pieces),
            "id_shop": 1,
        }
        self._store.tables["order_details"].insert(row)
        return price * pieces

    def _put_sum(self, order: int, total: Decimal) -> None:
        orders = self._store.tables["orders"]
        state = whole(orders.rows[order].get("current_state", 0))
        paid = self._store.tables["order_states"].rows[state].get("paid") == "1"
        values: Row = dict.fromkeys(("total_paid", "total_paid_tax_incl", "total_products_wt"), _six(total * _VAT))
        values |= dict.fromkeys(("total_paid_tax_excl", "total_products"), _six(total))
        orders.change(order, values | ({"total_paid_real": _six(total * _VAT)} if paid else {}))


def _six(amount: Decimal) -> str:
    return str(amount.quantize(Decimal("0.000001"), ROUND_HALF_UP))


def _reference(number: int) -> str:
    left, letters = number * _STRIDE % _LETTERS**_LENGTH, ""
    for _ in range(_LENGTH):
        left, letter = divmod(left, _LETTERS)
        letters += chr(ord("A") + letter)
    return letters
