"""``[targets.*]``: the tables of what is kept in sync, every key with its type and default; see `agent.settings`."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, Strict, ValidationInfo, field_validator, model_validator

from agent.settings_types import Duration, Share, Table
from agent.sources.rows import FIELDS
from agent.targets.categories import FIELDS as CATEGORY_FIELDS
from agent.targets.suppliers import FIELDS as SUPPLIER_FIELDS

Codes = Annotated[tuple[str, ...], Strict(strict=False)]
"""A list of codes; strict, a TOML array would be no tuple."""


class _ReadTable(Table):
    """What every target has: whether it runs, and how POHODA is read for it."""

    enabled: bool = True
    source: Literal["database", "export"] = "database"
    poll: Duration = 1.0
    row_version: Literal["auto", "fingerprint", "modified-at", "rowversion"] = "auto"
    full_pass: Duration = 3600.0

    @field_validator("row_version")
    @classmethod
    def _of_exports(cls, strategy: str, info: ValidationInfo) -> str:
        if info.data.get("source") == "export" and strategy not in {"auto", "rowversion"}:
            raise ValueError('is found by itself in exports: write row_version = "auto", or leave it out')
        return strategy

    @field_validator("poll")
    @classmethod
    def _poll(cls, poll: float) -> float:
        if not 0.1 <= poll <= 3600:
            raise ValueError("poll lies between 100ms and 1h")
        return poll

    @field_validator("full_pass")
    @classmethod
    def _full_pass(cls, full_pass: float) -> float:
        if not 60 <= full_pass <= 24 * 3600:
            raise ValueError("full_pass lies between 1m and 24h: it alone finds what was deleted")
        return full_pass


class _CardsTable(_ReadTable):
    """What every target has that is made of stock cards."""

    stores: Codes = ()
    card_types: Annotated[tuple[int, ...], Strict(strict=False)] = Field(default=(1,), min_length=1)


class QuantitiesTable(_CardsTable):
    """``[targets.quantities]``: Export množství."""

    combine: Literal["sum", "max"] = "sum"
    deduct: Literal["none", "reservations", "received-orders"]
    safety_stock: int = Field(default=0, ge=0)
    zero_guard: Share = 0.20


def _among(stores: tuple[str, ...], chosen: str) -> str:
    """Insist that the store that gives something is a chosen one."""
    if chosen and stores and chosen.strip().casefold() not in {store.strip().casefold() for store in stores}:
        raise ValueError(f"is not among stores: {', '.join(stores)}. Add it there, or leave it out.")
    return chosen


class ProductsTable(_CardsTable):
    """``[targets.products]``: Dokončování exportu, texts. ``fields`` has no default: what is named is overwritten."""

    poll: Duration = 5.0
    fields: Annotated[tuple[Literal[FIELDS], ...], Strict(strict=False)] = Field(min_length=1)  # type: ignore[valid-type] # pydantic takes the words from their one list
    texts_from: str = ""
    create: bool = False
    when_gone: Literal["hide", "keep"] | None = None

    @field_validator("texts_from")
    @classmethod
    def _chosen(cls, store: str, info: ValidationInfo) -> str:
        return _among(info.data.get("stores", ()), store)

    @field_validator("create")
    @classmethod
    def _named(cls, create: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic's
        if create and "name" not in info.data.get("fields", ("name",)):
            raise ValueError('a product cannot be created without a name: add "name" to fields.')
        return create

    @field_validator("when_gone")
    @classmethod
    def _shown_again(cls, gone: str | None, info: ValidationInfo) -> str | None:
        if gone == "hide" and "visible" not in info.data.get("fields", ("visible",)):
            raise ValueError('to hide a product, and to show it again, add "visible" to fields.')
        return gone


class PricesTable(_CardsTable):
    """``[targets.prices]``: Dokončování exportu, the prices."""

    level: str = ""
    level_prices: Literal["net", "gross"] | None = None
    prices_from: str = ""
    round: Literal["none", "0.01", "0.1", "1"] = "none"
    price_drop_guard: Share = 0.30

    @model_validator(mode="after")
    def _told(self) -> PricesTable:
        if self.source == "export" and self.level and self.level_prices is None:
            raise ValueError('an export does not say it: add level_prices = "net" or "gross" (with VAT).')
        if self.source == "database" and self.level_prices:
            raise ValueError("level_prices is for an export only: the database says it (SkCeny.SDph). Leave it out.")
        return self

    @field_validator("prices_from")
    @classmethod
    def _chosen(cls, store: str, info: ValidationInfo) -> str:
        return _among(info.data.get("stores", ()), store)


class ImagesTable(_CardsTable):
    """``[targets.images]``: Dokončování exportu, the pictures; needs ``[pohoda] documents``."""

    poll: Duration = 10.0
    pictures_from: str = ""
    existing: Literal["leave", "keep"] = "leave"

    @field_validator("pictures_from")
    @classmethod
    def _chosen(cls, store: str, info: ValidationInfo) -> str:
        return _among(info.data.get("stores", ()), store)


class CategoriesTable(_CardsTable):
    """``[targets.categories]``: Export kategorií, the tree and which products are in it."""

    poll: Duration = 5.0
    root: str = ""
    fields: Annotated[tuple[Literal[CATEGORY_FIELDS], ...], Strict(strict=False)] = CATEGORY_FIELDS  # type: ignore[valid-type] # as above
    when_gone: Literal["hide", "delete", "keep"] | None = None
    remove_guard: Share = 0.20

    @field_validator("when_gone")
    @classmethod
    def _shown_again(cls, gone: str | None, info: ValidationInfo) -> str | None:
        if gone == "hide" and "visible" not in info.data.get("fields", ("visible",)):
            raise ValueError('to hide a category, and to show it again, add "visible" to fields.')
        return gone


class ParametersTable(_CardsTable):
    """``[targets.parameters]``: Parametry a dodavatelé, the parameters."""

    poll: Duration = 5.0
    skip: Codes = ()


class SuppliersTable(_CardsTable):
    """``[targets.suppliers]``: Parametry a dodavatelé, manufacturers and suppliers."""

    poll: Duration = 5.0
    fields: Annotated[tuple[Literal[SUPPLIER_FIELDS], ...], Strict(strict=False)] = Field(  # type: ignore[valid-type] # as above
        default=SUPPLIER_FIELDS, min_length=1
    )


def _number_as_text(value: Any) -> Any:  # noqa: ANN401 - whatever TOML holds
    """States of PrestaShop are numbers: taken with and without quotes."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


