"""`groundswell serve`: one flag per setting, made from the table of settings."""

from __future__ import annotations

import inspect
import sys
from typing import Annotated, Any

from cyclopts import Parameter

from groundswell import config
from groundswell.config import SETTINGS, Setting, Settings

SHOWN = frozenset(
    {"DATA", "HOST", "PORT", "BASE_URL", "DATABASE_URL", "CLICKHOUSE_URL", "RETENTION_DAYS",
     "LOG_LEVEL"}
)  # fmt: skip


def serve(**flags: Any) -> None:
    """Start the service.

    Every setting is also an environment variable, GROUNDSWELL_<NAME>; `groundswell config` lists
    them all with their units and defaults.
    """
    from groundswell.http.app import run
    from groundswell.telemetry import configure_logging

    settings = config.load({name.upper(): value for name, value in flags.items()})
    configure_logging(settings.text("LOG_LEVEL"))
    run(settings, on_ready=announce)


def announce(settings: Settings) -> None:
    """Tell the person at the terminal where the service is."""
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


serve.__signature__ = inspect.Signature([_parameter(row) for row in SETTINGS])  # type: ignore[attr-defined]
serve.__annotations__ = {
    name: parameter.annotation for name, parameter in inspect.signature(serve).parameters.items()
}
