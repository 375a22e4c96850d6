"""The crash test as a test: a short sound run, and three broken builds that it must catch."""

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


def test_every_mutation_is_tried() -> None:
    assert {name for name, _ in BROKEN} == set(MUTATIONS)


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
