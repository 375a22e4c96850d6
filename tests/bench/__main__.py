"""The command line of the benchmarks; see the package."""

from __future__ import annotations

import argparse
import importlib
import shutil
import sys
import tempfile
from pathlib import Path

from tests.bench.figures import Report, as_json, as_line, as_table

NAMES = ("outbox", "detect", "drain", "latency", "idle", "recovery", "growth", "xml")
"""One module each, with ``run(folder, *, quick) -> Report``."""


def main() -> None:
    """Run one benchmark; the last line of the output holds its figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--quick", action="store_true", help="small numbers: shows that it runs, not how fast")
    parser.add_argument("--json", action="store_true", help="the figures as one JSON object; the table goes to stderr")
    parser.add_argument("--folder", type=Path, help="on which disk to work (default: the temporary folder)")
    said = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix=f"pohoda-bench-{said.name}-", dir=said.folder))
    try:
        report: Report = importlib.import_module(f"tests.bench.{said.name}").run(folder, quick=said.quick)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(as_table(report), file=sys.stderr if said.json else sys.stdout)
    print(as_json(report) if said.json else as_line(report))


if __name__ == "__main__":
    main()
