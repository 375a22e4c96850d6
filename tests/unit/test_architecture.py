"""The arrows of the house: who may know whom. Read from the imports themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOP = {"pyproject.toml", "README.md", "agent", "state", "tests", "config"}


def modules(*folders: str) -> Iterator[Path]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "demo" not in path.relative_to(ROOT).parts:
                yield path


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def uses(path: Path, package: str) -> bool:
    return any(name == package or name.startswith(package + ".") for name in imports(path))


def who_uses(package: str, *folders: str) -> set[str]:
    return {path.relative_to(ROOT).as_posix() for path in modules(*folders) if uses(path, package)}


def test_state_knows_nothing_of_agent() -> None:
    assert who_uses("agent", "state") == set()


def test_sources_and_shops_know_neither_each_other_nor_state() -> None:
    assert who_uses("agent.shops", "agent/sources") | who_uses("state", "agent/sources") == set()
    assert who_uses("agent.sources", "agent/shops") | who_uses("state", "agent/shops") == set()


def test_only_loop_starts_threads() -> None:
    starters = {
        path.relative_to(ROOT).as_posix()
        for path in modules("agent", "state")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("Thread", "Timer", "ThreadPoolExecutor"))
    }
    assert starters == {"agent/loop.py"}


def test_only_shops_import_httpx() -> None:
    assert {name.rsplit("/", 1)[0] for name in who_uses("httpx", "agent", "state")} == {"agent/shops"}


def test_only_sources_import_the_database_and_file_libraries() -> None:
    for package in ("sqlalchemy", "pyodbc", "watchdog"):
        users = who_uses(package, "agent", "state")
        assert all(name.startswith("agent/sources/") for name in users), (package, users)


def test_only_state_imports_sqlite3() -> None:
    assert all(name.startswith("state/") for name in who_uses("sqlite3", "agent", "state"))


def test_only_parts_names_every_class() -> None:
    kinds = {"agent.shops.prestashop", "agent.shops.vendure", "agent.sources.pohoda_db", "agent.targets.quantities"}
    outside = {
        path.relative_to(ROOT).as_posix()
        for path in modules("agent")
        if path.parent.name not in {"shops", "sources", "targets", "views"} and imports(path) & kinds
    }
    assert outside == {f"agent/parts/{room}.py" for room in ("shops", "sources", "targets")}


def test_modules_stay_small() -> None:
    large = {
        path.relative_to(ROOT).as_posix(): lines
        for path in (ROOT / folder for folder in ("agent", "state"))
        for path in path.rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert large == {}


def test_the_top_level_is_as_given() -> None:
    tracked = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert tracked - {"build", "dist", "pohoda-agent-demo"} <= TOP | {"pohoda_agent.egg-info"}
    assert tracked >= TOP
