"""`outbox …`, `pause`, `resume`: looking into the state file, and the few things a person may do to it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, TypeAlias

import click
import orjson

from agent.cli.memory import looking, writing
from agent.cli.output import ago, as_json, load_one, moment, print_json, table, who_sends, with_config
from agent.config import Config
from agent.errors import ConfigError
from agent.events import key_of
from agent.settings_targets import RUNS, TargetsTable
from state import cursors, guards, letters, report, targets
from state import outbox as deliveries
from state.db import Connection

TARGETS = click.Choice([target for name in TargetsTable.model_fields for target in RUNS.get(name, (name,))])
DELIVERY = (
    *("id", "target", "key", "code", "value", "status", "lane", "source", "version", "created_at", "due", "sent_at"),
    *("attempts", "folded", "approved", "reason", "hint", "request", "answer", "settled_at"),
)
"""The fields of one delivery in JSON. ``folded``: how many older values it replaced."""
_limit = click.option(
    "--limit",
    type=click.IntRange(1, 1_000_000),
    default=50,
    show_default=True,
    help="At most so many, the newest first.",
)
TIMES = ("created_at", "due", "sent_at", "settled_at")


@click.group()
def outbox() -> None:
    """Look at what is owed to the shop, and what became of it."""


def _record(row: dict[str, Any]) -> dict[str, Any]:
    """Make a row fit for JSON: times in ISO 8601, the value parsed, the lane named."""
    record = dict(row)
    for name in TIMES:
        record[name] = moment(record[name]) if record[name] else None
    record["value"] = orjson.loads(record["value"])
    record["lane"] = "bulk" if record["lane"] else "live"
    record["approved"] = bool(record["approved"])
    return record


@outbox.command("list")
@with_config
@click.option("--target", type=TARGETS, help="Only this target.")
@click.option(
    "--status",
    type=click.Choice(["pending", "held", "delivered", "superseded", "dead"]),
    help="Only deliveries in this state.",
)
@click.option("--held", "status", flag_value="held", help="Short for --status held.")
@click.option("--dead", "status", flag_value="dead", help="Short for --status dead.")
@_limit
@as_json(*DELIVERY)
def list_(paths: tuple[Path, ...], target: str | None, status: str | None, limit: int, *, json_: bool) -> None:
    """List deliveries, the newest first."""
    with looking(load_one(paths)) as db:
        rows = report.deliveries(db, target=target, status=status, key=None, limit=limit)
    if json_:
        print_json([_record(row) for row in rows])
        return
    now = time.time()
    for row in rows:
        row["when"] = ago(row["settled_at"] or row["created_at"], now)
        row["note"] = row["reason"] or row["answer"]
    table(rows, ["id", "target", "code", "value", "status", "attempts", "when", "note"])


@outbox.command(short_help="Show one delivery whole, with the shop's answer.")
@with_config
@click.argument("number", type=click.IntRange(1, 2**63 - 1))
@as_json(*DELIVERY)
def show(paths: tuple[Path, ...], number: int, *, json_: bool) -> None:
    """Show one delivery whole: where it came from, what was sent, what the shop answered."""
    with looking(load_one(paths)) as db:
        row = report.delivery(db, number)
    if row is None:
        raise ConfigError(f"There is no delivery {number}.", hint="pohoda-agent outbox list shows their numbers.")
    record = _record(row)
    if json_:
        print_json(record)
        return
    for name, value in record.items():
        if value is not None and value != "":
            click.echo(f"{name:11} {value}")


@outbox.command()
@with_config
@click.argument("code")
@_limit
@as_json(*DELIVERY)
def history(paths: tuple[Path, ...], code: str, limit: int, *, json_: bool) -> None:
    """Show everything that was owed for one code, the newest first."""
    with looking(load_one(paths)) as db:
        rows = report.deliveries(db, target=None, status=None, key=key_of(code), limit=limit)
    if json_:
        print_json([_record(row) for row in rows])
        return
    now = time.time()
    for row in rows:
        row["seen"], row["settled"] = ago(row["created_at"], now), ago(row["settled_at"], now)
        row["note"] = row["reason"] or row["answer"]
    table(rows, ["id", "target", "value", "status", "seen", "settled", "folded", "request", "note"])


_codes = click.argument("codes", nargs=-1)
_all = click.option("--all", "all_", is_flag=True, help="All of them.")
_target = click.option("--target", type=TARGETS, help="Which target; without it, the one that has such deliveries.")
_Chosen: TypeAlias = list[tuple[str, list[str] | None]]
"""Targets, with keys; None means all."""


def _one_of_both(codes: tuple[str, ...], *, all_: bool) -> None:
    """Codes or all: one of the two must be said."""
    if bool(codes) == all_:
        raise ConfigError("Name the codes, or say --all.", hint="For example: pohoda-agent outbox retry ABC-1")


def _chosen(db: Connection, target: str | None, codes: tuple[str, ...], status: str) -> _Chosen:
    """Deliveries with a status that are meant, by key or by what the lists show, in the targets that have them.

    Categories, parameters and firms have keys that are no codes. Raises `ConfigError` for what is not there.
    """
    shown: dict[str, dict[str, set[str]]] = {}
    for row in report.deliveries(db, target=target, status=status, key=None, limit=-1):
        mine = shown.setdefault(row["target"], {})
        mine.setdefault(row["key"], set()).add(row["key"])
        mine.setdefault(key_of(row["code"]), set()).add(row["key"])
    if not codes:
        return [(name, None) for name in shown]
    found: dict[str, list[str]] = {}
    strange = []
    for code in codes:
        there = [(name, mine[key_of(code)]) for name, mine in shown.items() if key_of(code) in mine]
        if not there or any(len(keys) > 1 for _, keys in there):
            strange.append(code)
        for name, keys in there:
            found.setdefault(name, []).extend(keys)
    if strange:
        raise ConfigError(
            f"Nothing is {status} for {', '.join(strange)}, or more than one; nothing was done.",
            hint=f"pohoda-agent outbox list --{status} shows the codes.",
        )
    return list(found.items())


def _only_one(chosen: _Chosen, status: str) -> None:
    """What is let go or given up is to be named: of one target at a time."""
    if len(chosen) > 1:
        names = ", ".join(name for name, _ in chosen)
        raise ConfigError(
            f"Several targets have {status} deliveries of these: {names}; nothing was done.",
            hint=f"Say which, for example: --target {chosen[0][0]}",
        )


@outbox.command(short_help="Try dead letters again, with the present value.")
@with_config
@_codes
@_all
@_target
def retry(paths: tuple[Path, ...], codes: tuple[str, ...], *, all_: bool, target: str | None) -> None:
    """Try dead letters again: the present value is read from POHODA and sent. Without --target, of all targets."""
    _one_of_both(codes, all_=all_)
    config = load_one(paths)
    count = 0
    with writing(config) as db:
        for name, keys in _chosen(db, target, codes, "dead"):
            dead = letters.dead_keys(db, name, keys)
            cursors.ask_reread(db, name, dead, lane=deliveries.LIVE)
            count += len(dead)
    click.echo(f"{count} will be read again and sent {who_sends(config)}." if count else "There are no dead letters.")


@outbox.command(short_help="Let held deliveries go, with the present value.")
@with_config
@_codes
@_all
@_target
def approve(paths: tuple[Path, ...], codes: tuple[str, ...], *, all_: bool, target: str | None) -> None:
    """Let held deliveries go: the present value is read from POHODA and sent, even if it is 0."""
    _one_of_both(codes, all_=all_)
    config = load_one(paths)
    count = 0
    with writing(config) as db:
        chosen = _chosen(db, target, codes, "held")
        _only_one(chosen, "held")
        for name, keys in chosen:
            rows = guards.approve(db, name, keys)
            cursors.ask_reread(db, name, rows, lane=deliveries.LIVE)
            count += len(rows)
    text = f"{count} approved: they will be read again and sent {who_sends(config)}."
    click.echo(text if count else "Nothing is held.")


@outbox.command()
@with_config
@_codes
@_all
@_target
@click.option("--status", type=click.Choice(["held", "dead"]), default="dead", show_default=True, help="Which ones.")
def discard(paths: tuple[Path, ...], codes: tuple[str, ...], *, all_: bool, target: str | None, status: str) -> None:
    """Give up held or dead deliveries. What the shop holds then counts as unknown: the next change is sent anyway."""
    _one_of_both(codes, all_=all_)
    config = load_one(paths)
    with writing(config) as db:
        chosen = _chosen(db, target, codes, status)
        _only_one(chosen, status)
        count = sum(letters.discard(db, name, keys, status=status, now=time.time()) for name, keys in chosen)
    click.echo(f"{count} discarded." if count else f"Nothing is {status}.")


@click.command()
@with_config
@click.argument("target", type=TARGETS)
def pause(paths: tuple[Path, ...], target: str) -> None:
    """Stop sending for a target. Changes are still taken in; nothing is missed."""
    _pause(load_one(paths), target, paused=True)
    click.echo(f"{target} is paused. To go on: pohoda-agent resume {target}")


@click.command()
@with_config
@click.argument("target", type=TARGETS)
def resume(paths: tuple[Path, ...], target: str) -> None:
    """Go on sending for a target."""
    _pause(load_one(paths), target, paused=False)
    click.echo(f"{target} goes on.")


def _pause(config: Config, target: str, *, paused: bool) -> None:
    with writing(config) as db:
        targets.pause(db, target, paused=paused)
