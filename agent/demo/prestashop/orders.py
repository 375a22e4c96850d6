"""Orders, their states, and how they travel: descriptions, and the states that a shop begins with.

Names and order of the fields are those of recorded answers; ``order_carriers`` was not recorded and follows the shop's
public source. What a change of state does, `order_states` says.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.demo.prestashop.order_details import ORDER_DETAILS
from agent.demo.prestashop.schema import (
    Association,
    Cell,
    Field,
    Resource,
    decimal,
    flag,
    moments,
    number,
    text,
    texts,
)

_ID = "isUnsignedId"
_GENERIC = "isGenericName"
_PRICE = "isPrice"
_ROW = ("id", "product_id", "product_attribute_id", "product_quantity")
ROW_TEXTS = ("product_name", "product_reference", "product_ean13", "product_isbn", "product_upc", "product_price")
ROW_PRICES = ("unit_price_tax_incl", "unit_price_tax_excl")

ORDERS = Resource(
    name="orders",
    node="order",
    class_name="Order",
    description="The Customers orders",
    forbidden=frozenset({"POST"}),  # an order begins with a cart, which is none of the fake's: `buying`
    indexed=("reference",),
    fields=(
        number("id_address_delivery", _ID, link="addresses", required=True),
        number("id_address_invoice", _ID, link="addresses", required=True),
        number("id_cart", _ID, link="carts", required=True),
        number("id_currency", _ID, link="currencies", required=True),
        number("id_lang", _ID, link="languages", required=True),
        number("id_customer", _ID, link="customers", required=True),
        number("id_carrier", _ID, link="carriers", required=True),
        number("current_state", _ID, link="order_states"),
        text("module", "isModuleName", 255, required=True),
        number("invoice_number"),
        Field("invoice_date", "moment"),
        number("delivery_number"),
        Field("delivery_date", "moment"),
        Field("valid", "flag"),
        *moments(),
        Field("shipping_number", "text", computed=True),
        text("note", "", 4194303),
        number("id_shop_group", _ID),
        number("id_shop", _ID),
        text("secure_key", "isMd5", 32),
        text("payment", _GENERIC, 255, required=True),
        flag("recyclable"),
        flag("gift"),
        text("gift_message", "isCleanHtml", 4194303),
        flag("mobile_theme"),
        decimal("total_discounts", _PRICE),
        decimal("total_discounts_tax_incl", _PRICE),
        decimal("total_discounts_tax_excl", _PRICE),
        decimal("total_paid", _PRICE, required=True),
        decimal("total_paid_tax_incl", _PRICE),
        decimal("total_paid_tax_excl", _PRICE),
        decimal("total_paid_real", _PRICE, required=True),
        decimal("total_products", _PRICE, required=True),
        decimal("total_products_wt", _PRICE, required=True),
        decimal("total_shipping", _PRICE),
        decimal("total_shipping_tax_incl", _PRICE),
        decimal("total_shipping_tax_excl", _PRICE),
        text("carrier_tax_rate", "isFloat"),
        decimal("total_wrapping", _PRICE),
        decimal("total_wrapping_tax_incl", _PRICE),
        decimal("total_wrapping_tax_excl", _PRICE),
        number("round_mode", _ID),
        number("round_type", _ID),
        decimal("conversion_rate", "isFloat", required=True),
        text("reference", "", 255),
    ),
    associations=(
        Association(
            "order_rows",
            "order_row",
            "",
            {
                **dict.fromkeys((*_ROW, *ROW_TEXTS), ""),
                "product_id": "products",
                "id_customization": "customizations",
                **dict.fromkeys(ROW_PRICES, ""),
            },
            required=frozenset(_ROW[1:]),
            read_only=frozenset((*ROW_TEXTS, *ROW_PRICES)),
            virtual=True,
        ),
    ),
)

ORDER_HISTORIES = Resource(
    name="order_histories",
    node="order_history",
    class_name="OrderHistory",
    description="The Order histories",
    indexed=("id_order",),
    fields=(
        number("id_employee", _ID, link="employees"),
        number("id_order_state", _ID, link="order_states", required=True),
        number("id_order", _ID, link="orders", required=True),
        Field("date_add", "moment", "isDate"),
    ),
)

ORDER_STATES = Resource(
    name="order_states",
    node="order_state",
    class_name="OrderState",
    description="The Order statuses",
    indexed=("module_name",),
    index_order={"": ("module_name",), "module_name": ("module_name",)},
    fields=(
        flag("unremovable"),
        flag("delivery"),
        flag("hidden"),
        flag("send_email"),
        text("module_name", "isModuleName"),
        flag("invoice"),
        text("color", "isColor"),
        flag("logable"),
        flag("shipped"),
        flag("paid"),
        flag("pdf_delivery"),
        flag("pdf_invoice"),
        flag("deleted"),
        texts("name", _GENERIC, 64, required=True),
        texts("template", "isTplName", 64),
    ),
)

ORDER_CARRIERS = Resource(
    name="order_carriers",
    node="order_carrier",
    class_name="OrderCarrier",
    description="The Order carriers",
    indexed=("id_order",),
    fields=(
        number("id_order", _ID, link="orders", required=True),
        number("id_carrier", _ID, link="carriers", required=True),
        number("id_order_invoice", _ID),
        decimal("weight", "isFloat"),
        decimal("shipping_cost_tax_excl", "isFloat"),
        decimal("shipping_cost_tax_incl", "isFloat"),
        text("tracking_number", "isTrackingNumber", 64),
        Field("date_add", "moment", "isDate"),
    ),
)

CARRIERS = Resource(
    name="carriers",
    node="carrier",
    class_name="Carrier",
    description="The Carriers",
    fields=(
        flag("deleted"),
        flag("is_module"),
        number("id_tax_rules_group", link="tax_rule_groups"),
        number("id_reference"),
        text("name", "isCarrierName", 64, required=True),
        flag("active", required=True),
        flag("is_free"),
        text("url", "isAbsoluteUrl"),
        flag("shipping_handling"),
        flag("shipping_external"),
        flag("range_behavior"),
        number("shipping_method", "isUnsignedInt"),
        number("max_width", "isUnsignedInt"),
        number("max_height", "isUnsignedInt"),
        number("max_depth", "isUnsignedInt"),
        decimal("max_weight", "isFloat"),
        number("grade", "isUnsignedInt"),
        text("external_module_name", "", 64),
        flag("need_range"),
        number("position"),
        texts("delay", _GENERIC, 512, required=True),
    ),
)

ORDERING = (ORDERS, ORDER_DETAILS, ORDER_HISTORIES, ORDER_STATES, ORDER_CARRIERS, CARRIERS)

PAID, PREPARED, SHIPPED, DELIVERED, CANCELLED, REFUNDED, FAILED = range(2, 9)
"""Ids of the states of a fresh shop."""
_STATES: Mapping[int, tuple[str, str]] = {  # name, and the flags that are set
    1: ("Čeká se na platbu šekem", "send_email"),
    PAID: ("Platba přijata", "send_email logable paid invoice"),
    PREPARED: ("Připravuje se", "send_email logable paid invoice delivery"),
    SHIPPED: ("Odesláno", "send_email logable paid invoice delivery shipped"),
    DELIVERED: ("Doručeno", "logable paid invoice delivery shipped"),
    CANCELLED: ("Zrušeno", "send_email"),
    REFUNDED: ("Vráceno", "send_email"),
    FAILED: ("Chyba platby", "send_email"),
    9: ("Čeká se na zboží (zaplaceno)", "send_email paid invoice"),
    10: ("Čeká se na platbu převodem", "send_email"),
    11: ("Platba přijata na dálku", "send_email logable paid invoice"),
    12: ("Čeká se na zboží (nezaplaceno)", "send_email"),
    13: ("Čeká se na potvrzení dobírky", ""),
}
_MODULES = {1: "ps_checkpayment", 10: "ps_wirepayment", 13: "ps_cashondelivery"}
CONFIGURED = {
    "PS_OS_CHEQUE": 1,
    "PS_OS_PAYMENT": PAID,
    "PS_OS_PREPARATION": PREPARED,
    "PS_OS_SHIPPING": SHIPPED,
    "PS_OS_DELIVERED": DELIVERED,
    "PS_OS_CANCELED": CANCELLED,
    "PS_OS_REFUND": REFUNDED,
    "PS_OS_ERROR": FAILED,
    "PS_OS_OUTOFSTOCK_PAID": 9,
    "PS_OS_BANKWIRE": 10,
    "PS_OS_WS_PAYMENT": 11,
    "PS_OS_OUTOFSTOCK_UNPAID": 12,
    "PS_OS_COD_VALIDATION": 13,
}
"""Under which names the shop's configuration keeps its own states."""


def beginning(languages: tuple[int, ...]) -> Mapping[str, Mapping[int, Mapping[str, Cell]]]:
    """States and carriers of a fresh shop; flags, sending and modules of the states as recorded."""

    def texts_of(name: str) -> Cell:
        return dict.fromkeys(languages, name)

    return {
        "order_states": {
            state: {
                "unremovable": "1",
                "module_name": _MODULES.get(state, ""),
                "name": texts_of(name),
                **dict.fromkeys(flags.split(), "1"),
            }
            for state, (name, flags) in _STATES.items()
        },
        "carriers": {
            1: {"id_reference": 1, "name": "Osobní odběr", "active": "1", "is_free": "1", "delay": texts_of("Dnes")},
            2: {"id_reference": 2, "name": "Česká pošta", "active": "1", "delay": texts_of("2 dny")},
        },
    }
