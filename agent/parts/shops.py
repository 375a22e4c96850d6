"""The adapters, each made of ``[shop]`` and of what the tables of targets ask of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from typing import Any

from agent.config import Config
from agent.parts.sources import documents_of
from agent.settings import PrestaShopTable, VendureTable
from agent.shops import Shop
from agent.shops.pace import Pace
from agent.shops.prestashop import PrestaShop
from agent.shops.vendure import VendureShop


def make_shop(
    config: Config, *, pace: Callable[[], None] | None = None, pictures: Callable[[str], bytes] | None = None
) -> Shop:
    """Make an adapter of this configuration; ``pictures`` gives the bytes of a picture by its sha256."""
    if pictures is None and config.pohoda.documents and {"images", "categories"} & {*config.targets.enabled()}:
        pictures = documents_of(config.pohoda.documents).by_sha
    chosen = config.targets.images
    more: dict[str, Any] = {"leave_foreign": bool(chosen and chosen.existing == "leave")}
    if pictures is not None:
        more["pictures"] = pictures
    return SHOPS[config.shop.kind](config, pace or Pace(config.shop.rate_limit), more)


@cache
def _lock_of(place: str) -> threading.Lock:  # noqa: ARG001 - one for each
    """One per shop, for what several of its targets write together."""
    return threading.Lock()


def _root(config: Config) -> str:
    return config.targets.categories.root if config.targets.categories else ""


def _prestashop(config: Config, pace: Callable[[], None], more: dict[str, Any]) -> Shop:
    table = config.shop
    assert isinstance(table, PrestaShopTable)
    orders = config.targets.order_states
    return PrestaShop(
        table.url,
        key=table.key.get_secret_value(),
        timeout=table.timeout,
        pace=pace,
        shop_id=table.shop_id,
        targets=frozenset([*config.targets.enabled(), *(["tracking"] if orders and orders.tracking_column else [])]),
        language=table.language,
        country=table.country,
        root=_root(config),
        order_number=orders.order_number if orders else "reference",
        order_states=orders.states if orders else (),
        **more,
    )


def _vendure(config: Config, pace: Callable[[], None], more: dict[str, Any]) -> Shop:
    table = config.shop
    assert isinstance(table, VendureTable)
    chosen = config.targets.products
    orders = config.targets.order_states
    return VendureShop(
        table.url,
        api_key=table.api_key.get_secret_value() if table.api_key else None,
        user=table.user,
        password=table.password.get_secret_value() if table.password else None,
        stock_location=table.stock_location,
        channel=table.channel,
        language=table.language,
        price_form=table.prices,
        timeout=table.timeout,
        pace=pace,
        targets=frozenset(config.targets.enabled()),
        product_fields=frozenset(chosen.fields if chosen else ()),
        creates=bool(chosen and chosen.create),
        root=_root(config),
        firms="suppliers" in config.targets.enabled(),
        order_states=orders.states if orders else (),
        lock=_lock_of(config.place),
        **more,
    )


SHOPS: dict[str, Callable[[Config, Callable[[], None], dict[str, Any]], Shop]] = {
    "prestashop": _prestashop,
    "vendure": _vendure,
}
