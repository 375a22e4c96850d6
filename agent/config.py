"""Reading configuration files: all problems at once, each with file, key and remedy; nothing is started with a bad one.

One TOML file per shop. ``${NAME}`` in a text is replaced from the environment, so that secrets stay out of the file.
Relative paths are relative to the file. A problem never repeats what was written, for it may be a secret.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pydantic import BaseModel, SecretStr, ValidationError

from agent.config_checks import agree, complete, relative
from agent.errors import ConfigError
from agent.settings import (
    SHOP_TABLES,
    PohodaTable,
    PrestaShopTable,
    ShopTable,
    StateTable,
    VendureTable,
)
from agent.settings_targets import TargetsTable

_TABLES: dict[str, type[BaseModel]] = {"state": StateTable, "pohoda": PohodaTable, "targets": TargetsTable}


@dataclass(frozen=True, slots=True)
class Config:
    """One shop's configuration, checked."""

    path: Path
    shop: PrestaShopTable | VendureTable
    state: StateTable
    pohoda: PohodaTable
    targets: TargetsTable

    @property
    def place(self) -> str:
        """Name what is written to: the shop's kind and address, and which of the shops or stock locations there."""
        shop = self.shop
        place = f"{shop.kind} {shop.url.lower().removesuffix('/api')}"
        if isinstance(shop, PrestaShopTable):
            return place if shop.shop_id == 1 else f"{place} (shop_id {shop.shop_id})"
        parts = [f"{name} {value}" for name in ("channel", "stock_location") if (value := getattr(shop, name))]
        return f"{place} ({', '.join(parts)})" if parts else place

    @property
    def mirror(self) -> Path | None:
        """The file with what was exported: beside the state file, one per export directory."""
        folder = self.pohoda.export_directory
        if folder is None:
            return None
        mark = hashlib.blake2b(_identity(folder).encode(), digest_size=4).hexdigest()
        return self.state.file.with_name(f"export-{mark}.db")

    def secrets(self) -> list[str]:
        """All secret texts of the file, for the redactor; the password within an address, too."""
        found: list[str] = []
        for table in (self.shop, self.pohoda, self.pohoda.receiver):
            for name in type(table).model_fields if table else ():
                value = getattr(table, name)
                if isinstance(value, SecretStr) and name != "database" and value:
                    found.append(value.get_secret_value())
        database = self.pohoda.database.get_secret_value() if self.pohoda.database else ""
        password = re.search(r"://[^:/@]*:(.*)@", database)
        if password is not None:
            found += [database, password[1], unquote(password[1])]
        return [*found, database] if "=" in database else found  # a path is none, and an error should show it


@dataclass(frozen=True, slots=True)
class _File:
    """One file while it is read."""

    path: Path
    environment: Mapping[str, str]
    problems: list[str] = field(default_factory=list)
    unset: set[str] = field(default_factory=set)
    """Keys whose environment variable is missing: nothing more is said about them."""

    def complain(self, key: str, text: str) -> None:
        """Add a problem: file, key, remedy."""
        if not any(key == unset or key.startswith(unset + ".") for unset in self.unset):
            self.problems.append(f"{self.path}: {key}: {text}")


def load(paths: Sequence[Path], environment: Mapping[str, str] = os.environ) -> list[Config]:
    """Read and check these files (one named twice counts once). Raises `ConfigError` with the problems of all."""
    problems: list[str] = []
    configs: list[Config] = []
    for path in {path.resolve(): path for path in paths}.values():
        file = _File(path, environment)
        config = _load(file)
        problems += file.problems
        if config is not None:
            configs.append(config)
    problems += _clashes(configs)
    if problems:
        count = len(problems)
        raise ConfigError(
            f"The configuration has {count} problem{'s' if count > 1 else ''}; nothing was started.",
            hint="Correct that and run `pohoda-agent check`; every key is explained in config/README.md.",
            problems=tuple(problems),
        )
    return configs


