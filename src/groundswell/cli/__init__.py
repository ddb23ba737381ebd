"""The command line. Commands are imported when they run, so that `--help` is quick."""

from __future__ import annotations

import sys

import cyclopts

from groundswell import __version__
from groundswell.errors import GroundswellError, StartupError

app = cyclopts.App(
    name="groundswell",
    help="Sentry-compatible event statistics, trends and Slack charts in one service.",
    version=__version__,
    version_flags=["--version"],
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
    """Run one command; expected failures end in one line and exit code 1, 2 or 3."""
    try:
        app(arguments)
    except StartupError as error:
        _fail(error.message, error.exit_code)
    except GroundswellError as error:
        _fail(str(error), 1)
    except KeyboardInterrupt:
        sys.exit(130)


def _fail(message: str, code: int) -> None:
    sys.stderr.write(f"groundswell: {message}\n")
    sys.exit(code)
