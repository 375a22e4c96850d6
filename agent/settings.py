"""The shape of a configuration file: every key, its type, its default, what is allowed. Explained in config/README.md.

Unknown keys are errors, and so are wrong types ("3" is no number). Secrets are `SecretStr`, so that printing a setting
never shows one.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    Strict,
    ValidationInfo,
    field_validator,
    model_validator,
)

from agent.sources.rows import FIELDS

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def seconds(value: Any) -> float:  # noqa: ANN401 - whatever TOML holds
    """Read a duration such as "500ms", "1s", "5m", "1h"; a bare number would leave its unit to guessing."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h)\s*", value) if isinstance(value, str) else None
    if match is None:
        raise ValueError('write a duration with its unit: "500ms", "1s", "5m", "1h"')
    return float(match[1]) * _UNITS[match[2]]


def share(value: Any) -> float | None:  # noqa: ANN401 - whatever TOML holds
    """Read a share such as "20%"; "off" means no limit."""
    if value == "off":
        return None
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%\s*", value) if isinstance(value, str) else None
    if match is None or not 0 < float(match[1]) <= 100:
        raise ValueError('write a share between 0% and 100%, such as "20%", or "off"')
    return float(match[1]) / 100


def language(value: Any) -> Any:  # noqa: ANN401 - whatever TOML holds
    """Read a code of a language such as "cs" or "pt_BR"."""
    if isinstance(value, str) and not re.fullmatch("[a-z]{2,3}(?:[-_][A-Za-z]{2,8})?", value):
        raise ValueError('write the code of a language, such as "cs"')
    return value


Language = Annotated[str, BeforeValidator(language)]
Duration = Annotated[float, BeforeValidator(seconds)]
Share = Annotated[float | None, BeforeValidator(share)]
FilePath = Annotated[Path, Strict(strict=False)]  # strict, a text would be no path


class _Table(BaseModel):
    """One table of the file: unknown keys are errors, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ShopTable(_Table):
    """``[shop]`` for every kind."""

    name: str = Field(min_length=1, max_length=60)
    url: str
    timeout: Duration = 30.0
    rate_limit: float | None = Field(default=None, gt=0)

    @field_validator("url")
    @classmethod
    def _safe(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError('write the whole address, such as "https://www.example.cz"')
        if parts.username or parts.password or parts.query:
            raise ValueError("leave credentials and parameters out of the address")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ValueError("use https: over plain http the key would be readable on the way.")
        return url.rstrip("/")

    @field_validator("timeout")
    @classmethod
    def _sane(cls, timeout: float) -> float:
        if not 0.1 <= timeout <= 300:
            raise ValueError("a timeout lies between 100ms and 5m")
        return timeout


class PrestaShopTable(ShopTable):
    """``[shop]`` of a PrestaShop: the webservice and its key."""

    kind: Literal["prestashop"]
    key: SecretStr = Field(min_length=1)
    shop_id: int = Field(default=1, ge=1)
    language: Language = "cs"
    country: str = "CZ"

    @field_validator("country")
    @classmethod
    def _two_letters(cls, country: str) -> str:
        if not re.fullmatch("[A-Z]{2}", country):
            raise ValueError('write the two letters of the country, such as "CZ"')
        return country


class VendureTable(ShopTable):
    """``[shop]`` of a Vendure: an API key, or an administrator's name and password."""

    kind: Literal["vendure"]
    api_key: SecretStr | None = None
    user: str | None = None
    password: SecretStr | None = None
    channel: str | None = None
    stock_location: str | None = None
    language: Language | None = None
    prices: Literal["net", "gross"] = "gross"

    @model_validator(mode="after")
    def _credentials(self) -> VendureTable:
        if self.api_key is None and (self.user is None or self.password is None):
            raise ValueError("give api_key, or both user and password")
        return self


class StateTable(_Table):
    """``[state]``: where the agent remembers."""

    file: FilePath
    keep: Duration = 30 * 24 * 3600.0
    keep_rows: int = Field(default=200_000, ge=1000)


def _digits(value: Any) -> Any:  # noqa: ANN401 - whatever TOML holds
    """Tell of a bare number what it needs: quotes, for an IČO may begin with zeros."""
    if isinstance(value, int) and not isinstance(value, bool):
        raise ValueError('write the IČO in quotes, with its leading zeros: ico = "01234567".')  # noqa: TRY004 - pydantic's
    return value