State = Annotated[str, BeforeValidator(_number_as_text), Field(min_length=1, max_length=60)]
"""A state of the shop: its number in PrestaShop, its name in Vendure."""
Signs = Literal["executed", "transferred", "partly", "cancelled"]
"""Vyřízeno, Přeneseno, delivered in part, storno."""


class OrderStatesTable(_ReadTable):
    """``[targets.order_states]``: Synchronizace stavů objednávek. Orders before ``since`` stay as they are."""

    poll: Duration = 2.0
    since: dt.date
    map: dict[Signs, State] = Field(default_factory=dict)
    list_column: str = ""
    list_map: dict[str, State] = Field(default_factory=dict)
    progress: Annotated[tuple[State, ...], Strict(strict=False)] = ()
    tracking_column: str = ""
    carrier_column: str = ""
    order_number: Literal["reference", "id"] = "reference"

    @model_validator(mode="after")
    def _says_something(self) -> OrderStatesTable:
        if not self.map and not self.list_map:
            raise ValueError('no state is said: add map = { executed = "…", cancelled = "…" } with states of the shop.')
        if bool(self.list_map) != bool(self.list_column):
            raise ValueError("list_column and list_map need each other: the column, and a state for its texts.")
        return self

    @property
    def states(self) -> tuple[str, ...]:
        """All states of the shop that are named."""
        return tuple(dict.fromkeys([*self.map.values(), *self.list_map.values()]))


RUNS = {
    "categories": ("categories", "categories.products"),
    "parameters": ("parameters.terms", "parameters"),
    "suppliers": ("suppliers.firms", "suppliers"),
}
"""Tables that are more than one target: things that exist once in a shop, and which of them each product has."""


class TargetsTable(Table):
    """``[targets.*]``: what is kept in sync."""

    quantities: QuantitiesTable | None = None
    order_states: OrderStatesTable | None = None
    products: ProductsTable | None = None
    prices: PricesTable | None = None
    categories: CategoriesTable | None = None
    parameters: ParametersTable | None = None
    suppliers: SuppliersTable | None = None
    images: ImagesTable | None = None

    def enabled(self) -> list[str]:
        """Names of the tables that are to run, in their order."""
        tables = ((name, getattr(self, name)) for name in type(self).model_fields)
        return [name for name, table in tables if table is not None and table.enabled]

    def running(self) -> list[str]:
        """Names of the targets that are to run: some tables are two."""
        return [target for name in self.enabled() for target in RUNS.get(name, (name,))]

    def table_of(self, target: str) -> Any:  # noqa: ANN401 - one of the tables above
        """The table that a target is configured by: ``categories`` of ``categories.products``."""
        return getattr(self, target.partition(".")[0])

    def sources(self) -> set[str]:
        """Where the enabled targets take their values from: ``database``, ``export``."""
        return {getattr(self, name).source for name in self.enabled()}
