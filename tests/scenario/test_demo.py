"""The demo is the first thing that anybody runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def demo(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "agent", "demo", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_demo_ends_with_equal_sides_and_its_folder_can_be_looked_at(tmp_path: Path) -> None:
    result = demo(tmp_path, "--seconds", "5")
    assert result.returncode == 0, result.stdout + result.stderr
    last = result.stdout.splitlines()[-1]
    match = re.fullmatch(r"differences: 0  changes: (\d+)  p50: \d+ ms  p99: \d+ ms", last)
    assert match, last
    assert int(match[1]) > 20
    tries = [line.split()[3:] for line in result.stdout.splitlines() if line.startswith("  python -m agent ")]
    assert [words[0] for words in tries] == ["status", "outbox", "explain"]
    for words in tries:
        command = [sys.executable, "-m", "agent", *words]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        shown = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert shown.stdout, shown.stderr


def test_the_demo_never_deletes_files_that_are_not_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "pohoda-agent-demo"
    folder.mkdir()
    (folder / "letters.txt").write_text("mine", encoding="utf-8")
    result = demo(tmp_path, "--seconds", "1")
    assert result.returncode == 2
    assert "letters.txt" in result.stderr
    assert "try:" in result.stderr
    assert (folder / "letters.txt").read_text(encoding="utf-8") == "mine"