def _load(file: _File) -> Config | None:
    path, problems = file.path, file.problems
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        problems.append(f"{path}: cannot be read ({error.strerror}). Check the name and the rights.")
        return None
    except UnicodeDecodeError as error:
        problems.append(f"{path}: is not UTF-8 (byte {error.start + 1}). Save it as UTF-8.")
        return None
    except tomllib.TOMLDecodeError as error:
        remedy = (
            'Check that line; texts stand in quotes (so does an IČO, "01234567"), and what has a backslash in it in'
            " single ones: 'D:\\data\\pohoda.db', 'mssql://SERVER\\POHODA'."
        )
        problems.append(f"{path}: is not valid TOML: {error}. {remedy}")
        return None
    raw = _expand(raw, file, "")
    for name in sorted(raw.keys() - {"shop", *_TABLES}):
        problems.append(f"{path}: [{name}] is not a table of this file.{_guess(name, ['shop', *_TABLES])}")
    shop = _shop(raw.get("shop"), file)
    tables = {name: _table(model, raw.get(name, {}), file, name) for name, model in _TABLES.items()}
    state, pohoda, targets = tables["state"], tables["pohoda"], tables["targets"]
    if isinstance(targets, TargetsTable):
        agree(targets, pohoda, file.complain)
    if isinstance(pohoda, PohodaTable):
        complete(pohoda, file.complain)
    if problems or shop is None:
        return None
    assert isinstance(state, StateTable)
    assert isinstance(pohoda, PohodaTable)
    assert isinstance(targets, TargetsTable)
    state = state.model_copy(update={"file": (path.parent / state.file).absolute()})
    pohoda = relative(pohoda, path.parent)
    if pohoda.database and _same_file(state.file, pohoda.database.get_secret_value().removeprefix("sqlite:///")):
        file.complain("state.file", "is POHODA's own database, which is never written to. Name a file of its own.")
        return None
    return Config(path, shop, state, pohoda, targets)


def _same_file(one: Path, other: str) -> bool:
    return "://" not in other and _identity(one) == _identity(Path(other))


def _identity(path: Path) -> str:
    return os.path.normcase(path.resolve())


def _shop(raw: Any, file: _File) -> PrestaShopTable | VendureTable | None:  # noqa: ANN401 - TOML
    if not isinstance(raw, dict):
        file.problems.append(f"{file.path}: [shop] is missing. Start from an example: config/prestashop.example.toml.")
        return None
    kind = raw.get("kind")
    if not isinstance(kind, str) or kind not in SHOP_TABLES:
        kinds = " or ".join(f'"{known}"' for known in SHOP_TABLES)
        close = difflib.get_close_matches(str(kind), list(SHOP_TABLES), n=1)
        file.complain("shop.kind", f"must be {kinds}.{f' Did you mean {close[0]!r}?' if close else ''}")
        common = {key: value for key, value in raw.items() if key in ShopTable.model_fields}
        _table(ShopTable, common, file, "shop")  # what every kind has is checked all the same
        return None
    table = _table(SHOP_TABLES[kind], raw, file, "shop")
    return table if isinstance(table, PrestaShopTable | VendureTable) else None


def _table(model: type[BaseModel], raw: Any, file: _File, name: str) -> BaseModel | None:  # noqa: ANN401 - TOML
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        for item in error.errors(include_url=False, include_input=False):
            key = ".".join([name, *(str(part) for part in item["loc"])])
            if item["type"] == "extra_forbidden":
                known = _fields(model, item["loc"][:-1])
                text = f"is not a key of this table.{_guess(str(item['loc'][-1]), known)}"
            elif item["type"] == "missing":
                text = "is missing. " + _MISSING.get(key, "Add it.")
            else:
                text = _WRONG.get(item["type"], item["msg"].removeprefix("Value error, "))
            file.complain(key, text)
        return None


