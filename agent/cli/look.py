"""`check` and `status`: is it set up rightly, how is it doing."""

from __future__ import annotations

import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from agent import app
from agent.cli.memory import looking
from agent.cli.output import ago, as_json, load_configs, moment, print_json, table, with_config
from agent.config import Config
from agent.errors import AgentError
from agent.instance import is_running
from agent.settings import QuantitiesTable
from agent.shops import Finding, Shop
from state import report
from state.db import SQLITE_VERSION, open_inspector
from state.errors import StateError

MARKS = {"ok": "ok     ", "warning": "warning", "error": "ERROR  "}


@click.command(short_help="Examine the set-up on both sides; writes nothing.")
@with_config
@as_json("shop", "verdict", "subject", "text", "hint")
def check(paths: tuple[Path, ...], *, json_: bool) -> None:
    """Examine the set-up: POHODA's database, the shop and its rights, the formula. Writes nothing."""
    findings: list[tuple[str, Finding]] = []
    for config in load_configs(paths):
        findings += [(config.shop.name, finding) for finding in _check(config)]
    if json_:
        print_json(
            [
                {"shop": shop, "verdict": one.verdict, "subject": one.subject, "text": one.text, "hint": one.hint}
                for shop, one in findings
            ]
        )
    else:
        for shop, one in findings:
            click.echo(f"{MARKS[one.verdict]} {shop}: {one.subject}: {one.text}")
            if one.hint and one.verdict != "ok":
                click.echo(f"          try: {one.hint}")
    sys.exit(1 if any(one.verdict == "error" for _, one in findings) else 0)


def _check(config: Config) -> list[Finding]:
    findings = [Finding("ok", "configuration", f"{config.path} is sound")]
    findings.append(_state_finding(config))
    shop = app.make_shop(config)
    try:
        findings += _source_findings(config)
        findings += shop.check()
        quantities = config.targets.quantities
        if quantities is not None:
            findings += _formula(shop, quantities)
    finally:
        shop.close()
    return findings


def _source_findings(config: Config) -> list[Finding]:
    try:
        source = app.make_stock_source(config)
    except AgentError as error:
        return [Finding("error", "POHODA", str(error), error.hint)]
    try:
        return [Finding(one.verdict, one.subject, one.text, one.hint) for one in source.check()]  # type: ignore[arg-type] # same three words
    finally:
        source.close()


def _state_finding(config: Config) -> Finding:
    file = config.state.file
    if not file.exists():
        return Finding("ok", "state", f"{file} will be made at the first start")
    try:
        open_inspector(file).close()
    except StateError as error:
        return Finding("error", "state", str(error), error.hint)
    return Finding("ok", "state", f"{file}, SQLite {SQLITE_VERSION}")


def _formula(shop: Shop, quantities: QuantitiesTable) -> list[Finding]:
    """Explain the three kinds of deduction with one example, and what they mean for this kind of shop."""
    example = "a card with 10 in stock, 3 reserved and 4 in received orders"
    amounts = {"none": 10, "reservations": 7, "received-orders": 6}
    shown = ", ".join(f'"{name}" gives {amount}' for name, amount in amounts.items())
    chosen = quantities.deduct
    found = [Finding("ok", "formula", f'deduct = "{chosen}"; {example}: {shown} (before safety stock)')]
    if shop.quantity == "physical" and chosen != "none":
        found.append(
            Finding(
                "warning",
                "formula",
                f"a {shop.kind} shop subtracts its own open orders itself; POHODA subtracts those that it knows",
                'Such pieces are counted twice (too few are offered, never too many); deduct = "none" avoids it.',
            )
        )
    found.append(
        Finding(
            "warning",
            "overselling",
            "orders of the shop are not read yet: a piece sold in the shop counts only once POHODA knows the order",
            "Import orders into POHODA soon after they come, or keep a safety_stock.",
        )
    )
    return found


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
