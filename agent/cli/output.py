"""How answers are shown: a plain table, or JSON with stable, documented fields; errors with what to try."""

from __future__ import annotations

import json
import math
import sys
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
import orjson

from agent import config as configuration
from agent.config import Config
from agent.errors import ConfigError
from agent.instance import is_running
from agent.log import redactor

Function = TypeVar("Function", bound=Callable[..., Any])


def as_json(*fields: str) -> Callable[[Function], Function]:
    """Give a command ``--json``; its help names the fields, which stay what they are."""
    text = f"Print JSON with the stable fields {', '.join(fields)}. Times are ISO 8601 in UTC."
    return click.option("--json", "json_", is_flag=True, help=text)


def with_config(function: Function) -> Function:
    """Give a command ``--config``: the file of one shop."""
    return click.option(
        "-c",
        "--config",
        "paths",
        type=click.Path(path_type=Path),
        multiple=True,
        envvar="POHODA_AGENT_CONFIG",
        show_envvar=True,
        help="Configuration file; without it, the ones in ./config or here.",
    )(function)


_secrets: set[str] = set()
"""Of the configurations that were loaded: an error that nobody foresaw must not show them."""


def load_configs(paths: Sequence[Path]) -> list[Config]:
    """Load the named files, or those found in ./config or here. Raises `ConfigError`."""
    chosen = list(paths)
    if not chosen:
        chosen = configuration.find_configs(Path("config")) or configuration.find_configs(Path())
    if not chosen:
        raise ConfigError(
            "There is no configuration file.",
            hint="Copy config/prestashop.example.toml to config/eshop.toml and fill it in; or try: pohoda-agent demo.",
        )
    configs = configuration.load(chosen)
    _secrets.update(secret for config in configs for secret in config.secrets())
    return configs


def load_one(paths: Sequence[Path]) -> Config:
    """Load the configuration of exactly one shop. Raises `ConfigError` when there are several."""
    configs = load_configs(paths)
    if len(configs) > 1:
        names = ", ".join(str(config.path) for config in configs)
        raise ConfigError("Which shop? There are several configurations.", hint=f"Add --config with one of: {names}.")
    return configs[0]


def print_json(value: object) -> None:
    """Print JSON; times are ISO 8601 in UTC. Nonsense that got so far is shown, for it is what is being looked for."""
    try:
        text = orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    except TypeError:  # an integer beyond 64 bits, half a character, a type that is not JSON's
        text = json.dumps(_printable(value), indent=2)
    click.echo(text)


def _printable(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(name): _printable(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [_printable(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int) and value.bit_length() > 1024:
        return f"an integer of {value.bit_length()} bits"  # Python refuses to write very long ones
    return value if value is None or isinstance(value, int | str) else repr(value)


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Print a table with these columns, or that there is nothing; cells are cut to one line."""
    if not rows:
        click.echo("none")
        return
    cells = [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [max([len(column), *(_width(line[at]) for line in cells)]) for at, column in enumerate(columns)]
    click.echo("  ".join(column.ljust(width) for column, width in zip(columns, widths, strict=True)).rstrip())
    for line in cells:
        padded = (cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = " ".join(str(value).split())
    return text if len(text) <= 80 else text[:79] + "…"


def _width(text: str) -> int:
    return sum(0 if unicodedata.combining(char) else 1 for char in text)


def moment(seconds: float | None) -> str | None:
    """Write a stored time for machines: ISO 8601 in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def ago(seconds: float | None, now: float) -> str:
    """Write a stored time for people: how long ago."""
    if seconds is None:
        return "never"
    age = max(0.0, now - seconds)
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if age >= size:
            return f"{age / size:.0f} {unit} ago"
    return f"{age:.0f} s ago"


def fail(text: str, hint: str, problems: Sequence[str] = ()) -> None:
    """Print an error to standard error, with what to try; without secrets, whatever the text is made of."""
    redact = redactor(_secrets)
    click.echo(redact(f"error: {text}"), err=True)
    for problem in problems:
        click.echo(redact(f"  {problem}"), err=True)
    if hint:
        click.echo(redact(f"  try: {hint}"), err=True)


def who_sends(config: Config) -> str:
    """Say who will do what a command has asked for."""
    return "by the running agent" if is_running(config) else "at the next start of the agent, or by: pohoda-agent once"


def progress(text: str) -> None:
    """Show progress on a terminal, and nothing elsewhere."""
    if sys.stderr.isatty():
        click.echo(f"\r{text:<70}", nl=False, err=True)
