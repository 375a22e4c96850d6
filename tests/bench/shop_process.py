"""The fake shop in a process of its own, so that what it costs is not counted as the program's.

The child is told what to hold by a file of "code TAB quantity" lines, says where it listens, and then answers one JSON
line to each line that it is given: ``count``, ``latency SECONDS``, ``codes``, ``stop``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from agent.demo.prestashop import FakePrestaShop

ROOT = Path(__file__).resolve().parents[2]


class ShopProcess:
    """The parent's side. Use it as a context; ``products`` are code and quantity, their row ids count from 1."""

    def __init__(self, folder: Path, products: Iterable[tuple[str, int]], *, ledger: bool = False) -> None:
        self.ledger = folder / "ledger.jsonl"
        file = folder / "products.txt"
        file.write_text("".join(f"{code}\t{quantity}\n" for code, quantity in products), encoding="utf-8")
        command = [sys.executable, "-m", "tests.bench.shop_process", str(file)]
        self._child = subprocess.Popen(
            [*command, *(["--ledger", str(self.ledger)] if ledger else [])],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        told = self._hear()
        self.url, self.key = str(told["url"]), str(told["key"])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError, ValueError):
            self.ask("stop")
        try:
            self._child.wait(10)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                pipe.close()

    def count(self) -> int:
        """How many quantities the shop has accepted."""
        return int(self.ask("count")["writes"])

    def latency(self, seconds: float) -> None:
        """Let every request take longer by this."""
        self.ask(f"latency {seconds}")

    def ask(self, line: str) -> dict[str, Any]:
        """Say a line, hear the answer."""
        assert self._child.stdin is not None
        self._child.stdin.write(line + "\n")
        self._child.stdin.flush()
        return self._hear()

    def _hear(self) -> dict[str, Any]:
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line:
            raise ValueError("the shop's process has ended")
        told: dict[str, Any] = json.loads(line)
        return told


def link(row: int) -> str:
    """The link to the stock row of the product with this number, as the adapter writes it."""
    return f"{row}:{row}:0"


def _serve(products: Path, ledger: Path | None) -> None:
    lines = (line.rstrip("\n").split("\t") for line in products.open(encoding="utf-8"))
    with FakePrestaShop(ledger=ledger) as shop:
        ids = shop.add_products((code, int(quantity)) for code, quantity in lines)
        rows = list(shop.store.tables["stock_availables"].rows)
        assert ids == rows == list(range(1, len(ids) + 1)), "a product and its stock row have different numbers"
        _say({"url": shop.url, "key": shop.key})
        for line in sys.stdin:
            match line.split():
                case ["count"]:
                    _say({"writes": len(shop.writes())})
                case ["latency", seconds]:
                    shop.latency = float(seconds)
                    _say({})
                case _:
                    _say({"errors": shop.internal_errors[:1]})
                    return


def _say(told: dict[str, Any]) -> None:
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("products", type=Path)
    parser.add_argument("--ledger", type=Path)
    given = parser.parse_args()
    _serve(given.products, given.ledger)
