"""The command line. Commands are imported when they run, so that `--help` is quick."""

from __future__ import annotations

import os
import sys
from typing import Any

import cyclopts

from groundswell import __version__
from groundswell.errors import GroundswellError, NotFound, StartupError

app = cyclopts.App(
    name="groundswell",
    help="Sentry-compatible event statistics, trends and Slack charts in one service.",
    version=__version__,
    version_flags=["--version"],
    # Markdown would be a third of the time of `--help`.
    help_format="plaintext",
)

COMMANDS: tuple[tuple[str, str, str], ...] = (
    ("serve", "serve:serve", "Start the service."),
    ("demo", "demo:demo", "Send a small shop's events and show what comes of them."),
    ("org", "tenancy:org", "Create and list organizations."),
    ("project", "tenancy:project", "Create and list projects."),
    ("team", "tenancy:team", "Create and list teams."),
    ("user", "tenancy:user", "Create and list people."),
    ("token", "tenancy:token", "Create and list API tokens."),
    ("limit", "limits:limit", "List rate limits of senders, set one or lift one."),
    ("feature", "feature:feature", "List feature switches, or turn one on or off."),
    ("alert", "alert:alert", "List alert rules, and test whom they tell."),
    ("slack", "slack:slack", "Install, link, simulate and check Slack."),
    ("spool", "spool:spool", "Look after events that could not be stored."),
    ("backup", "upkeep:backup", "Create and restore backups."),
    ("store", "upkeep:store", "Check the event store and delete from it."),
    ("export", "transfer:export", "Write events or figures to a file."),
    ("import", "transfer:import_events", "Send saved envelopes or events to a project."),
    ("config", "settings:config", "Show the effective settings and where they came from."),
    ("migrate", "settings:migrate", "Bring the data directory up to this version."),
    ("doctor", "settings:doctor", "Check this installation; each problem comes with its fix."),
    ("version", "settings:version", "Show the versions of the service and its engine."),
)
for _name, _target, _help in COMMANDS:
    app.command(f"groundswell.cli.{_target}", name=_name, help=_help)
app.register_install_completion_command()


def run(arguments: list[str] | None = None) -> None:
    """Run one command; expected failures end in one line and exit code 1, 2 or 3.

    With --json the line is an object: `{"detail": "…"}`.
    """
    given = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in given
    try:
        app(given, exit_on_error=False, print_error=not as_json)
    except cyclopts.CycloptsError as error:
        _fail(str(error) if as_json else "", 2, as_json=as_json)
    except StartupError as error:
        _fail(error.message, error.exit_code, as_json=as_json)
    except GroundswellError as error:
        _fail(_said(error), 1, as_json=as_json, code=getattr(error, "code", None))
    except BrokenPipeError:
        # Who reads the output has enough of it; flushing the rest at the end must not fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)


def _said(error: GroundswellError) -> str:
    if isinstance(error, NotFound) and error.missing:
        return f"There is no {error.missing}."

    return str(error)


def _fail(message: str, status: int, *, as_json: bool, code: str | None = None) -> None:
    if as_json:
        from groundswell.cli.output import say_json

        told: dict[str, Any] = {"detail": message.strip()} | ({"code": code} if code else {})
        say_json(told)
    elif message:
        sys.stderr.write(f"groundswell: {message}\n")
    sys.exit(status)
