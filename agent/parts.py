"""The parts of one shop, made of its configuration: the only module that names every class.

Each target has a source and an adapter of its own: two targets may look at POHODA at different paces, and their calls
do not wait for each other. What they share is the shop's pace, its breaker, its state file, and POHODA's lock.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from agent.config import Config
from agent.errors import ConfigError
from agent.exports import check_exports
from agent.settings import PrestaShopTable, VendureTable
from agent.shops import Shop
from agent.shops.pace import Pace
from agent.shops.prestashop import PrestaShop
from agent.shops.vendure import VendureShop
from agent.sources import Source, SourceFinding
from agent.sources.connect import open_database
from agent.sources.documents import Documents
from agent.sources.export_directory import ExportDirectory
from agent.sources.fingerprint import CHUNK
from agent.sources.installation import Wanted, examine
from agent.sources.mirror import MirrorDatabase
from agent.sources.pohoda_db import PohodaTable
from agent.sources.prepared import View
from agent.sources.reader import Database
from agent.sources.receiver import Receiver
from agent.sources.views import pictures, products
from agent.sources.views.pictures import PicturesView
from agent.sources.views.products import ProductsView
from agent.sources.views.stock import StockView
from agent.targets import Target
from agent.targets.images import Images, ImageSettings
from agent.targets.prices import Prices, PriceSettings
from agent.targets.products import Products, ProductSettings
from agent.targets.quantities import Quantities, QuantitySettings
from agent.targets.vat import VatRates


def open_pohoda(config: Config) -> Database:
    """Make the database that ``[pohoda]`` names; nothing is connected yet.

    Raises `ConfigError` when its address is not understood, `EnvironmentProblem` when a driver is missing.
    """
    catalogue = bool({"products", "prices", "images"}.intersection(config.targets.enabled()))
    if config.pohoda.database is None:
        raise ConfigError(f"{config.path}: [pohoda] database is missing.", hint="Say where POHODA's database is.")
    return open_database(config.pohoda.database.get_secret_value(), catalogue=catalogue, **config.pohoda.beside)


def open_source(config: Config, kind: str) -> Database:
    """Make what targets read: POHODA's ``database``, or the mirror of its ``export``. Raises like `open_pohoda`."""
    if kind == "database":
        return open_pohoda(config)
    if config.mirror is None:
        raise ConfigError(f"{config.path}: [pohoda] export_directory is missing.", hint="Name the folder of exports.")
    return MirrorDatabase(config.mirror)


def make_directory(config: Config) -> ExportDirectory | None:
    """Make the reader of the export directory; None where there is none."""
    folder = config.pohoda.export_directory
    if folder is None:
        return None
    return ExportDirectory(folder, ico=config.pohoda.ico or "", keep=config.pohoda.export_keep)


def make_receiver(config: Config, called: Callable[[str, str], object]) -> Receiver | None:
    """Make the receiver of POHODA's posts; None where there is none. Raises `EnvironmentProblem` for a taken port."""
    table, folder = config.pohoda.receiver, config.pohoda.export_directory
    if table is None or folder is None:
        return None
    return Receiver(
        folder,
        table.address,
        user=table.user,
        password=table.password.get_secret_value(),
        ico=config.pohoda.ico or "",
        called=called,
    )


def make_shop(
    config: Config, *, pace: Callable[[], None] | None = None, pictures: Callable[[str], bytes] | None = None
) -> Shop:
    """Make an adapter of this configuration; ``pictures`` gives the bytes of a picture by its sha256."""
    if pictures is None and "images" in config.targets.enabled() and config.pohoda.documents:
        pictures = _documents(config.pohoda.documents).by_sha
    chosen = config.targets.images
    more: dict[str, Any] = {"leave_foreign": bool(chosen and chosen.existing == "leave")}
    if pictures is not None:
        more["pictures"] = pictures
    return SHOPS[config.shop.kind](config, pace or Pace(config.shop.rate_limit), more)


@cache
def _documents(folder: Path) -> Documents:
    """One per folder: what the source hashed is what the adapter sends."""
    return Documents(folder)


def _prestashop(config: Config, pace: Callable[[], None], more: dict[str, Any]) -> Shop:
    table = config.shop
    assert isinstance(table, PrestaShopTable)
    return PrestaShop(
        table.url,
        key=table.key.get_secret_value(),
        timeout=table.timeout,
        pace=pace,
        shop_id=table.shop_id,
        targets=frozenset(config.targets.enabled()),
        language=table.language,
        country=table.country,
        **more,
    )


def _vendure(config: Config, pace: Callable[[], None], more: dict[str, Any]) -> Shop:
    table = config.shop
    assert isinstance(table, VendureTable)
    chosen = config.targets.products
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
        **more,
    )


SHOPS: dict[str, Callable[[Config, Callable[[], None], dict[str, Any]], Shop]] = {
    "prestashop": _prestashop,
    "vendure": _vendure,
}


# ---------------------------------------------------------------------------------------------------------- targets


def make_target(config: Config, name: str, shop: Shop) -> Target:
    """Make an enabled target, for what this shop stores. Raises `ConfigError` when it is not enabled."""
    if name not in config.targets.enabled():
        raise ConfigError(
            f"{config.path}: the target {name} is not enabled.",
            hint=f"Add a table [targets.{name}]; see config/README.md.",
        )
    return _TARGETS[name](config, shop)


