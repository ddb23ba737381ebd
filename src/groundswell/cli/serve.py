"""`groundswell serve`: one flag per setting, made from the table of settings."""

from __future__ import annotations

import functools
import inspect
import os
import sys
from typing import Annotated, Any

from cyclopts import Parameter

from groundswell import config
from groundswell.cli.options import AsJson
from groundswell.cli.output import show
from groundswell.config import SETTINGS, Setting, Settings

SHOWN = frozenset(
    {"DATA", "HOST", "PORT", "BASE_URL", "DATABASE_URL", "CLICKHOUSE_URL", "RETENTION_DAYS",
     "LOG_LEVEL"}
)  # fmt: skip


def serve(*, json: bool = False, **flags: Any) -> None:
    """Start the service.

    Every setting is also an environment variable, GROUNDSWELL_<NAME>; `groundswell config` lists
    them all with their units and defaults.
    """
    from groundswell.http.app import run
    from groundswell.telemetry import configure_logging, report_errors

    settings = config.load({name.upper(): value for name, value in flags.items()})
    configure_logging(settings.text("LOG_LEVEL"), sys.stderr if json else sys.stdout)
    if dsn := settings.text("SENTRY_DSN"):
        report_errors(dsn)
    run(settings, on_ready=functools.partial(announce, json=json))


def announce(settings: Settings, *, json: bool = False) -> None:
    """Tell the person, or the script, where the service is."""
    if json:
        url, data = settings.base_url, str(settings.data.absolute())
        show({"ready": True, "url": url, "pid": os.getpid(), "data": data}, json=True)
        sys.stdout.flush()
        return

    sys.stderr.write(f"Groundswell is ready on {settings.base_url}\n")
    sys.stderr.flush()


def _parameter(row: Setting) -> inspect.Parameter:
    unit = f" ({row.unit})" if row.unit else ""
    choices = f" One of {', '.join(row.choices)}." if row.choices else ""
    default = f" [default: {row.default}]" if row.default not in {"", None} else ""
    annotation = Annotated[
        row.kind | None,  # type: ignore[name-defined]
        Parameter(
            name="--" + row.name.lower().replace("_", "-"),
            help=f"{row.help}{unit}{choices}{default}",
            show=row.name in SHOWN,
            negative="",
            show_default=False,
        ),
    ]
    return inspect.Parameter(
        row.name.lower(), inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation
    )


_JSON = inspect.Parameter("json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=AsJson)
serve.__signature__ = inspect.Signature([*(_parameter(row) for row in SETTINGS), _JSON])  # type: ignore[attr-defined]
serve.__annotations__ = {
    name: parameter.annotation for name, parameter in inspect.signature(serve).parameters.items()
}
