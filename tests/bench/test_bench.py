"""The benchmarks run and say all their figures; how fast anything is depends on the machine and is not judged here."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIGURES = {
    "outbox": ["enqueue_ratio", "settle_ratio", "fsync_per_event", "growth", "aa"],
    "detect": ["cursor_ratio", "fingerprint_ratio", "idle_ms", "aa"],
    "drain": ["changes_per_s", "shop_ratio", "aa"],
    "latency": ["poll_ms", "shop_ms", "p50_ms", "p99_ms"],
    "idle": ["cpu_percent", "rss_mb"],
    "recovery": ["first_write_s"],
    "growth": [
        *("growth_first_pass", "growth_warm_pass", "growth_idle", "growth_changed"),
        *("rss_mb_per_100k", "bytes_per_card", "aa"),
    ],
    "xml": ["cold_ratio", "warm_ratio", "rss_growth_mb", "aa"],
}


def last_line(name: str, folder: Path, *more: str) -> str:
    command = [sys.executable, "-m", "tests.bench", name, "--quick", "--folder", str(folder), *more]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("name", [name for name in FIGURES if name != "drain"])
def test_the_last_line_holds_every_figure(name: str, tmp_path: Path) -> None:
    pairs = [pair.split("=") for pair in last_line(name, tmp_path).split(" ")]
    assert [key for key, _ in pairs] == FIGURES[name]
    assert all(math.isnan(float(value)) or float(value) >= -100 for _, value in pairs)
    assert list(tmp_path.iterdir()) == []


def test_json_holds_the_same_figures_as_one_object(tmp_path: Path) -> None:
    figures = json.loads(last_line("drain", tmp_path, "--json"))
    assert list(figures) == FIGURES["drain"]
    assert all(isinstance(value, float) for value in figures.values())