def make_quantities(config: Config, shop: Shop) -> Quantities:
    """Make the quantities target. Raises `ConfigError` when it is not enabled."""
    made = make_target(config, "quantities", shop)
    assert isinstance(made, Quantities)
    return made


def _quantities(config: Config, shop: Shop) -> Target:
    table = config.targets.quantities
    assert table is not None
    settings = QuantitySettings(
        stores=table.stores,
        combine=table.combine,
        deduct=table.deduct,
        safety_stock=table.safety_stock,
        zero_guard=table.zero_guard,
        card_types=table.card_types,
    )
    return Quantities(settings, shop.quantity)


def _products(config: Config, _: Shop) -> Target:
    table = config.targets.products
    assert table is not None
    settings = ProductSettings(
        fields=table.fields,
        stores=table.stores,
        texts_from=table.texts_from,
        create=table.create,
        when_gone=table.when_gone or "hide",
        vat_rates=_vat_rates(config),
    )
    return Products(settings)


def _prices(config: Config, shop: Shop) -> Target:
    table = config.targets.prices
    assert table is not None
    settings = PriceSettings(
        stores=table.stores,
        prices_from=table.prices_from,
        level=table.level,
        level_prices=table.level_prices,
        round=table.round,
        drop_guard=table.price_drop_guard,
        vat_rates=_vat_rates(config),
    )
    return Prices(settings, shop.price_form, shop.price_places)


def _images(config: Config, _: Shop) -> Target:
    table = config.targets.images
    assert table is not None
    return Images(ImageSettings(stores=table.stores, pictures_from=table.pictures_from, existing=table.existing))


_TARGETS: dict[str, Callable[[Config, Shop], Target]] = {
    "quantities": _quantities,
    "products": _products,
    "prices": _prices,
    "images": _images,
}


def _vat_rates(config: Config) -> VatRates:
    rates = config.pohoda.vat_rates
    return VatRates(*(None if rate is None else Decimal(str(rate)) for rate in (rates.high, rates.low, rates.third)))


# ---------------------------------------------------------------------------------------------------------- sources


def make_source(config: Config, name: str, database: Database | None = None) -> Source[Any]:
    """Make the source that owns a target's values, over this database or one of its own. Raises like `open_pohoda`."""
    view, chunk = _view(config, name)
    table: Any = getattr(config.targets, name)
    database = database or open_source(config, table.source)
    return PohodaTable(
        "stock" if name == "quantities" else name,
        database,
        view,
        growing=database.growing if isinstance(database, MirrorDatabase) else None,
        row_version=table.row_version,
        poll=table.poll,
        full_pass=table.full_pass,
        chunk=chunk,
    )


def _view(config: Config, name: str) -> tuple[View[Any], int]:
    """The view that a target reads, and how many rows of it are a chunk."""
    chosen = config.targets
    if name == "quantities" and chosen.quantities:
        quantities = chosen.quantities
        view = StockView(stores=quantities.stores, deduct=quantities.deduct, card_types=quantities.card_types)
        return view, CHUNK
    if name == "products" and chosen.products:
        texts = chosen.products
        cards = ProductsView(fields=texts.fields, stores=texts.stores, card_types=texts.card_types)
        return cards, products.CHUNK
    if name == "prices" and chosen.prices:
        table = chosen.prices
        prices = ProductsView(
            fields=(),
            prices=True,
            level=table.level,
            stores=table.stores,
            card_types=table.card_types,
            level_with_vat=None if table.level_prices is None else table.level_prices == "gross",
        )
        return prices, products.CHUNK
    if name == "images" and chosen.images and config.pohoda.documents:
        images = chosen.images
        documents = _documents(config.pohoda.documents)
        return PicturesView(documents, stores=images.stores, card_types=images.card_types), pictures.CHUNK
    raise ConfigError(f"{config.path}: the target {name} is not enabled.", hint=f"Add a table [targets.{name}].")


def check_pohoda(config: Config) -> list[SourceFinding]:
    """Examine POHODA's side for ``check``: the installation, and if it is usable what each target reads of it.

    Raises like `open_pohoda`.
    """
    table = config.pohoda
    of = {name: getattr(config.targets, name) for name in config.targets.enabled()}
    by_database = [name for name, target in of.items() if target.source == "database"]
    found: list[SourceFinding] = []
    if by_database and table.database is not None:
        strategy = of[by_database[0]].row_version
        wanted = Wanted(table.database.get_secret_value(), row_version=strategy, **table.beside)
        with contextlib.closing(open_pohoda(config)) as database:
            examined = examine(database, wanted)
            found += examined.findings
            found += _examined(config, by_database, database) if examined.usable else []
    by_export = [name for name in of if name not in by_database]
    found += check_exports(config, make_directory(config))
    if by_export and any(one.verdict == "error" for one in found):
        return found
    with contextlib.closing(open_source(config, "export")) if by_export else contextlib.nullcontext() as mirror:
        return [*found, *(_examined(config, by_export, mirror) if mirror else [])]


def _examined(config: Config, names: Sequence[str], database: Database) -> list[SourceFinding]:
    return [one for name in names for one in make_source(config, name, database).check()]
