"""The crash test as a test: short sound runs, and broken builds that it must catch."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.crash.child import ROOT
from tests.crash.mutations import MUTATIONS
from tests.mssql.drivers import Driver, need

BROKEN = [
    ("cursor-before-commit", "before-ingest-commit"),
    ("settle-before-answer", "before-send,after-send"),
    ("shadow-while-pending", "before-send,after-settle"),
]
"""Each mistake with the moments at which it shows soonest."""
BROKEN_CATALOGUE = [
    ("create-without-a-look", "database", ("--points", "after-intent,after-send", "--kills", "2", "--cards", "30")),
    ("upload-without-a-look", "database", ("--points", "after-send", "--kills", "2", "--cards", "30")),
    ("place-before-rows", "export-directory", ("--points", "before-intake-commit", "--kills", "4", "--cards", "60")),
]
"""Mistakes with products, pictures and files: where they are read, and how they show soonest."""
BROKEN_THINGS = ["category-without-a-look", "term-without-a-rest", "state-without-a-look", "stock-not-read-again"]
"""Mistakes with what products point to, and with orders."""


def test_every_mutation_is_tried() -> None:
    assert {name for name, *_ in [*BROKEN, *BROKEN_CATALOGUE, *((one,) for one in BROKEN_THINGS)]} == set(MUTATIONS)


def crash(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.crash", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)


@pytest.mark.parametrize("strategy", ["fingerprint", "modified-at", "rowversion"])
def test_nothing_is_lost_or_goes_backwards_when_the_agent_is_killed(strategy: str) -> None:
    result = crash("--kills", "8", "--cards", "400", "--strategy", strategy)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "kills=8 lost=0 regressed=0" in result.stdout.splitlines()[-1]


@pytest.mark.parametrize(("name", "points"), BROKEN)
def test_a_broken_build_is_caught(name: str, points: str) -> None:
    """Where the kills fall is chance: one of three runs must show it (a sound build shows it in none)."""
    for seed in ("1", "2", "3"):
        result = crash("--kills", "8", "--cards", "600", "--mutation", name, "--points", points, "--seed", seed)
        last = result.stdout.splitlines()[-1]
        assert last.startswith("kills=")
        if " lost=0 regressed=0 " not in last:
            assert result.returncode == 1, result.stdout + result.stderr
            return
    pytest.fail(f"{name} was not caught: {last}")


@pytest.mark.parametrize(("strategy", "driver"), [("rowversion", "FreeTDS"), ("fingerprint", "Microsoft")])
def test_nothing_is_lost_when_the_sql_server_is_restarted_too(strategy: str, driver: Driver) -> None:
    need(driver)
    options = ("--database", "mssql", "--strategy", strategy, "--driver", driver)
    result = crash("--kills", "3", "--cards", "300", *options)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "kills=3 lost=0 regressed=0" in result.stdout.splitlines()[-1]


def test_nothing_is_lost_or_doubled_when_the_agent_is_killed_amid_files_and_creations() -> None:
    result = crash("--kills", "5", "--cards", "40", "--source", "export-directory")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "kills=5 lost=0 doubled=0" in result.stdout.splitlines()[-1]


@pytest.mark.parametrize(("name", "source", "options"), BROKEN_CATALOGUE)
def test_a_build_that_loses_or_doubles_goods_is_caught(name: str, source: str, options: tuple[str, ...]) -> None:
    """As above: one of three runs must show it."""
    for seed in ("1", "2", "3"):
        result = crash(*options, "--source", source, "--mutation", name, "--seed", seed)
        last = result.stdout.splitlines()[-1]
        assert last.startswith("kills=")
        if " lost=0 doubled=0 " not in last:
            assert result.returncode == 1, result.stdout + result.stderr
            return
    pytest.fail(f"{name} was not caught: {last}")


def test_nothing_is_lost_or_doubled_and_nothing_goes_backwards_when_all_targets_run() -> None:
    result = crash("--kills", "4", "--cards", "20", "--target", "all")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "kills=4 lost=0 regressed=0 doubled=0" in result.stdout.splitlines()[-1]


@pytest.mark.parametrize("name", BROKEN_THINGS)
def test_a_build_that_doubles_things_or_misleads_customers_is_caught(name: str) -> None:
    """As above: one of five runs must show it."""
    for seed in ("1", "2", "3", "4", "5"):
        result = crash("--kills", "2", "--cards", "16", "--target", "all", "--mutation", name, "--seed", seed)
        last = result.stdout.splitlines()[-1]
        assert last.startswith("kills=")
        if " lost=0 regressed=0 doubled=0 " not in last:
            assert result.returncode == 1, result.stdout + result.stderr
            return
    pytest.fail(f"{name} was not caught: {last}")
