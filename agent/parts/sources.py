"""POHODA's side: its database, its exports, and the view that each target reads."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from agent.config import Config
from agent.errors import ConfigError
from agent.exports import check_exports
from agent.settings_targets import CategoriesTable, OrderStatesTable
from agent.sources import Source, SourceFinding
from agent.sources.connect import open_database
from agent.sources.documents import Documents
from agent.sources.export_directory import ExportDirectory
from agent.sources.fingerprint import CHUNK
from agent.sources.installation import Wanted, examine
from agent.sources.mirror import Kind, MirrorDatabase
from agent.sources.pohoda_db import PohodaTable
from agent.sources.prepared import View
from agent.sources.reader import Database
from agent.sources.receiver import Receiver
from agent.sources.views import categories, orders, pictures, products
from agent.sources.views.card_categories import CardCategoriesView
from agent.sources.views.card_parameters import CardParametersView
from agent.sources.views.card_suppliers import CardSuppliersView
from agent.sources.views.categories import CategoriesView
from agent.sources.views.orders import OrdersView
from agent.sources.views.pictures import PicturesView
from agent.sources.views.products import ProductsView
from agent.sources.views.stock import StockView


def open_pohoda(config: Config) -> Database:
    """Make the database that ``[pohoda]`` names; nothing is connected yet.

    Raises `ConfigError` when its address is not understood, `EnvironmentProblem` when a driver is missing.
    """
    if config.pohoda.database is None:
        raise ConfigError(f"{config.path}: [pohoda] database is missing.", hint="Say where POHODA's database is.")
    address = config.pohoda.database.get_secret_value()
    return open_database(address, views=_read_by(config), columns=_own_columns(config), **config.pohoda.beside)


def _read_by(config: Config) -> tuple[str, ...]:
    """Names of the views that the targets of POHODA's database read, beside ``stock``."""
    running = config.targets.running()
    return tuple(_VIEW_OF[name] for name in running if name in _VIEW_OF)


def _own_columns(config: Config) -> tuple[str, ...]:
    """The customer's own columns of OBJ that are configured."""
    table = config.targets.order_states
    columns = (table.list_column, table.tracking_column, table.carrier_column) if table and table.enabled else ()
    return tuple(column for column in columns if column)


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


@cache
def documents_of(folder: Path) -> Documents:
    """One per folder: what the source hashed is what the adapter sends."""
    return Documents(folder)


def make_source(config: Config, name: str, database: Database | None = None) -> Source[Any]:
    """Make the source that owns a target's values, over this database or one of its own. Raises like `open_pohoda`."""
    view, chunk = _view(config, name)
    table = config.targets.table_of(name)
    database = database or open_source(config, table.source)
    if isinstance(database, MirrorDatabase):
        database = database.needing(*_told_by(name, table))
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
    if name not in config.targets.running() or name not in _VIEWS:
        raise ConfigError(f"{config.path}: the target {name} is not enabled.", hint=f"Add a table [targets.{name}].")
    return _VIEWS[name](config, config.targets.table_of(name))


def _stock(_: Config, table: Any) -> tuple[View[Any], int]:  # noqa: ANN401 - the target's own table
    return StockView(stores=table.stores, deduct=table.deduct, card_types=table.card_types), CHUNK


def _products(_: Config, table: Any) -> tuple[View[Any], int]:  # noqa: ANN401 - as above
    return ProductsView(fields=table.fields, stores=table.stores, card_types=table.card_types), products.CHUNK


def _prices(_: Config, table: Any) -> tuple[View[Any], int]:  # noqa: ANN401 - as above
    view = ProductsView(
        fields=(),
        prices=True,
        level=table.level,
        stores=table.stores,
        card_types=table.card_types,
        level_with_vat=None if table.level_prices is None else table.level_prices == "gross",
    )
    return view, products.CHUNK


def _images(config: Config, table: Any) -> tuple[View[Any], int]:  # noqa: ANN401 - as above
    if config.pohoda.documents is None:
        raise ConfigError(f"{config.path}: [pohoda] documents is missing.", hint="Name the folder of the pictures.")
    view = PicturesView(documents_of(config.pohoda.documents), stores=table.stores, card_types=table.card_types)
    return view, pictures.CHUNK


def _categories(config: Config, table: CategoriesTable) -> tuple[View[Any], int]:
    folder = config.pohoda.documents
    documents = documents_of(folder) if folder and "picture" in table.fields else None
    return CategoriesView(documents, fields=table.fields), categories.CHUNK


def _orders(_: Config, table: OrderStatesTable) -> tuple[View[Any], int]:
    view = OrdersView(
        since=table.since,
        list_column=table.list_column,
        tracking_column=table.tracking_column,
        carrier_column=table.carrier_column,
    )
    return view, orders.CHUNK


_VIEWS: dict[str, Callable[[Config, Any], tuple[View[Any], int]]] = {
    "quantities": _stock,
    "products": _products,
    "prices": _prices,
    "images": _images,
    "categories": _categories,
    "categories.products": lambda _, table: (
        CardCategoriesView(stores=table.stores, card_types=table.card_types),
        products.CHUNK,
    ),
    "parameters": lambda _, table: (
        CardParametersView(stores=table.stores, card_types=table.card_types),
        products.CHUNK,
    ),
    "suppliers": lambda _, table: (
        CardSuppliersView(stores=table.stores, card_types=table.card_types, fields=table.fields),
        products.CHUNK,
    ),
    "order_states": _orders,
}
"""By the name of the target that owns the values; what collects things reads with it."""
_VIEW_OF = {
    "products": "products",
    "prices": "prices",
    "images": "pictures",
    "categories": "categories",
    "categories.products": "card_categories",
    "parameters": "card_parameters",
    "suppliers": "card_suppliers",
    "order_states": "orders",
}
"""Target → the name of its view, for what has to be read of a database and may be."""


def _told_by(name: str, table: Any) -> tuple[Kind, ...]:  # noqa: ANN401 - as above
    """What exports must have told as a whole before a target reads them; see `MirrorDatabase.needing`."""
    if name == "suppliers" and "suppliers" not in table.fields:
        return ("cards",)
    return _KINDS.get(name, ("cards",))


_KINDS: dict[str, tuple[Kind, ...]] = {
    "categories": ("categories",),
    "categories.products": ("cards", "categories", "card_categories"),
    "parameters": ("cards", "card_parameters", "parameters"),
    "suppliers": ("cards", "suppliers"),
    "order_states": ("orders",),
}


def source_of(target: str) -> str:
    """Name of the target whose source a target shares: terms come with parameters, firms with suppliers."""
    return target if target in _VIEWS else target.partition(".")[0]


def check_pohoda(config: Config) -> list[SourceFinding]:
    """Examine POHODA's side for ``check``: the installation, and if it is usable what each target reads of it.

    Raises like `open_pohoda`.
    """
    table = config.pohoda
    of = {name: config.targets.table_of(name) for name in config.targets.running() if source_of(name) == name}
    by_database = [name for name, target in of.items() if target.source == "database"]
    found: list[SourceFinding] = []
    if by_database and table.database is not None:
        strategy = of[by_database[0]].row_version
        lists = ("lists",) if any(name.lower().startswith("refvpr") for name in _own_columns(config)) else ()
        views = (*_read_by(config), *lists)
        wanted = Wanted(table.database.get_secret_value(), row_version=strategy, views=views, **table.beside)
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
