"""`export` and `import`: events and figures out to a file, saved events in through the door."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from groundswell.cli.options import AsJson, Data, settings_for
from groundswell.cli.output import say, show
from groundswell.cli.store import locked, opened, refuse_failure
from groundswell.cli.tables import Kind, open_writer
from groundswell.errors import GroundswellError, UserError

if TYPE_CHECKING:
    import httpx

    from groundswell.cli.sending import Sent
    from groundswell.config import Settings
    from groundswell.http.extracts import Extract, Page


def export(
    target: Annotated[str, Parameter(help="File to write, or - for standard output.")] = "-",
    *,
    org: Annotated[str, Parameter(help="Organization, by slug or id.")],
    dataset: Annotated[
        str, Parameter(help="errors, transactions, spans, discover, …")
    ] = "discover",
    field: Annotated[
        tuple[str, ...],
        Parameter(help="Columns, as of the API: fields make rows, functions figures.", negative=""),
    ] = ("timestamp", "title"),
    query: Annotated[str, Parameter(help="Search, as in the pages.")] = "",
    project: Annotated[
        tuple[str, ...], Parameter(help="Only of these; all when not given.", negative="")
    ] = (),
    environment: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    stats_period: Annotated[str | None, Parameter(help="The last so long, such as 14d.")] = None,
    start: Annotated[str | None, Parameter(help="From this instant (ISO 8601, UTC).")] = None,
    end: Annotated[str | None, Parameter(help="Up to this instant.")] = None,
    sort: Annotated[
        tuple[str, ...], Parameter(help="Order of figures: -count() …", negative="")
    ] = (),
    format: Annotated[
        Kind | None, Parameter(help="By default what the file's name ends in, else jsonl.")
    ] = None,
    data: Data = None,
    json: AsJson = False,
) -> None:
    """Write events or figures as JSON lines, CSV or Parquet."""
    from groundswell.http.extracts import Extract

    given = {
        "dataset": [dataset],
        "field": list(field),
        "query": [query] if query else [],
        "environment": list(environment),
        "statsPeriod": [stats_period] if stats_period else [],
        "start": [start] if start else [],
        "end": [end] if end else [],
        "sort": list(sort),
    }
    asked = Extract(org, {name: values for name, values in given.items() if values}, project)
    settings = settings_for(data)
    rows = 0
    with (
        locked(settings) as door,
        contextlib.closing(_rows(settings, door, asked)) as pages,
        open_writer(target, format) as writer,
    ):
        for page in pages:
            writer.write(page)
            rows += len(page.rows)
    if json and target != "-":
        show({"rows": rows, "target": target}, json=True)
    else:
        say(f"{rows} rows written to {'standard output' if target == '-' else target}")


def _rows(
    settings: Settings, door: httpx.Client | None, asked: Extract
) -> Generator[Page, None, None]:
    yield from _pages(settings, asked) if door is None else _fetch(door, asked)


def _fetch(door: httpx.Client, asked: Extract) -> Iterator[Page]:
    import msgspec

    from groundswell.http.extracts import Page

    page = None
    with door.stream("POST", "/control/export", content=msgspec.json.encode(asked)) as answer:
        if not answer.is_success:
            answer.read()
            refuse_failure(answer)
        for line in answer.iter_lines():
            page = msgspec.json.decode(line, type=Page)
            yield page
    if page is None or not page.is_last:
        raise GroundswellError("The service stopped in the middle: the file is not complete.")


def _pages(settings: Settings, asked: Extract) -> Iterator[Page]:
    """Ask a store that is opened here, one page after the other."""
    from groundswell.http.extracts import extract
    from groundswell.stats.statistics import Statistics

    with opened(settings) as store, asyncio.Runner() as runner:
        statistics = Statistics(store.engine, store.metadata, settings)
        pages = extract(statistics, store.metadata, asked, datetime.now(UTC))
        while (page := runner.run(_following(pages))) is not None:
            yield page


async def _following(pages: AsyncIterator[Page]) -> Page | None:
    return await anext(pages, None)


def import_events(
    files: Annotated[list[Path], Parameter(help="Files, or directories of them; .gz too.")],
    /,
    *,
    dsn: Annotated[str, Parameter(help="Where to send: a project's DSN.")],
    connections: Annotated[int, Parameter(help="Requests at the same time.")] = 4,
    json: AsJson = False,
) -> None:
    """Send saved envelopes, or events as Sentry exports them, through the normal door.

    Times stay as they are in the events. What is older than the retention, or was sent before, is
    counted and dropped like everything that comes through the door.
    """
    from groundswell.cli.envelopes import envelopes_of
    from groundswell.cli.sending import Target, send

    target = Target.parse(dsn)
    paths = list(_files(files))
    if connections < 1:
        raise UserError("connections must be at least 1.", field="connections")

    total = sum(path.stat().st_size for path in paths)
    with _progress(total) as advance:
        sent: Sent = asyncio.run(send(envelopes_of(paths, advance), target, connections))
    show(
        {
            "files": len(paths),
            "sent": sent.sent,
            "accepted": sent.accepted,
            "refused": sent.refused,
            "reasons": "; ".join(f"{reason} ({n})" for reason, n in sent.reasons.most_common(5)),
        },
        json=json,
    )
    if sent.refused:
        sys.exit(1)


def _files(given: Iterable[Path]) -> Iterator[Path]:
    for path in given:
        if path.is_dir():
            yield from sorted(each for each in path.rglob("*") if each.is_file())
        elif path.is_file():
            yield path
        else:
            raise UserError(f"There is no file {path}.", field="files")


@contextlib.contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """Show how much of the files is read, on standard error where a person looks at it."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("import", total=total)
        yield lambda size: bar.advance(task, size)
