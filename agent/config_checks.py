"""What the tables of a configuration file need of one another, and where its relative paths lead."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from pydantic import BaseModel, SecretStr

from agent.errors import ConfigError
from agent.settings import PohodaTable
from agent.settings_targets import TargetsTable
from agent.sources.server_address import read_address

Complain: TypeAlias = Callable[[str, str], None]
"""Takes a key and what is wrong with it, with the remedy."""


def complete(pohoda: PohodaTable, complain: Complain) -> None:
    """Complain about the address of a server that is not understood, or that says not enough to log in."""
    if pohoda.receiver is not None and pohoda.export_directory is None:
        remedy = 'Say where what POHODA posts is kept, such as export_directory = "export".'
        complain("pohoda.export_directory", f"is missing, and [pohoda.receiver] needs it. {remedy}")
    text = pohoda.database.get_secret_value().strip() if pohoda.database else ""
    if not text.lower().startswith("mssql:"):
        return
    try:
        address = read_address(text, **pohoda.beside)
    except ConfigError as error:
        text = str(error).removeprefix("[pohoda]").removeprefix(" database").removeprefix(": ")
        complain("pohoda.database", f"{text} {error.hint}")
        return
    if address.user and not address.password:
        remedy = 'Add password = "${POHODA_PASSWORD}", or leave the user out for a log-in by Windows.'
        complain("pohoda.password", f"is missing. {remedy}")


def agree(targets: TargetsTable, pohoda: BaseModel | None, complain: Complain) -> None:
    """Complain about what one table needs of another."""
    if not any(getattr(targets, name) for name in TargetsTable.model_fields):
        complain("targets", "nothing is to be kept in sync. Add a table [targets.quantities].")
    on = targets.enabled()
    if isinstance(pohoda, PohodaTable):
        _agree_with(targets, pohoda, complain)
    if "products" in on and targets.products and targets.products.create and "prices" not in on:
        remedy = "Add a table [targets.prices], or create = false."
        complain("targets.products.create", f"without prices a new product would be sold for 0. {remedy}")


def _agree_with(targets: TargetsTable, pohoda: PohodaTable, complain: Complain) -> None:
    if "images" in targets.enabled() and pohoda.documents is None:
        remedy = r"Name the folder of the pictures: documents = 'D:\POHODA\Dokumenty\Firma'."
        complain("pohoda.documents", f"is missing, and [targets.images] needs it. {remedy}")
    sources = targets.sources()
    if "export" in sources and pohoda.export_directory is None:
        remedy = 'Name the folder into which POHODA exports, such as export_directory = "export".'
        complain("pohoda.export_directory", f'is missing, and source = "export" needs it. {remedy}')
    if ("database" in sources or not sources) and pohoda.database is None:
        remedy = "Say where POHODA's database is: 'mssql://SERVER\\POHODA' or a path."
        complain("pohoda.database", f"is missing. {remedy}")


def relative(pohoda: PohodaTable, folder: Path) -> PohodaTable:
    """Resolve a database that is a file, and the folders, beside the configuration."""
    for name in ("documents", "export_directory"):
        given = getattr(pohoda, name)
        if given is not None:
            full = os.path.normpath((folder / given).absolute())
            pohoda = pohoda.model_copy(update={name: Path(full)})
    if pohoda.database is None:
        return pohoda
    text = pohoda.database.get_secret_value().strip()
    scheme = "sqlite:///" if text.startswith("sqlite:///") else ""
    if "://" in text and not scheme:
        return pohoda
    full = os.path.normpath((folder / text.removeprefix(scheme)).absolute())  # one spelling; a link stays a link
    return pohoda.model_copy(update={"database": SecretStr(f"{scheme}{full}")})
