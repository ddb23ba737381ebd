"""`groundswell demo`: the whole line at work on real input."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from groundswell.cli.options import AsJson


def demo(
    *,
    days: Annotated[
        float, Parameter(help="Days of history.", validator=validators.Number(gt=0, lte=85))
    ] = 14.0,
    once: Annotated[
        bool, Parameter(help="Stop when everything was shown, instead of going on.", negative="")
    ] = False,
    port: Annotated[int, Parameter(help="Port of the service; 0 takes a free one.")] = 0,
    data: Annotated[
        Path | None,
        Parameter(help="Keep the data here; a temporary directory when not given."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Start a service, send a small shop's history and live events, and show what comes of it."""
    from groundswell.demo.run import run

    asyncio.run(run(days=days, once=once, port=port, data=data, as_json=json))
