"""The program ``orchard``: its options, its commands, and how it ends."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import httpx
import typer

from orchard_client.cli import (
    feeds,
    issues,
    jobs,
    schedules,
    site,
    state,
    submitting,
    transcripts,
    webhooks,
    wording,
    workers,
)
from orchard_client.cli.outcomes import code_of
from orchard_client.cli.output import clean, print_line
from orchard_client.cli.session import PATIENCE_S, Session
from orchard_client.errors import Forbidden, NotSignedIn, OrchardError
from orchard_client.version import __version__

app = typer.Typer(
    name=wording.PROGRAM, help=wording.ABOUT, epilog=wording.AFTER, no_args_is_help=True,
    pretty_exceptions_enable=False, rich_markup_mode="rich" if sys.stderr.isatty() else None,
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip
app.command("submit", help=wording.SUBMIT)(submitting.submit)
app.command("search", help=wording.SEARCH_SAID)(transcripts.search)
app.command("export", help=wording.EXPORT)(transcripts.export)
app.add_typer(jobs.app, name="jobs", help=wording.JOBS)
app.add_typer(schedules.app, name="schedules", help=wording.SCHEDULES)
app.add_typer(workers.app, name="workers", help=wording.WORKERS)
app.add_typer(issues.app, name="issues", help=wording.ISSUES)
app.add_typer(state.app, name="state", no_args_is_help=True)
app.add_typer(webhooks.app, name="webhooks", help=wording.WEBHOOKS)
app.command("logs", help=wording.LOGS)(feeds.logs)
app.command("events", help=wording.EVENTS)(feeds.events)
app.command("whoami", help=wording.WHOAMI)(site.whoami)
app.command("health", help=wording.HEALTH)(site.health)


def _say_version(wanted: bool) -> None:
    if wanted:
        print_line(f"{wording.PROGRAM} {__version__}")
        raise typer.Exit


@app.callback()
def begin(
    context: typer.Context,
    url: Annotated[str | None, typer.Option(help=wording.URL)] = None,
    token_file: Annotated[Path | None, typer.Option(help=wording.FILE_OF_TOKEN)] = None,
    patience: Annotated[float, typer.Option(min=0, help=wording.PATIENCE)] = PATIENCE_S,
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_say_version, help=wording.VERSION),
    ] = False,
) -> None:
    """Note what holds for every command."""
    context.obj = Session(url, token_file, patience)


def main() -> None:
    """Run the command that was typed; what goes wrong is said in one line."""
    try:
        app(prog_name=wording.PROGRAM)
    except BrokenPipeError:
        sys.exit(1)
    except (OrchardError, httpx.HTTPError, OSError) as fault:
        sys.stderr.write(f"{wording.PROGRAM}: {_reason(fault)}\n")
        sys.exit(code_of(fault))


def _reason(fault: Exception) -> str:
    reason = clean(" ".join(str(fault).split())) or type(fault).__name__
    hint = isinstance(fault, NotSignedIn | Forbidden)
    return f"{reason}; {wording.SIGN_IN_HINT}" if hint else reason
