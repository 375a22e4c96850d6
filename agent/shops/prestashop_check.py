"""What ``check`` says of a PrestaShop: version, rights of the key for the enabled targets, languages, rates of VAT."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Set

from agent.errors import ShopUnavailable
from agent.shops import Finding
from agent.shops import prestashop_xml as wire
from agent.shops.http import ShopHttp
from agent.shops.prestashop_fields import FIELDS, MARKS
from agent.shops.prestashop_lists import Lists, not_the_webservice
from agent.shops.prestashop_orders import DETAILS, TRACKING
from agent.shops.prestashop_orders import NEEDED as ORDERS
from agent.shops.prestashop_setup import Setup

_FIND = (("products", "get"), ("combinations", "get"), ("stock_availables", "get"))
_CHANGE = (("products", "patch"), ("combinations", "patch"))


def _whole(name: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, method) for method in ("get", "post", "patch", "delete"))


NEEDED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "quantities": (*_FIND, ("stock_availables", "patch")),
    "products": (
        *_FIND,
        *_CHANGE,
        *((name, "get") for name in ("languages", "countries", "taxes", "tax_rules", "tax_rule_groups")),
    ),
    "prices": (*_FIND, *_CHANGE),
    "images": (*_FIND, ("products", "patch"), ("images", "get"), ("images", "post"), ("images", "delete")),
    "categories": (
        *_FIND,
        *_whole("categories"),
        ("products", "patch"),
        ("languages", "get"),
        ("shops", "get"),
        *(("images", method) for method in ("get", "post", "delete")),
    ),
    "parameters": (
        *_FIND,
        ("products", "patch"),
        ("languages", "get"),
        *((name, method) for name in ("product_features", "product_feature_values") for method in ("get", "post")),
    ),
    "suppliers": (
        *_FIND,
        ("products", "patch"),
        *((name, method) for name in ("manufacturers", "suppliers") for method in ("get", "post")),
        *_whole("product_suppliers"),
        ("currencies", "get"),
    ),
    "order_states": (*ORDERS, *DETAILS),
    "tracking": TRACKING,
}
"""Resource and method that each target needs; ``tracking`` stands for numbers of parcels."""
CREATING = (("products", "post"), ("shops", "get"))
_WHERE = "in PrestaShop under Advanced parameters, Webservice, at this key"
_CZECH = ("21", "12")


def check(http: ShopHttp, lists: Lists, setup: Setup, targets: Set[str], short: Callable[[str], str]) -> list[Finding]:
    """Examine the set-up. Never raises for the shop's sake.

    Plain http is no finding: the configuration allows it on this machine only, where it harms nobody.
    """
    findings: list[Finding] = []
    started = time.monotonic()
    try:
        answer = http.read("")
        root = wire.parse(answer.body)
        rights = None if root is None or answer.status != 200 else wire.rights(root)
        if rights is None:
            raise not_the_webservice(answer)
        took = (time.monotonic() - started) * 1000
        version = short(answer.headers.get("psws-version", ""))
        findings.append(Finding("ok", "shop", f"PrestaShop {version or '(version unknown)'} answers in {took:.0f} ms."))
        findings += _rights(rights, targets)
        findings += _shop_id(lists)
        if "products" in targets:
            findings += _products(setup, targets, short)
    except ShopUnavailable as error:
        findings.append(Finding("error", "shop", short(str(error)), error.hint))
    return findings


def _shop_id(lists: Lists) -> list[Finding]:
    rows = lists.ask("stock_availables", {"display": "[id,id_shop]", "limit": "1"})
    shops = sorted({number for row in rows if (number := wire.whole(row.get("id_shop"))) is not None})
    if not shops or set(shops) & {0, lists.shop_id}:
        return []
    text = f"The stock rows belong to shop {shops[0]}, the configuration says {lists.shop_id}."
    return [Finding("error", "shop_id", text, f"Set shop_id = {shops[0]}, or the number of the shop that is meant.")]


def _products(setup: Setup, targets: Set[str], short: Callable[[str], str]) -> list[Finding]:
    findings = []
    try:
        everywhere = setup.languages()
        findings.append(Finding("ok", "language", f"Texts go to language {setup.language()} of {everywhere}."))
    except ShopUnavailable as error:
        findings.append(Finding("error", "language", short(str(error)), error.hint))
    try:
        rates = setup.rates()
        known = sorted({rates.of[one] for one in rates.usable}, key=float)
        missing = [rate for rate in _CZECH if rate not in known]
        listed = ", ".join(f"{rate} %" for rate in known) or "none"
        findings.append(
            Finding("warning" if missing else "ok", "vat", f"Tax rules for these rates: {listed}.", _vat(missing))
        )
    except ShopUnavailable as error:
        findings.append(Finding("error", "vat", short(str(error)), error.hint))
    text = f"Of the marks PrestaShop keeps {', '.join(sorted(MARKS))} only; the fields are {', '.join(sorted(FIELDS))}."
    findings.append(Finding("ok", "products", text))
    if "prices" not in targets:
        text = "Products that are created have no price and are not for sale."
        hint = "Switch the target prices on, or set price and 'Available for order' of each new product by hand."
        findings.append(Finding("warning", "products", text, hint))
    return findings


def _vat(missing: list[str]) -> str:
    if not missing:
        return ""
    rates = " and ".join(f"{rate} %" for rate in missing)
    return f"If you sell at {rates}, create the tax rules in PrestaShop under International, Taxes."


def _rights(rights: Mapping[str, frozenset[str]], targets: Set[str]) -> list[Finding]:
    """Compare what the key may do with what the enabled targets need."""
    needed = dict.fromkeys(right for target in sorted(targets) for right in NEEDED[target])
    missing = [f"{resource} {method.upper()}" for resource, method in needed if method not in rights.get(resource, ())]
    creating = CREATING if "products" in targets else ()
    excess = [
        f"{resource} {method.upper()}"
        for resource, methods in sorted(rights.items())
        for method in sorted(methods - {"get"})
        if (resource, method) not in needed and (resource, method) not in creating
    ]
    findings = [
        Finding(
            "error", "rights", f"The key lacks {right}.", f"Grant it {_WHERE} (an old PrestaShop may have no PATCH)."
        )
        for right in missing
    ]
    if not missing:
        findings.append(Finding("ok", "rights", _enough(targets)))
    lacking = [f"{name} {method.upper()}" for name, method in creating if method not in rights.get(name, ())]
    if lacking:
        text = f"The key lacks {', '.join(lacking)}: no products can be created."
        findings.append(Finding("warning", "rights", text, f"Grant it {_WHERE}, if create = true."))
    if excess:
        shown = ", ".join(excess[:4]) + (f" and {len(excess) - 4} more" if len(excess) > 4 else "")
        text = f"The key may do more than {' and '.join(sorted(targets))} need: {shown}."[: wire.MAX_TEXT]
        findings.append(Finding("warning", "rights", text, f"Take away {_WHERE} what no other target needs."))
    return findings


def _enough(targets: Set[str]) -> str:
    if set(targets) == {"quantities"}:
        return "The key may read products and read and change their quantities."
    return f"The key may do all that {', '.join(sorted(targets))} need."
