"""`pairing`: how the codes of POHODA and of the shop meet, in bulk. Reads both sides, writes nothing anywhere.

``--csv`` is for Czech Excel, which splits at semicolons and takes a file for UTF-8 only by its mark (BOM), and which
takes a cell for a formula by its first character: such a cell gets an apostrophe in front. It is written as bytes, for
a console's or a pipe's own encoding on Windows has neither that mark nor all letters.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path

import click

from agent import parts
from agent.cli.memory import remembered
from agent.cli.output import as_json, load_one, print_json, progress, table, with_config
from agent.config import Config
from agent.errors import ConfigError
from agent.jobs import pairing as job
from agent.jobs.pairing import SECTIONS, Line, Pairing, pair
from state import shadows

SHOWN = 20
"""Lines of a section in the table, unless ``--all`` is given."""
FIELDS = ("code", "name", "pohoda", "link", "stored", "note", "hint")
"""Of a line in JSON and CSV."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")
_READ_BY = ("quantities", "products", "prices")
"""Whose cards and settings are looked at: the first one that is enabled. Pictures do not tell of cards without any."""
_SHOWN: dict[str, tuple[str, str, tuple[str, ...]]] = {
    job.ONLY_IN_POHODA: (
        "Only in POHODA: on offer there, unknown to the shop",
        'give the product in the shop this code, or take the tick "Internet" off the card.',
        ("code", "name"),
    ),
    job.ONLY_IN_SHOP: (
        "Only in the shop: no card in POHODA that is on offer",
        'tick "Internet" on the card, correct the code on either side, or check stores and card_types.',
        ("code", "name", "note", "link"),
    ),
    job.DOUBLED_IN_POHODA: (
        "Doubled in POHODA: several cards count as one code",
        "give the cards different codes, if they are not the same goods.",
        ("code", "name", "pohoda", "note"),
    ),
    job.DOUBLED_IN_SHOP: ("Doubled in the shop: nothing is sent to them", "", ("code", "name", "pohoda", "note")),
    job.PARENTS: ("Parents of variants: nothing is sent to them", "", ("code", "name", "pohoda", "note")),
    job.UNADDRESSABLE: ("Cannot be addressed in the shop", "", ("code", "name", "pohoda", "note")),
    job.LINKS: (
        "Remembered links that lead elsewhere than the shop says",
        "stop the agent, move the state file away, start it: the shop is read anew, and only the differences are sent.",
        ("code", "name", "stored", "link", "note"),
    ),
}
"""Section -> heading, what to try (where the lines do not say it), columns."""


@click.command(short_help="List the codes that do not meet in POHODA and the shop.")
@with_config
@click.option(
    "--csv", "csv_", is_flag=True, help="Print CSV for Excel (semicolons, UTF-8): a line per code, all of them."
)
@click.option("--all", "all_", is_flag=True, help=f"Show all lines of the table, not {SHOWN} of each section.")
@as_json("target", "counts: (pohoda, offered, shop, paired)", *SECTIONS, f"each of these: ({', '.join(FIELDS)})")
def pairing(paths: tuple[Path, ...], *, csv_: bool, all_: bool, json_: bool) -> None:
    """List the codes that do not meet: on one side only, doubled, parents of variants; and links that went astray.

    Reads both sides whole, with or without a state file, and writes nothing anywhere. Exit code 0 when they were read.
    """
    if csv_ and json_:
        raise click.UsageError("Choose --json or --csv.")
    config = load_one(paths)
    target, found = _pair(config)
    if json_:
        print_json(_record(target, found))
    elif csv_:
        _print_bytes(as_csv(found))
    else:
        _print(found, None if all_ else SHOWN)


def _pair(config: Config) -> tuple[str, Pairing]:
    name = next((name for name in _READ_BY if name in config.targets.enabled()), None)
    if name is None:
        raise ConfigError(
            f"{config.path}: pairing reads POHODA's cards as one of {', '.join(_READ_BY)} does, and none is enabled.",
            hint="Add one of these tables, such as [targets.quantities]; pairing writes nothing.",
        )
    with ExitStack() as both:
        shop = both.enter_context(closing(parts.make_shop(config)))
        thing = parts.make_target(config, name, shop).thing
        source = both.enter_context(closing(parts.make_source(config, name)))
        both.callback(progress, "")

        def stored(keys: Sequence[str]) -> dict[str, str]:
            return remembered(config, lambda db: shadows.links_of(db, thing, keys), {})

        return name, pair(source, shop, name, stored=stored, progress=progress)


def _record(target: str, found: Pairing) -> dict[str, object]:
    counts = {"pohoda": found.pohoda, "offered": found.offered, "shop": found.shop, "paired": found.paired}
    lines = {name: [asdict(line) for line in found.sections[name]] for name in SECTIONS}
    return {"target": target, "counts": counts, **lines}


# -------------------------------------------------------------------------------------------------------------- CSV


def as_csv(found: Pairing) -> str:
    """Make the text of the CSV file: section and fields of every line; no cell begins as a formula does."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";")
    writer.writerow(["section", *FIELDS])
    for section in SECTIONS:
        for line in found.sections[section]:
            writer.writerow([section, *map(_harmless, asdict(line).values())])
    return text.getvalue()


def _harmless(cell: str | None) -> str:
    text = cell or ""
    return f"'{text}" if text.startswith(FORMULA) else text


def _print_bytes(text: str) -> None:
    """Print as UTF-8 with its mark, whatever the console's encoding is."""
    data = text.encode("utf-8-sig", "replace")
    sys.stdout.flush()
    binary = getattr(sys.stdout, "buffer", None)
    if binary is None:  # something in memory, which takes text only
        sys.stdout.write(data.decode("utf-8"))
        return
    binary.write(data)
    binary.flush()


# ------------------------------------------------------------------------------------------------------------ table


def _print(found: Pairing, most: int | None) -> None:
    click.echo(
        f"POHODA: {found.pohoda} codes, {found.offered} on offer. Shop: {found.shop} codes. Paired: {found.paired}."
    )
    for section in SECTIONS:
        click.echo(f"  {len(found.sections[section]):>7}  {_SHOWN[section][0]}")
    for section in SECTIONS:
        if found.sections[section]:
            _print_section(section, found.sections[section], most)


def _print_section(section: str, lines: Sequence[Line], most: int | None) -> None:
    heading, hint, columns = _SHOWN[section]
    shown = lines if most is None else lines[:most]
    click.echo(f"\n{heading} ({len(lines)})")
    table([asdict(line) for line in shown], columns)
    if len(shown) < len(lines):
        click.echo(f"… and {len(lines) - len(shown)} more: --all")
    for what in [hint] if hint else dict.fromkeys(line.hint for line in shown if line.hint):
        click.echo(f"  try: {what}")
