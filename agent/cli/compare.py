"""`plan` and `reconcile`: what differs between POHODA and the shop, before and instead of writing."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from agent import parts
from agent.cli.memory import remembered, writing
from agent.cli.outbox import TARGETS
from agent.cli.output import as_json, load_one, print_json, progress, table, who_sends, with_config
from agent.config import Config
from agent.entries import to_json
from agent.errors import ConfigError
from agent.jobs.by_key import Linked
from agent.jobs.compare import NOTHING, Comparison, Difference
from agent.jobs.compare import compare as compare_sides
from agent.targets import Collecting, GuardCount, Naming, Target
from state import cursors, outbox, shadows
from state.db import Connection
from state.errors import StateError

REPAIRED = {"differs", "to be created"}
DIFFERENCE = "(code, what, shop, pohoda, note)"
_target = click.option(
    "--target",
    type=TARGETS,
    default="quantities",
    show_default=True,
    help="Which target.",
)


def _compare(config: Config, name: str) -> tuple[Target, Comparison]:
    shop = parts.make_shop(config)
    try:
        target = parts.make_target(config, name, shop)
    except ConfigError:
        shop.close()
        raise
    source = parts.make_source(config, parts.source_of(name))
    try:
        comparison = compare_sides(
            source,
            target,
            shop,
            was_offered=partial(_was_offered, config, source.name),
            linked=remembered(config, partial(_links, target), NOTHING),
            progress=progress,
        )
        return target, comparison
    finally:
        progress("")
        source.close()
        shop.close()


def _was_offered(config: Config, source: str, keys: Sequence[str]) -> set[str]:
    own = source if source in cursors.OF_THEIR_OWN else ""
    return remembered(config, lambda db: cursors.offered(db, keys, own), set())


def _links(target: Target, db: Connection) -> Linked:
    named = target.names if isinstance(target, Naming) else ""
    return Linked(shadows.all_links(db, target.thing), shadows.all_links(db, named))


def _records(differences: Sequence[Difference]) -> list[dict[str, object]]:
    return [
        {"code": one.code, "what": one.kind, "shop": one.shop, "pohoda": one.pohoda, "note": one.text}
        for one in differences
    ]


@click.command()
@with_config
@_target
@as_json("target", "offered", "equal", "to_send", "guard", "only_in_shop", "differences: " + DIFFERENCE)
def plan(paths: tuple[Path, ...], target: str, *, json_: bool) -> None:
    """Show what would be sent, old and new. Writes nothing, neither to the shop nor to the state file."""
    config = load_one(paths)
    made, comparison = _compare(config, target)
    sends = [one for one in comparison.differences if one.kind in {"differs", "to be created"}]
    counted = sum(1 for one in sends if made.counts(one.shop, one.pohoda))
    held = made.guard(GuardCount(counted, comparison.in_shop))
    if json_:
        print_json(
            {
                "target": target,
                "offered": comparison.offered,
                "equal": comparison.equal,
                "to_send": len(sends),
                "guard": held,
                "only_in_shop": comparison.only_in_shop,
                "differences": _records(comparison.differences),
            }
        )
        return
    if comparison.differences:
        table(_records(comparison.differences), ["code", "what", "shop", "pohoda", "note"])
        click.echo()
    click.echo(
        f"{comparison.offered} codes on offer in POHODA, {comparison.equal} equal in the shop, {len(sends)} would be"
        f" sent, {len(comparison.differences) - len(sends)} cannot be; {comparison.only_in_shop} only in the shop."
    )
    if held:
        click.echo(f"{counted} of them would be held for your approval: {held}")
    click.echo("Nothing was written.")


@click.command(short_help="Compare POHODA with the shop itself; --repair sends.")
@with_config
@_target
@click.option("--repair", is_flag=True, help="Have the differing keys sent again (bulk lane, within the guards).")
@as_json("target", "offered", "differences", "on_the_way", "repaired", "keys: " + DIFFERENCE)
def reconcile(paths: tuple[Path, ...], target: str, *, repair: bool, json_: bool) -> None:
    """Compare POHODA with the shop itself and report every key that differs.

    Exit code 1 when any does; with --repair, when any cannot be sent (the shop does not know its code).
    """
    config = load_one(paths)
    if repair and not config.state.file.exists():
        raise StateError(
            f"There is no state file {config.state.file} yet, so there is nothing to repair.",
            hint="Start the agent first: pohoda-agent run (or once); it reads the shop and sends what differs.",
        )
    made, comparison = _compare(config, target)
    on_the_way: set[str] = remembered(config, lambda db: outbox.open_keys(db, target), set())
    drifted = [one for one in comparison.differences if one.key not in on_the_way]
    repaired = _repair(config, made, drifted) if repair else 0
    if json_:
        print_json(
            {
                "target": target,
                "offered": comparison.offered,
                "differences": len(drifted),
                "on_the_way": len(comparison.differences) - len(drifted),
                "repaired": repaired,
                "keys": _records(drifted),
            }
        )
    else:
        if drifted:
            table(_records(drifted), ["code", "what", "shop", "pohoda", "note"])
            click.echo()
        waiting = len(comparison.differences) - len(drifted)
        click.echo(
            f"differences: {len(drifted)}  compared: {comparison.offered}  on their way: {waiting}"
            f"  only in the shop: {comparison.only_in_shop}"
        )
        if repaired:
            click.echo(f"{repaired} keys will be sent {who_sends(config)}.")
        elif any(one.kind in REPAIRED for one in drifted):
            name = "" if target == "quantities" else f" --target {target}"
            click.echo(f"To send the differing keys again: pohoda-agent reconcile{name} --repair")
    sys.exit(1 if len(drifted) > repaired else 0)


def _repair(config: Config, target: Target, drifted: Sequence[Difference]) -> int:
    """Note what the shop really holds, so that the guard compares with it, and ask for the keys to be sent.

    The link of what it does not have any more is forgotten: it is looked up once more, and created.
    """
    chosen = [one for one in drifted if one.kind in REPAIRED]
    with writing(config) as db:
        collects = isinstance(target, Collecting)  # what it holds is made anew of the cards
        values = [] if collects else [(one.key, to_json(one.shop)) for one in chosen if one.kind == "differs"]
        missing = [one.key for one in chosen if one.kind != "differs"]
        shadows.remember(db, target.name, values, now=time.time())
        if missing and target.thing in shadows.OF:
            shadows.unlink(db, target.thing, missing)
        cursors.ask_reread(db, target.name, [(one.key, one.code) for one in chosen], lane=outbox.BULK)
    return len(chosen)
