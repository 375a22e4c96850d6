"""What the README tells to type works where it says: PowerShell 5.1 knows no ``&&``; options follow commands."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from agent.cli import cli

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_commands_for_windows_are_one_a_line() -> None:
    blocks = re.findall(r"^```bat\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert blocks
    assert not any(mark in block for block in blocks for mark in ("&", ";", "|"))


def test_the_configuration_is_named_after_the_command_as_the_readme_says() -> None:
    (words,) = re.findall(r"`pohoda-agent (\w+ -c FILE)`", README)
    name, *options = words.split()
    assert cli.commands[name].make_context(name, list(options)).params["paths"] == (Path("FILE"),)
    with pytest.raises(click.NoSuchOption):
        cli.make_context("pohoda-agent", [*options, name])
