"""`explain`: how the quantity of one code is made, what the shop holds, what the state file remembers of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
import orjson

from agent import parts
from agent.cli.memory import inspecting, looking, remembered
from agent.cli.output import ago, as_json, load_one, print_json, with_config
from agent.config import Config
from agent.errors import AgentError, ConfigError
from agent.events import Held, Rejected, Value, Wanted, key_of
from agent.ingest import SeenInFile
from agent.instance import is_running
from agent.jobs.whole import Gathered, whole
from agent.shops import Shop
from agent.sources import Source
from agent.targets import Target
from state import report, shadows
from state.db import Connection


@dataclass(frozen=True, slots=True)
class _Known:
    """What the state file remembers of a key; all empty: nothing."""

    code: str = ""
    link: str | None = None
    confirmed: Value = None
    open: str | None = None
    """What waits, or what died, and why."""

    def __bool__(self) -> bool:
        return bool(self.code or self.link or self.open or self.confirmed is not None)


@click.command()
@with_config
@click.argument("code")
@as_json("code", "quantity", "formula", "in_shop", "confirmed", "open")
def explain(paths: tuple[Path, ...], code: str, *, json_: bool) -> None:
    """Show how the quantity of CODE is made, and what the shop holds.

    Of a code that POHODA has no more, shows what became of it in the shop.
    """
    config = load_one(paths)
    shop = parts.make_shop(config)
    target = parts.make_quantities(config, shop)
    source = parts.make_source(config, "quantities")
    key = key_of(code)
    known = remembered(config, partial(_known, target=target, key=key), _Known())
    try:
        rows = _rows(config, source, code)
        if not rows and not known:
            raise ConfigError(
                f"POHODA has no stock card with the code {code!r} in the chosen stores.",
                hint="Check the code and [targets.quantities] stores.",
            )
        explanation = target.explain(rows)
        spelling = rows[0].code.strip() if rows else known.code or code.strip()
        held = _in_shop(shop, target.name, Wanted(key, spelling, known.link))
    finally:
        source.close()
        shop.close()
    record = {"code": spelling, "quantity": explanation.value, "formula": explanation.text}
    record |= {"in_shop": held, "confirmed": known.confirmed, "open": known.open}
    if json_:
        print_json(record)
        return
    click.echo(f"{spelling}: {explanation.text}")
    click.echo(f"  the shop holds: {held}")
    confirmed = "nothing yet" if known.confirmed is None else known.confirmed
    click.echo(f"  last confirmed: {confirmed}; {known.open or 'nothing waits'}")


def _rows(config: Config, source: Source[Any], code: str) -> tuple[Any, ...]:
    """Find all cards of a code, however each of them is spelt.

    An agent at work remembers their ids; where none runs, or it has not seen all yet, the whole table is looked at.
    """
    key = key_of(code)
    if config.state.file.exists() and is_running(config) and _complete(config, source.name):
        with inspecting(config) as state:
            spellings = list(dict.fromkeys((key, code, code.strip())))
            rows = source.rows(spellings, SeenInFile(state, source.name)).rows.get(key, ())
        if rows:
            return rows
    found: tuple[Any, ...] = ()
    for present in whole(source, Gathered(), key):
        found = present.get(key, found)
    return found


def _complete(config: Config, source: str) -> bool:
    with looking(config) as db:
        return any(one["complete"] for one in report.sources(db) if one["name"] == source)


def _in_shop(shop: Shop, target: str, wanted: Wanted) -> Value:
    """Ask the shop: by the link where one is known (not every code can be looked for), else by the code."""
    try:
        answer: Held | Rejected | None = shop.read(target, [wanted]).get(wanted.key) if wanted.link else None
        answer = answer or shop.find(target, [wanted]).get(wanted.key)
    except AgentError as error:
        return f"not known ({error})"
    if isinstance(answer, Held):
        return answer.value
    return answer.reason if isinstance(answer, Rejected) else "the shop does not know this code"


def _known(db: Connection, *, target: Target, key: str) -> _Known:
    confirmed = shadows.shadow_of(db, target.name, key)
    rows = report.deliveries(db, target=target.name, status=None, key=key, limit=20)
    return _Known(
        code=next((row["code"] for row in rows if row["code"] != key), ""),  # a deletion knows only the key
        link=shadows.links_of(db, target.thing, [key]).get(key),
        confirmed=None if confirmed is None else orjson.loads(confirmed),
        open=_open(rows[0]) if rows else None,
    )


def _open(row: dict[str, Any]) -> str | None:
    if row["status"] not in {"pending", "held", "dead"}:
        return None
    since = ago(row["created_at"], time.time()).removesuffix(" ago")
    why = f" ({row['reason']})" if row["reason"] else ""
    return f"{row['status']} for {since}: {row['value']}{why}"
