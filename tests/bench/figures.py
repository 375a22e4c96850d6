"""What a benchmark hands back, and how it is printed: a table, notes, and one last line of figures."""

from __future__ import annotations

import json
import math
import os
import platform
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The first row of ``table`` is its heading; ``figures`` are printed in their order; NaN is "not measured"."""

    figures: dict[str, float]
    table: Sequence[Row]
    notes: Sequence[str] = ()


def plain(number: float) -> str:
    """Write a number with three significant digits, without an exponent."""
    if math.isnan(number):
        return "nan"
    digits = 0 if abs(number) >= 100 else 1 if abs(number) >= 10 else 2 if abs(number) >= 1 else 4
    return f"{number:.{digits}f}"


def as_line(report: Report) -> str:
    """The last line: ``key=value`` for each figure."""
    return " ".join(f"{name}={plain(value)}" for name, value in report.figures.items())


def as_json(report: Report) -> str:
    """The figures as one JSON object; what was not measured is null."""
    return json.dumps({name: None if math.isnan(value) else value for name, value in report.figures.items()})


def as_table(report: Report) -> str:
    """The table in columns, the notes, and on which machine and when it was measured."""
    widths = [max(len(row[at]) for row in report.table) for at in range(len(report.table[0]))]
    lines = [
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in report.table
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:], *report.notes, machine()])


def machine() -> str:
    """Say on what this was measured: date, processors, Python, SQLite."""
    when = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{when}, {platform.system()} {platform.machine()}, {os.cpu_count()} processors{load},"
        f" Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )
