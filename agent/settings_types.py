"""Durations, shares and the like, as they are written in a configuration file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Strict

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def seconds(value: Any) -> float:  # noqa: ANN401 - whatever TOML holds
    """Read a duration such as "500ms", "1s", "5m", "1h"; a bare number would leave its unit to guessing."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h)\s*", value) if isinstance(value, str) else None
    if match is None:
        raise ValueError('write a duration with its unit: "500ms", "1s", "5m", "1h"')
    return float(match[1]) * _UNITS[match[2]]


def share(value: Any) -> float | None:  # noqa: ANN401 - whatever TOML holds
    """Read a share such as "20%"; "off" means no limit."""
    if value == "off":
        return None
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%\s*", value) if isinstance(value, str) else None
    if match is None or not 0 < float(match[1]) <= 100:
        raise ValueError('write a share between 0% and 100%, such as "20%", or "off"')
    return float(match[1]) / 100


def language(value: Any) -> Any:  # noqa: ANN401 - whatever TOML holds
    """Read a code of a language such as "cs" or "pt_BR"."""
    if isinstance(value, str) and not re.fullmatch("[a-z]{2,3}(?:[-_][A-Za-z]{2,8})?", value):
        raise ValueError('write the code of a language, such as "cs"')
    return value


Language = Annotated[str, BeforeValidator(language)]
Duration = Annotated[float, BeforeValidator(seconds)]
Share = Annotated[float | None, BeforeValidator(share)]
FilePath = Annotated[Path, Strict(strict=False)]  # strict, a text would be no path


class Table(BaseModel):
    """One table of the file: unknown keys are errors, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
