"""The command line: verbs over one or more configurations. Tables for people, ``--json`` for machines.

Exit codes: 0 fine, 1 something failed while running, 2 your input, 3 the environment. An error ends with what to try.
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

import click

from agent import app
from agent.cli import check, compare, explain, look, outbox, pairing, running
from agent.cli.output import fail
from agent.errors import AgentError, ConfigError
from state.errors import StateError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="pohoda-agent")
def cli() -> None:
    """Keep an e-shop in step with POHODA: a change in the books is in the shop a second later."""


for command in (
    running.run,
    running.once,
    running.demo,
    compare.plan,
    compare.reconcile,
    check.check,
    look.status,
    explain.explain,
    pairing.pairing,
    outbox.outbox,
    outbox.pause,
    outbox.resume,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line; every error becomes a line, a hint and an exit code, a bug its traceback as well."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a console in code page 1250 cannot show everything
    try:
        cli(prog_name="pohoda-agent" if Path(sys.argv[0]).name == "__main__.py" else None)
    except (AgentError, StateError) as error:
        text, hint, code = app.explain_failure(error)
        problems = error.problems if isinstance(error, ConfigError) else ()
        fail(text, hint, problems)
        sys.exit(code)
    except Exception as error:
        text = "".join(traceback.format_exception(error)).rstrip()
        fail(f"a bug in the agent: {type(error).__name__}\n{text}", "Please report it with the lines above.")
        sys.exit(1)
