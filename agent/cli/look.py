"""`status`: how is it doing."""

from __future__ import annotations

import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from agent import exports
from agent.cli.memory import looking
from agent.cli.output import ago, as_json, load_configs, moment, print_json, table, with_config
from agent.config import Config
from agent.instance import is_running
from state import report


@click.command()
@with_config
@as_json(
    *("shop", "kind", "running", "well", "state_bytes"),
    "targets: (target, paused, baseline, pending, bulk, held, held_reason, dead, resting, oldest_pending_at,"
    " last_confirmed_at, known)",
    "sources: (name, complete, read_at, scanned)",
    "loops: (name, at, failed, text, hint)",
    "breaker: (failures, open_until, reason)",
    "exports: (name, outcome, looked, to_go, bytes, size, per_s, seconds_left, changed, bad, reason, at)",
    "bad_items: (code, offset, reason, hint, name, at)",
)
def status(paths: tuple[Path, ...], *, json_: bool) -> None:
    """Show how the agent is doing. Exit code 1 when something needs a person, or when no agent runs."""
    records = [_status(config) for config in load_configs(paths)]
    if json_:
        print_json(records)
    else:
        for record in records:
            _print_status(record)
    sys.exit(0 if all(record["well"] for record in records) else 1)


def _status(config: Config) -> dict[str, Any]:
    record: dict[str, Any] = {"shop": config.shop.name, "kind": config.shop.kind, "running": is_running(config)}
    if not config.state.file.exists():
        empty = {"state_bytes": 0, "targets": [], "sources": [], "loops": [], "breaker": None}
        empty |= {"exports": [], "bad_items": []}
        return record | {"well": False} | empty
    with looking(config) as db:
        rows = report.targets(db)
        loops = report.loops(db)
        record |= {
            "state_bytes": report.size(db),
            "targets": rows,
            "sources": report.sources(db),
            "loops": loops,
            "breaker": report.breaker(db),
        }
    troubled = any(row["held"] or row["dead"] or row["paused"] for row in rows) or any(loop["failed"] for loop in loops)
    record["well"] = record["running"] and not troubled and not record["breaker"]["failures"]
    for row in rows:
        row["oldest_pending_at"] = moment(row["oldest_pending_at"])
        row["last_confirmed_at"] = moment(row["last_confirmed_at"])
    for loop in loops:
        loop["at"], loop["failed"] = moment(loop["at"]), bool(loop["failed"])
    for source in record["sources"]:
        source["read_at"], source["complete"] = moment(source["read_at"]), bool(source["complete"])
        del source["cursor"]
    record["breaker"]["open_until"] = moment(record["breaker"]["open_until"] or None)
    record["exports"], record["bad_items"] = exports.progress(config, time.time())
    for one in [*record["exports"], *record["bad_items"]]:
        one["at"] = moment(one["at"])
    return record


def _print_exports(record: dict[str, Any]) -> None:
    """Say what is being taken in and how long it will take, what came last, and what of it could not be read."""
    for one in record["exports"]:
        read = f"{one['looked']:,} items"
        if one["outcome"] == "under way":
            to_go = "" if one["to_go"] is None else f", about {one['to_go']:,} to go"
            left = "" if one["seconds_left"] is None else f", about {_span(one['seconds_left'])} left"
            share = one["bytes"] / max(one["size"], 1)
            click.echo(f"  export {one['name']}: {share:.0%}, {read} done{to_go}, {one['per_s']:,.0f} a second{left}")
        else:
            ended = "taken in" if one["outcome"] == "done" else f"SET ASIDE: {one['reason']}"
            click.echo(f"  last export {one['name']}: {ended} {_ago(one['at'])}, {read}, {one['bad']} not readable")
    for bad in record["bad_items"]:
        click.echo(f"    not readable in {bad['name']}: {bad['code'] or bad['offset']}: {bad['reason']}")


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _ago(when: str | None) -> str:
    return ago(None if when is None else datetime.fromisoformat(when).timestamp(), time.time())


def _print_status(record: dict[str, Any]) -> None:
    state = "running" if record["running"] else "NOT RUNNING (start it: pohoda-agent run)"
    click.echo(f"{record['shop']} ({record['kind']}): {state}")
    if record["breaker"] and record["breaker"]["failures"]:
        click.echo(f"  the shop does not answer: {record['breaker']['reason']}")
    for loop in record["loops"]:
        if loop["failed"]:
            click.echo(f"  {loop['name']} fails: {loop['text']}")
            if loop["hint"]:
                click.echo(f"    try: {loop['hint']}")
    for source in record["sources"]:
        state = "read" if source["complete"] else "being read"
        click.echo(f"  POHODA's {source['name']}: {state} {_ago(source['read_at'])}")
    _print_exports(record)
    if record["targets"]:
        columns = ["target", "pending", "held", "dead", "resting", "paused", "baseline", "known", "last_confirmed"]
        table([row | {"last_confirmed": _ago(row["last_confirmed_at"])} for row in record["targets"]], columns)
    for row in record["targets"]:
        if row["paused"]:
            click.echo(f"  {row['target']} is paused. Try: pohoda-agent resume {row['target']}")
        if row["held"]:
            click.echo(f"  {row['held']} held: {row['held_reason']}. Try: pohoda-agent outbox list --held")
        if row["dead"]:
            click.echo(f"  {row['dead']} dead letters. Try: pohoda-agent outbox list --dead")
