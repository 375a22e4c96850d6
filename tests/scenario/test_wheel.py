"""What users install: the wheel, in an empty environment and an empty folder, without this checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.scenario.stage import ROOT

pytestmark = pytest.mark.timeout(300)
Run = subprocess.CompletedProcess[str]


def run(*command: str | Path, folder: Path, environment: dict[str, str] | None = None) -> Run:
    """Run something without this checkout on the path."""
    clean = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    return subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env={**clean, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an empty environment into which the wheel was installed."""
    folder = tmp_path_factory.mktemp("wheel")
    built = run(
        sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder / "dist", ROOT, folder=folder
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = (folder / "dist").glob("*.whl")
    venv.EnvBuilder(with_pip=False, symlinks=os.name != "nt").create(folder / "venv")
    programs = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    got = run(sys.executable, "-m", "pip", "--python", programs / "python", "install", "-q", wheel, folder=folder)
    if got.returncode and "connection" in got.stderr.lower() and not os.environ.get("REQUIRE_REAL"):
        pytest.skip("the packages cannot be downloaded")
    assert got.returncode == 0, got.stderr
    return programs


def assert_plays(played: Run) -> None:
    assert played.returncode == 0, played.stdout + played.stderr
    assert played.stdout.splitlines()[-1].startswith("differences: 0  changes: ")


def test_the_installed_demo_runs_in_an_empty_folder_and_its_commands_work_there(
    installed: Path, tmp_path: Path
) -> None:
    assert_plays(run(installed / "pohoda-agent", "demo", "--seconds", "5", folder=tmp_path))
    shown = run(installed / "pohoda-agent", "outbox", "list", "-c", "pohoda-agent-demo/demo.toml", folder=tmp_path)
    assert shown.returncode == 0
    assert "delivered" in shown.stdout
    assert run(installed / "python", "-m", "agent", "--version", folder=tmp_path).stdout.endswith("0.1.0\n")


def test_a_machine_without_the_odbc_library_runs_it_all_the_same_and_says_what_sql_server_needs(
    installed: Path, tmp_path: Path
) -> None:
    (tmp_path / "stub" / "pyodbc").mkdir(parents=True)
    text = 'raise ImportError("libodbc.so.2: cannot open shared object file: No such file or directory")\n'
    (tmp_path / "stub" / "pyodbc" / "__init__.py").write_text(text, encoding="utf-8")
    without = {"PYTHONPATH": str(tmp_path / "stub")}
    work = tmp_path / "work"
    work.mkdir()
    assert_plays(run(installed / "pohoda-agent", "demo", "--seconds", "2", folder=work, environment=without))
    config = work / "pohoda-agent-demo" / "demo.toml"
    on_server = config.read_text(encoding="utf-8").replace('"pohoda.db"', '"mssql://server/StwPh_1_2026"')
    (work / "server.toml").write_text(on_server, encoding="utf-8")
    said = run(installed / "pohoda-agent", "run", "server.toml", folder=work, environment=without)
    assert said.returncode == 3, said.stdout + said.stderr
    assert "The ODBC library is missing" in said.stderr
    assert "try: Debian: apt install libodbc2" in said.stderr