Ico = Annotated[str, BeforeValidator(_digits)]


class Beside(TypedDict):
    """Keys of ``[pohoda]`` that complete an address; None where they are left out."""

    user: str | None
    password: str | None
    ico: str | None
    year: int | None


class VatRatesTable(_Table):
    """``[pohoda] vat_rates``: percent by POHODA's kinds of rates; the defaults are the Czech ones since 2024."""

    high: float | None = Field(default=21.0, ge=0, le=100)
    low: float | None = Field(default=12.0, ge=0, le=100)
    third: float | None = Field(default=None, ge=0, le=100)


class ReceiverTable(_Table):
    """``[pohoda.receiver]``: where POHODA posts its exports to."""

    listen: str = "127.0.0.1:8081"
    user: str = ""
    password: SecretStr = SecretStr("")

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, listen: str) -> str:
        host, _, port = listen.rpartition(":")
        if not (host and port.isdigit() and int(port) < 65536):
            raise ValueError('write an address and a port, such as "127.0.0.1:8081"')
        return listen

    @model_validator(mode="after")
    def _protected(self) -> ReceiverTable:
        if bool(self.user) != bool(self.password.get_secret_value()):
            raise ValueError("give both user and password, or none of them")
        if self.address[0] not in LOOPBACK and not self.user:
            raise ValueError("an address that others can reach needs user and password")
        return self

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


class PohodaTable(_Table):
    """``[pohoda]``: where the data come from, and which accounting unit and year they are to be of."""

    database: SecretStr | None = Field(default=None, min_length=1)
    ico: Ico | None = None
    year: int | None = None
    user: str | None = Field(default=None, min_length=1)
    password: SecretStr | None = Field(default=None, min_length=1)
    documents: FilePath | None = None
    vat_rates: VatRatesTable = VatRatesTable()
    export_directory: FilePath | None = None
    export_keep: Duration = 7 * 24 * 3600.0
    receiver: ReceiverTable | None = None

    @field_validator("ico")
    @classmethod
    def _eight_digits(cls, ico: str | None) -> str | None:
        if ico is not None and not re.fullmatch(r"[0-9]{8}", ico):
            raise ValueError('an IČO has 8 digits, leading zeros included: ico = "01234567".')
        return ico

    @field_validator("year")
    @classmethod
    def _plausible(cls, year: int | None) -> int | None:
        if year is not None and not 1990 <= year <= 2100:
            raise ValueError("write the whole accounting year, such as year = 2026.")
        return year

    @property
    def beside(self) -> Beside:
        """What stands beside the address of the database, as `agent.sources.connect.open_database` takes it."""
        password = self.password.get_secret_value() if self.password else None
        return {"user": self.user, "password": password, "ico": self.ico, "year": self.year}


Codes = Annotated[tuple[str, ...], Strict(strict=False)]
"""A list of codes; strict, a TOML array would be no tuple."""


class _CardsTable(_Table):
    """What every target has that is made of stock cards."""

    enabled: bool = True
    source: Literal["database", "export"] = "database"
    poll: Duration = 1.0
    row_version: Literal["auto", "fingerprint", "modified-at", "rowversion"] = "auto"
    full_pass: Duration = 3600.0
    stores: Codes = ()
    card_types: Annotated[tuple[int, ...], Strict(strict=False)] = Field(default=(1,), min_length=1)

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
            raise ValueError("full_pass lies between 1m and 24h: it alone finds deleted cards")
        return full_pass


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


class TargetsTable(_Table):
    """``[targets.*]``: what is kept in sync."""

    quantities: QuantitiesTable | None = None
    products: ProductsTable | None = None
    prices: PricesTable | None = None
    images: ImagesTable | None = None

    def enabled(self) -> list[str]:
        """Names of the targets that are to run, in the order of the table."""
        tables = ((name, getattr(self, name)) for name in type(self).model_fields)
        return [name for name, table in tables if table is not None and table.enabled]

    def sources(self) -> set[str]:
        """Where the enabled targets take their values from: ``database``, ``export``."""
        return {getattr(self, name).source for name in self.enabled()}


SHOP_TABLES: dict[str, type[PrestaShopTable] | type[VendureTable]] = {
    "prestashop": PrestaShopTable,
    "vendure": VendureTable,
}
"""To add a shop kind: one table here, one adapter in shops/, one line in `agent.app`."""
