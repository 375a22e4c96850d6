"""`status`: how is it doing."""

from __future__ import annotations

import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import click

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
        return record | {"well": False, "state_bytes": 0, "targets": [], "sources": [], "loops": [], "breaker": None}
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
    return record


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
