"""The shape of a configuration file: every key, its type, its default, what is allowed. Explained in config/README.md.

Unknown keys are errors, and so are wrong types ("3" is no number). Secrets are `SecretStr`, so that printing a setting
never shows one.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypedDict
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator

from agent.settings_types import LOOPBACK, Duration, FilePath, Language, Table


class ShopTable(Table):
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


class StateTable(Table):
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


class VatRatesTable(Table):
    """``[pohoda] vat_rates``: percent by POHODA's kinds of rates; the defaults are the Czech ones since 2024."""

    high: float | None = Field(default=21.0, ge=0, le=100)
    low: float | None = Field(default=12.0, ge=0, le=100)
    third: float | None = Field(default=None, ge=0, le=100)


class ReceiverTable(Table):
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


class PohodaTable(Table):
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


SHOP_TABLES: dict[str, type[PrestaShopTable] | type[VendureTable]] = {
    "prestashop": PrestaShopTable,
    "vendure": VendureTable,
}
"""To add a shop kind: one table here, one adapter in shops/, one line in `agent.app`."""
