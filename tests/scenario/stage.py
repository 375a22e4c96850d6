"""The stage of the scenarios: a folder with POHODA's tables and a configuration, a shop on a real socket, the agent.

`Stage.cli` runs a command in this process, through the program's own entrance; `Stage.agent` starts it as a child.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from agent.cli import main
from agent.config import load
from agent.demo import pohoda
from agent.demo.prestashop import FakePrestaShop
from agent.events import key_of

ROOT = Path(__file__).resolve().parents[2]
CONFIG: dict[str, dict[str, object]] = {
    "shop": {"name": "eshop", "kind": "prestashop", "timeout": "400ms"},
    "state": {"file": "state.db"},
    "pohoda": {"database": "pohoda.db"},
    "targets.quantities": {"poll": "100ms", "deduct": "none"},
}
STOP = signal.SIGTERM if os.name != "nt" else int(getattr(signal, "CTRL_BREAK_EVENT", 1))
"""How a service wrapper asks a program to end."""
SOON = 15.0
"""Seconds that a busy machine may take for what is done at once."""


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever the command printed
        return json.loads(self.out)

    @property
    def all(self) -> str:
        return self.out + self.err


class Agent:
    """The agent as a child process; what it says goes to a file."""

    def __init__(self, folder: Path, *arguments: str, environment: dict[str, str] | None = None) -> None:
        self.log = folder / "agent.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "agent", *arguments],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
                stdout=log,
                stderr=log,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def stop(self, how: int = STOP, *, within: float = 10.0) -> tuple[int, float]:
        """Ask it to stop; returns its exit code and how many seconds it took. Kills it after ``within``."""
        begin = time.monotonic()
        self.process.send_signal(how)
        try:
            code = self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the agent did not stop:\n{self.said()[-2000:]}") from None
        return code, time.monotonic() - begin

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@dataclass
class Stage:
    """One shop, one POHODA, one configuration in one folder."""

    folder: Path
    shop: FakePrestaShop
    agents: list[Agent] = field(default_factory=list)

    def __post_init__(self) -> None:
        pohoda.create(self.database, stores=("HLAVNI", "PRODEJNA"), cards=0)
        self.configure()

    # -- the two sides ------------------------------------------------------------------------------------------------

    @property
    def database(self) -> Path:
        return self.folder / "pohoda.db"

    @property
    def state(self) -> Path:
        return self.folder / "state.db"

    @property
    def config(self) -> Path:
        return self.folder / "eshop.toml"

    def configure(self, **settings: object) -> Path:
        """Write the configuration; keywords like ``shop__rate_limit=5`` or ``quantities__stores=["HLAVNI"]``."""
        tables = {name: dict(table) for name, table in CONFIG.items()}
        tables["shop"] |= {"url": self.shop.url, "key": self.shop.key}
        for name, value in settings.items():
            table, _, key = name.partition("__")
            tables["targets.quantities" if table == "quantities" else table][key] = value
        self.config.write_text(toml(tables), encoding="utf-8")
        return self.config

    def sql(self, statement: str, *values: object) -> list[Any]:
        """Do something in POHODA, committed at once."""
        connection = sqlite3.connect(self.database, isolation_level=None, timeout=5)
        try:
            return connection.execute(statement, values).fetchall()
        finally:
            connection.close()

    def card(self, code: str, pieces: float, *, store: int = 1, internet: int = 1, reserved: float = 0) -> None:
        """Put a card into POHODA."""
        self.sql(
            "INSERT INTO SKz (IDS, StavZ, Rezer, RefSklad, IObchod, RelSkTyp, Template, Nazev)"
            " VALUES (?, ?, ?, ?, ?, 1, 0, ?)",
            *(code, pieces, reserved, store, internet, f"Zboží {code}"),
        )

    def pieces(self, code: str, pieces: float) -> None:
        """Give a card another stock."""
        self.sql("UPDATE SKz SET StavZ = ? WHERE IDS = ?", pieces, code)

    def both(self, count: int, *, pieces: int = 5, held: int | None = None, prefix: str = "A") -> list[str]:
        """Put cards on both sides: ``pieces`` in POHODA, ``held`` (default: the same) in the shop."""
        codes = [f"{prefix}-{number:04d}" for number in range(1, count + 1)]
        connection = sqlite3.connect(self.database)
        with connection:
            connection.executemany(
                "INSERT INTO SKz (IDS, StavZ, RefSklad, IObchod, RelSkTyp, Template) VALUES (?, ?, 1, 1, 1, 0)",
                [(code, pieces) for code in codes],
            )
        connection.close()
        self.shop.add_products((code, pieces if held is None else held) for code in codes)
        return codes

    def differences(self) -> dict[str, tuple[int, int | None]]:
        """Compare both sides without the agent: code -> (POHODA, shop) of every code on offer that differs."""
        (config,) = load([self.config])
        assert config.targets.quantities is not None
        held = {key_of(code): pieces for code, pieces in self.shop.quantities().items()}
        expected = pohoda.expected(self.database, config.targets.quantities)
        return {key: (pieces, held.get(key)) for key, pieces in expected.items() if held.get(key) != pieces}

    def sent(self, since: int = 0) -> list[tuple[str, int]]:
        """What the agent wrote into the shop, in order, from the ``since``-th write on."""
        return [(write.reference, write.quantity) for write in self.shop.writes()[since:]]

    # -- the agent ----------------------------------------------------------------------------------------------------

    def cli(self, *arguments: str, config: bool = True) -> Said:
        """Run a command in this process, through `agent.cli.main`."""
        said = ["pohoda-agent", *arguments, *(["--config", str(self.config)] if config else [])]
        out, err, code = io.StringIO(), io.StringIO(), 0
        streams = contextlib.redirect_stdout(out), contextlib.redirect_stderr(err)
        with logging_kept(), streams[0], streams[1], mock.patch.object(sys, "argv", said):
            try:
                main()
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 1
        return Said(code, out.getvalue(), err.getvalue())

    def once(self, *, patience: float = 10.0) -> Said:
        return self.cli("once", "--patience", str(patience))

    @contextlib.contextmanager
    def agent(self, *more: str, environment: dict[str, str] | None = None, baseline: bool = True) -> Iterator[Agent]:
        """Run the agent as a child; yields when it runs and its baseline is complete. Killed at the end if need be."""
        (self.folder / "agent.log").unlink(missing_ok=True)
        child = Agent(self.folder, "run", str(self.config), *more, environment=environment)
        try:
            self.until(lambda: "running" in child.said(), agent=child)
            if baseline:
                self.until(lambda: self.target().get("baseline") == "complete", agent=child)
            yield child
        finally:
            child.kill()

    def until(self, condition: Callable[[], object], seconds: float = SOON, *, agent: Agent | None = None) -> float:
        """Wait for something; returns how many seconds it took. Fails with what the agent said."""
        begin = time.monotonic()
        while not condition():
            if time.monotonic() > begin + seconds or (agent and agent.process.poll() is not None):
                log = self.folder / "agent.log"
                said = log.read_text(encoding="utf-8")[-2000:] if log.exists() else ""
                raise AssertionError(f"in vain for {seconds} s; {self.target()}; {self.differences()}\n{said}")
            time.sleep(0.03)
        return time.monotonic() - begin

    def quiet(self) -> bool:
        """Tell whether both sides are equal and nothing is on its way."""
        target = self.target()
        return not self.differences() and not target.get("pending") and not target.get("resting")

    # -- its memory ---------------------------------------------------------------------------------------------------

    def target(self) -> dict[str, Any]:
        """The record of the target in ``status``; empty before there is one."""
        if not self.state.exists():
            return {}
        try:
            sql = "SELECT baseline, paused FROM target WHERE name = 'quantities'"
            standing = self.memory(sql)
            counts = dict(self.memory("SELECT status, count(*) FROM delivery GROUP BY 1"))
            resting = self.memory("SELECT count(*) FROM rest WHERE phase = 'rest'")[0][0]
        except sqlite3.Error:  # just being made
            return {}
        found = {"baseline": standing[0][0], "paused": standing[0][1]} if standing else {}
        return {**found, "pending": 0, "held": 0, "dead": 0, **counts, "resting": resting}

    def memory(self, sql: str) -> Sequence[tuple[Any, ...]]:
        """Look into the state file."""
        connection = sqlite3.connect(f"{self.state.as_uri()}?mode=ro", uri=True, timeout=5)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()


def toml(tables: dict[str, dict[str, object]]) -> str:
    """Write tables as TOML; JSON's texts, numbers, lists and truths are TOML's."""
    parts = []
    for name, table in tables.items():
        lines = [
            f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in table.items() if value is not None
        ]
        parts.append("\n".join([f"[{name}]", *lines]))
    return "\n\n".join(parts) + "\n"


@contextlib.contextmanager
def logging_kept() -> Iterator[None]:
    """Put logging back to what it was: a command sets it up for its own process."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        logging.captureWarnings(capture=False)
        root.handlers[:] = handlers
        root.setLevel(level)


@contextlib.contextmanager
def stage(folder: Path, **shop: Any) -> Iterator[Stage]:  # noqa: ANN401 - the fake shop's own keywords
    """Set the stage; nothing of it survives but the folder."""
    with FakePrestaShop(**shop) as fake:
        yield Stage(folder, fake)
        assert fake.internal_errors == []