_MISSING = {
    "targets.quantities.deduct": 'Say what to take off the stock: "none", "reservations" or "received-orders";'
    " config/README.md explains them with an example.",
    "targets.products.fields": 'Say what is overwritten in the shop, such as fields = ["name", "description"];'
    " everything else is left alone. config/README.md lists them.",
    "state.file": 'Say where the agent may remember, such as "eshop.state.db".',
    "shop.key": 'Write key = "${PRESTASHOP_KEY}" and set that environment variable.',
}
_WRONG = {
    "string_type": 'write a text in quotes, such as "eshop".',
    "string_too_short": "must not be empty.",
    "too_short": "must not be empty.",
    "int_type": "write a whole number without quotes.",
    "float_type": "write a number without quotes.",
    "bool_type": "write true or false without quotes.",
    "path_type": 'write a text in quotes, such as "eshop.state.db".',
    "tuple_type": 'write a list, such as ["HLAVNI", "PRODEJNA"].',
    "model_type": "is a table: write it as [table] with its keys below.",
}
"""What pydantic says, in the words of someone who edits a file."""


def _fields(model: type[BaseModel], parts: Sequence[int | str]) -> list[str]:
    """List the keys of the table in which an unknown one was met."""
    for part in parts:
        annotation = model.model_fields[str(part)].annotation
        inner = [kind for kind in getattr(annotation, "__args__", (annotation,)) if isinstance(kind, type)]
        tables = [kind for kind in inner if issubclass(kind, BaseModel)]
        if not tables:
            return []
        model = tables[0]
    return list(model.model_fields)


def _guess(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f" Did you mean {close[0]!r}?" if close else f" Known: {', '.join(known)}."


def _expand(value: Any, file: _File, key: str) -> Any:  # noqa: ANN401 - TOML
    """Replace ``${NAME}`` in every text; a missing variable is a problem, named with its key."""
    if isinstance(value, dict):
        return {name: _expand(inner, file, f"{key}.{name}" if key else name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_expand(inner, file, key) for inner in value]
    if not isinstance(value, str):
        return value
    if "${" in re.sub(r"\$\{\w+\}", "", value):
        file.complain(key, "names an environment variable in a way that is not understood. Write ${NAME}.")
        file.unset.add(key)
    unset = [name for name in re.findall(r"\$\{(\w+)\}", value) if not file.environment.get(name)]
    if unset:
        names = " and ".join(dict.fromkeys(unset))
        file.complain(key, f"the environment variable {names} is not set. Set it for the account of the agent.")
        file.unset.add(key)
    return re.sub(r"\$\{(\w+)\}", lambda match: file.environment.get(match[1], ""), value)


def _clashes(configs: Sequence[Config]) -> list[str]:
    """Two configurations must not write the same target of the same shop, nor share a state file.

    Those that share an export directory share what was taken in of it, so that each document is there for both.
    """
    problems: list[str] = []
    owners: dict[tuple[str, str], Path] = {}
    mirrors: dict[str, Config] = {}
    for config in configs:
        if config.mirror is not None:
            first = mirrors.setdefault(config.mirror.name, config)
            if first.mirror != config.mirror:
                problems.append(
                    f"{config.path}: state.file: shares its export directory with {first.path}, so put both state"
                    f" files into one folder: {first.state.file.parent}."
                )
            for key in ("ico", "receiver", "export_keep"):
                if getattr(first.pohoda, key) != getattr(config.pohoda, key):
                    problems.append(
                        f"{config.path}: pohoda.{key}: differs from that of {first.path}, and both share one export"
                        " directory. Write the same in both."
                    )
    for config in configs:
        marks = [("the state file", _identity(config.state.file))]
        marks += [(f"the target {name} of", config.place) for name in config.targets.enabled()]
        for what, which in marks:
            if (what, which) in owners:
                other = owners[what, which]
                problems.append(f"{config.path}: {what} {which} is already taken by {other}. Change one of the two.")
            owners[what, which] = config.path
    return problems


def find_configs(folder: Path) -> list[Path]:
    """List the configuration files of a folder: every ``*.toml`` but examples and the demo's."""
    return sorted(
        path
        for path in folder.glob("*.toml")
        if not path.name.endswith(".example.toml") and path.name not in {"demo.toml", "pyproject.toml"}
    )
