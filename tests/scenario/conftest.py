"""The fixture of all scenarios."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenario.stage import Stage, stage


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Stage]:
    """An empty POHODA, an empty shop, a configuration."""
    with stage(tmp_path) as ready:
        yield ready
