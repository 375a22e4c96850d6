"""An installation of POHODA on the test server, a shop beside it, and `check` run on both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.demo import pohoda
from tests.mssql.drivers import Driver, need
from tests.mssql.engine import Database, load_sqlite
from tests.mssql.server import PASSWORD, USER, Server
from tests.scenario.stage import Said, Stage

ICO, YEAR = "12345678", 2026
BOOKS = f"StwPh_{ICO}_{YEAR}"
CARDS = 40
OTHERS = {"configuration", "state", "shop", "rights", "formula", "overselling"}
"""Subjects that are not about POHODA's side."""
NOW = datetime(2026, 11, 22, 15, 30)  # noqa: DTZ001 - POHODA's times are local, without offset


@dataclass
class Installation:
    """A server with POHODA's databases, a shop, and the agent's configuration."""

    server: Server
    play: Stage
    driver: Driver

    @property
    def books(self) -> Database:
        return self.server.database(BOOKS)

    def address(self, database: str = f"/{BOOKS}", *, encrypt: str = "no", more: str = "") -> str:
        driver = need(self.driver).strip("{}")
        return f"mssql://127.0.0.1:{self.server.port}{database}?driver={driver}&encrypt={encrypt}{more}"

    def check(self, *flags: str, quantities: Any = None, **keys: Any) -> Said:  # noqa: ANN401 - TOML
        """Run `check` with these keys of ``[pohoda]``; without any, those of a good installation."""
        given = {"user": USER, "password": PASSWORD, "ico": ICO, "year": YEAR} | keys
        given["database"] = keys["database"] if "database" in keys else self.address()
        tables = {f"pohoda__{key}": value for key, value in given.items()}
        self.play.configure(**tables, **{f"quantities__{key}": value for key, value in (quantities or {}).items()})
        said = self.play.cli("check", *flags)
        assert PASSWORD not in said.all
        assert "bug" not in said.err, said.err
        return said

    def found(self, **keys: Any) -> list[dict[str, str]]:  # noqa: ANN401 - as for `check`
        """The findings on POHODA's side, as JSON."""
        records: list[dict[str, str]] = self.check("--json", **keys).json
        return [each for each in records if each["subject"] not in OTHERS]

    def trouble(self, **keys: Any) -> dict[str, str]:  # noqa: ANN401 - as for `check`
        """The one finding on POHODA's side that is not well; with a hint, as all of those have."""
        troubles = [each for each in self.found(**keys) if each["verdict"] != "ok"]
        assert len(troubles) == 1, troubles
        assert troubles[0]["hint"]
        return troubles[0]


def fill(server: Server, folder: Path) -> None:
    """POHODA's tables with cards and no movements, and its system database, which nobody else may enter."""
    pohoda.create(folder / "books.sqlite", cards=CARDS)
    books = server.create_database(BOOKS)
    load_sqlite(books, folder / "books.sqlite")
    books.create_table("OBJpol", {"ID": "int", "RefAg": "int", "RefSKz": "int", "Mnozstvi": "float"})
    system = server.create_database("StwPh_sys")
    system.create_table("Firma", {"ID": "int", "ICO": "varchar(15)", "Rok": "int", "Soubor": "varchar(64)"})
    with system.begin() as work:
        work.insert("Firma", ICO=ICO, Rok=YEAR, Soubor=BOOKS)
    server.logins[USER].databases = {BOOKS.lower()}
