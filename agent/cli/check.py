"""`check`: is it set up rightly, on both sides.

Exit codes: 0 without an error (warnings are none), 1 with one, 2 when POHODA's address is wrong, 3 when its driver is
missing.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from agent import app, parts
from agent.cli.output import as_json, load_configs, print_json, with_config
from agent.config import Config
from agent.errors import AgentError
from agent.exports import CALLED
from agent.log import redactor
from agent.settings_targets import QuantitiesTable
from agent.shops import Finding, Shop
from state.db import SQLITE_VERSION, open_inspector
from state.errors import StateError

MARKS = {"ok": "ok     ", "warning": "warning", "error": "ERROR  "}


@click.command(short_help="Examine the set-up on both sides; writes nothing.")
@with_config
@as_json("shop", "verdict", "subject", "text", "hint")
def check(paths: tuple[Path, ...], *, json_: bool) -> None:
    """Examine the set-up: POHODA's database, the shop and its rights, the formula. Writes nothing."""
    records: list[dict[str, str]] = []
    code = 0
    for config in load_configs(paths):
        redact = redactor(config.secrets())
        findings, worst = _check(config)
        code = max(code, worst)
        for one in findings:
            said = {"subject": one.subject, "text": redact(one.text), "hint": redact(one.hint)}
            records.append({"shop": config.shop.name, "verdict": one.verdict, **said})
    if json_:
        print_json(records)
    else:
        for record in records:
            text = record["text"]
            if text.startswith(CALLED):
                text = click.style(CALLED, fg="green", bold=True) + text.removeprefix(CALLED)
            click.echo(f"{MARKS[record['verdict']]} {record['shop']}: {record['subject']}: {text}")
            if record["hint"] and record["verdict"] != "ok":
                click.echo(f"          try: {record['hint']}")
    sys.exit(code)


def _check(config: Config) -> tuple[list[Finding], int]:
    """All findings about one shop, and the exit code that they make."""
    findings = [Finding("ok", "configuration", f"{config.path} is sound")]
    findings.append(_state_finding(config))
    shop = parts.make_shop(config)
    try:
        found, code = _source_findings(config)
        findings += found
        findings += shop.check()
        quantities = config.targets.quantities
        if quantities is not None and quantities.enabled:
            findings += _formula(shop, quantities)
    finally:
        shop.close()
    return findings, code or int(any(one.verdict == "error" for one in findings))


def _source_findings(config: Config) -> tuple[list[Finding], int]:
    """What is found on POHODA's side; the code is that of an address or a driver that cannot be used, else 0."""
    try:
        found = parts.check_pohoda(config)
    except AgentError as error:
        text, hint, code = app.explain_failure(error)
        return [Finding("error", "POHODA", text, hint)], code
    return [Finding(one.verdict, one.subject, one.text, one.hint) for one in found], 0  # type: ignore[arg-type] # same three words


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
