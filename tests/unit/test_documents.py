"""The documents are part of the program: every command, option and key is in them, and their commands are real."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import click
import pytest
from pydantic import BaseModel

from agent.cli import cli
from agent.config import load
from agent.settings import SHOP_TABLES, PohodaTable, ReceiverTable, StateTable
from agent.settings_targets import TargetsTable
from agent.sources import server_address
from agent.sources.rights import HELPFUL, NEEDED, statements
from agent.sources.rows import FIELDS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
KEYS = (ROOT / "config" / "README.md").read_text(encoding="utf-8")


def commands(group: click.Group, prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


@pytest.mark.parametrize("name", [name for name, _ in commands(cli)])
def test_every_command_is_in_the_readme(name: str) -> None:
    assert re.search(rf"`{re.escape(name)}\b", README), name


@pytest.mark.parametrize(("name", "command"), list(commands(cli)))
def test_every_command_and_option_explains_itself(name: str, command: click.Command) -> None:
    assert command.help, name
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.opts[0]}"


def tables() -> list[tuple[str, type[BaseModel]]]:
    shops = [(f"shop {kind}", table) for kind, table in SHOP_TABLES.items()]
    targets = [
        (f"targets.{name}", next(kind for kind in get_args(field.annotation) if issubclass(kind, BaseModel)))
        for name, field in TargetsTable.model_fields.items()
    ]
    return [*shops, ("state", StateTable), ("pohoda", PohodaTable), ("pohoda", ReceiverTable), *targets]


def section(table: str) -> str:
    """The part of config/README.md about a table of the file."""
    (found,) = re.findall(
        rf"^## \[{re.escape(table.split(maxsplit=1)[0])}\](.*?)(?=^## |\Z)", KEYS, re.MULTILINE | re.DOTALL
    )
    return str(found)


@pytest.mark.parametrize(("table", "key"), [(name, key) for name, model in tables() for key in model.model_fields])
def test_every_key_is_documented(table: str, key: str) -> None:
    assert re.search(rf"^\| [^|]*`{key}`", section(table), re.MULTILINE), f"{table}.{key}"


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_of_a_product_is_documented(field: str) -> None:
    assert re.search(rf'^\| "{field}" \|', section("targets.products"), re.MULTILINE)


@pytest.mark.parametrize("table", [*NEEDED, *HELPFUL])
def test_the_right_to_every_table_that_is_read_is_in_the_statements_of_the_readme(table: str) -> None:
    assert f"GRANT SELECT ON dbo.{table} TO pohoda_agent;" in section("pohoda")
    assert f"GRANT SELECT ON dbo.{table} TO pohoda_agent;" in statements("StwPh_12345678_2026")


def test_the_options_of_an_address_are_documented() -> None:
    for option in server_address._OPTIONS:
        assert f"?{option}=" in section("pohoda")


def test_no_key_is_documented_that_does_not_exist() -> None:
    known = {key for _, model in tables() for key in model.model_fields}
    documented = {
        key
        for line in KEYS.splitlines()
        if line.startswith("| `") and "mssql:" not in line and not line.startswith("| `?")  # forms of an address
        for key in re.findall(r"`(\w+)`", line.split("|")[1])
    }
    assert documented - known == set()


@pytest.mark.parametrize("file", sorted(path.name for path in (ROOT / "config").glob("*.toml")))
def test_every_example_is_a_sound_configuration(file: str, tmp_path: Path) -> None:
    text = (ROOT / "config" / file).read_text(encoding="utf-8")
    (tmp_path / "eshop.toml").write_text(text, encoding="utf-8")
    secrets = dict.fromkeys(re.findall(r"\$\{(\w+)\}", text), "secret")
    (config,) = load([tmp_path / "eshop.toml"], secrets)
    assert config.shop.kind in SHOP_TABLES
    assert tomllib.loads(text)["shop"]["kind"] == config.shop.kind


def test_ci_runs_the_test_command_of_the_readme() -> None:
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (command,) = re.findall(r"^REQUIRE_REAL=1 (.+)$", ci, re.MULTILINE)
    assert f"\n{command}\n" in README
