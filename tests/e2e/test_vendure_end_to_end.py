"""The whole way on a real Vendure: cards change in POHODA; the shop is killed, started again and frozen on the way."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.demo import pohoda
from agent.settings_targets import QuantitiesTable

from .vendure import PASSWORD, USER, RealVendure, running_vendure

pytestmark = pytest.mark.timeout(600)
ROOT = Path(__file__).resolve().parents[2]
CARDS = 200
QUANTITIES = QuantitiesTable(deduct="reservations", safety_stock=1)
CONFIG = f"""\
[shop]
name = "e2e"
kind = "vendure"
url = "{{url}}"
user = "{USER}"
password = "${{{{SHOP_PASSWORD}}}}"
timeout = "1500ms"
[state]
file = "state.db"
[pohoda]
database = "pohoda.db"
[targets.quantities]
poll = "300ms"
deduct = "reservations"
safety_stock = 1
"""


@contextmanager
def agent(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The real agent as a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SHOP_PASSWORD": PASSWORD}
    with (folder / "agent.log").open("ab") as log:
        command = [sys.executable, "-m", "agent", "run", "eshop.toml"]
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            assert process.wait(8) == 0


def expected(folder: Path) -> dict[str, int]:
    return pohoda.expected(folder / "pohoda.db", QUANTITIES)


def differing(folder: Path, shop: RealVendure, offered: set[str]) -> list[str]:
    wanted = expected(folder)
    held = {code.casefold(): quantity for code, quantity in shop.stock().items()}
    return [
        f"{key}: {wanted.get(key, 0)} {held.get(key)}" for key in sorted(offered) if held[key] != wanted.get(key, 0)
    ]


def work(folder: Path, seed: int, changes: int, seconds: float) -> None:
    people = pohoda.Morning(folder / "pohoda.db", seed=seed)
    for _ in range(changes):
        people.sale()
        people.reservation()
        people.receipt()
        time.sleep(seconds / changes)
    people.close()


def settle(folder: Path, shop: RealVendure, offered: set[str], seconds: float) -> list[str]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        wrong = differing(folder, shop, offered)
        if not wrong and not open_work(folder):
            return []
        time.sleep(0.3)
    return differing(folder, shop, offered)


def open_work(folder: Path) -> int:
    return int(count(folder, "SELECT (SELECT count(*) FROM delivery WHERE settled_at IS NULL)"
                             " + (SELECT count(*) FROM rest)"))  # fmt: skip # one statement


def count(folder: Path, sql: str) -> int:
    connection = sqlite3.connect((folder / "state.db").as_uri() + "?mode=ro", uri=True)
    try:
        return int(connection.execute(sql).fetchone()[0])
    finally:
        connection.close()


def wait_for_baseline(folder: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        time.sleep(0.3)
        if (folder / "state.db").exists():
            try:
                if count(folder, "SELECT count(*) FROM target WHERE baseline = 'complete'"):
                    return
            except sqlite3.Error:
                continue
    raise AssertionError((folder / "agent.log").read_text(encoding="utf-8"))


def test_both_sides_are_equal_after_the_shop_was_killed_restarted_and_frozen(tmp_path: Path) -> None:
    pohoda.create(tmp_path / "pohoda.db", cards=CARDS, seed=3)
    codes = pohoda.codes(tmp_path / "pohoda.db")
    with running_vendure(tmp_path / "shop") as shop:
        shop.create_products(codes, quantity=5)
        (tmp_path / "eshop.toml").write_text(CONFIG.format(url=shop.url), encoding="utf-8")
        offered = set(expected(tmp_path))
        with agent(tmp_path):
            wait_for_baseline(tmp_path)
            assert settle(tmp_path, shop, offered, 30) == []

            work(tmp_path, 1, 30, 3)
            shop.kill()
            work(tmp_path, 2, 20, 2)
            shop.start()
            work(tmp_path, 3, 20, 2)
            shop.freeze()
            work(tmp_path, 4, 30, 4)
            shop.thaw()
            work(tmp_path, 5, 20, 2)
            assert settle(tmp_path, shop, offered, 60) == []
        links = count(tmp_path, "SELECT count(*) FROM link")
        assert links == len(codes)

        # the agent was away: cards change behind it, and a shop that is down is not forgotten either
        work(tmp_path, 6, 20, 0.5)
        shop.kill()
        with agent(tmp_path):
            time.sleep(2.5)
        assert count(tmp_path, "SELECT count(*) FROM meta WHERE name = 'breaker' AND value NOT LIKE '%failures\": 0%'")
        shop.start()
        with agent(tmp_path):
            assert settle(tmp_path, shop, offered, 60) == []
        assert count(tmp_path, "SELECT count(*) FROM link") == links
        assert count(tmp_path, "SELECT count(*) FROM delivery WHERE status = 'dead'") == 0
    text = (tmp_path / "agent.log").read_text(encoding="utf-8")
    assert "Traceback" not in text
    assert text.count("baseline complete") == 1  # no reconcile, no second baseline
