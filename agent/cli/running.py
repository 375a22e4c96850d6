"""`run`, `once`, `demo`: the commands that do the work."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import click
from click.core import ParameterSource

from agent import app, log
from agent.app import Left
from agent.cli.output import load_configs, load_one, with_config
from agent.clock import steady_clock
from agent.config import Config
from agent.demo import show


def _log_options(function: click.decorators.FC) -> click.decorators.FC:
    function = click.option("--log-json", is_flag=True, help="Write events as JSON lines.")(function)
    return click.option("-v", "--verbose", is_flag=True, help="Say more.")(function)


def _set_up(configs: list[Config], *, log_json: bool, verbose: bool) -> None:
    secrets = [secret for config in configs for secret in config.secrets()]
    log.set_up(as_json=log_json, verbose=verbose, redact=log.redactor(secrets))


def stop_on_signals() -> threading.Event:
    """Make an event that Ctrl-C, SIGTERM and Ctrl-Break set."""
    stop = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):  # SIGBREAK: Ctrl-Break, how a Windows wrapper stops a console
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), ask)
    return stop


@click.command(short_help="Run the agent until it is stopped.")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@with_config
@_log_options
def run(files: tuple[Path, ...], paths: tuple[Path, ...], *, log_json: bool, verbose: bool) -> None:
    """Run the agent until it is stopped: one file per shop, all in one process.

    Stops within 5 seconds on Ctrl-C, SIGTERM or Ctrl-Break; nothing is lost, it goes on where it was.
    """
    named = click.get_current_context().get_parameter_source("paths") is not ParameterSource.ENVIRONMENT
    configs = load_configs([*files, *(paths if named or not files else ())])
    _set_up(configs, log_json=log_json, verbose=verbose)
    stop = stop_on_signals()
    sys.exit(app.run(configs, stop, steady_clock()))


@click.command()
@with_config
@_log_options
@click.option("--patience", default=60.0, show_default=True, help="Seconds to wait for a shop that does not answer.")
def once(paths: tuple[Path, ...], *, log_json: bool, verbose: bool, patience: float) -> None:
    """Take in and deliver all there is, then end. Exit code 1 when something still waits (not for dead letters)."""
    config = load_one(paths)
    _set_up([config], log_json=log_json, verbose=verbose)
    try:
        left = app.once(config, steady_clock(), patience=patience, sleep=time.sleep)
    except KeyboardInterrupt:
        click.echo("interrupted; nothing is lost, it goes on next time", err=True)
        sys.exit(1)
    for line in _leftovers(left):
        click.echo(line)
    waits = left.pending or left.held or left.unread
    if not waits:
        click.echo(f"nothing left to deliver to {config.shop.name}")
    sys.exit(1 if waits else 0)


def _leftovers(left: Left) -> Iterator[str]:
    """Say what waits, why, and what a person can do about it."""
    if left.pending or left.unread:
        if left.paused:
            why = "the target is paused. Try: pohoda-agent resume quantities"
        else:
            why = left.reason or "they are tried again later. Try: pohoda-agent outbox list --status pending"
        what = "the shop could not be read whole" if left.unread else "they wait"
        yield f"{left.pending} deliveries are still waiting; {what}: {why}"
    if left.held:
        yield f"{left.held} deliveries are held for your approval. Try: pohoda-agent outbox list --held"
    if left.dead:
        yield f"{left.dead} dead letters. Try: pohoda-agent outbox list --dead"


@click.command(short_help="Try it: POHODA and the shop are embedded.")
@click.option(
    "--seconds",
    type=click.FloatRange(1, 86_400),
    default=20.0,
    show_default=True,
    help="How long the simulated morning lasts.",
)
@click.option(
    "--cards",
    type=click.IntRange(1, 1_000_000),
    default=500,
    show_default=True,
    help="How many stock cards the embedded POHODA has.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("pohoda-agent-demo"),
    show_default=True,
    help="Where the demo's files go; they stay, to be looked at.",
)
def demo(seconds: float, cards: int, folder: Path) -> None:
    """Try it without POHODA and without a shop: both are embedded, the agent is the real one.

    At the end both sides are compared key by key; exit code 1 if anything differs, or if it is cut short by Ctrl-C.
    """
    log.set_up(as_json=False, verbose=False, redact=log.redactor([]))
    sys.exit(show.play(folder, seconds=seconds, cards=cards, stop=stop_on_signals(), say=click.echo))
