"""The store of a data directory for a command: through the running service, or opened here."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import msgspec

from groundswell.cli.options import settings_for
from groundswell.errors import GroundswellError, StartupError
from groundswell.store.data_directory import DataDirectory

if TYPE_CHECKING:
    from groundswell.config import Settings
    from groundswell.http.upkeep import Store, Work

CONNECT_TIMEOUT_S = 5.0


def do(data: Path | None, work: Work) -> Any:
    """Have one piece of upkeep done, wherever the store is open. Raises GroundswellError."""
    from groundswell.http import upkeep

    settings = settings_for(data)
    with locked(settings) as door:
        if door is not None:
            return _ask(door, work)

        with opened(settings) as store:
            return msgspec.to_builtins(upkeep.perform(store, work))


@contextlib.contextmanager
def locked(settings: Settings) -> Iterator[httpx.Client | None]:
    """Take the data directory; where a service has it, give its control door instead.

    Raises StartupError when somebody else has it.
    """
    directory = DataDirectory(settings.data)
    try:
        directory.lock()
    except StartupError as taken:
        control = directory.control()
        if control is None:
            raise taken from None

        token, url = control
        headers = {"Authorization": f"Bearer {token}"}
        timeout = httpx.Timeout(None, connect=CONNECT_TIMEOUT_S)
        with httpx.Client(base_url=url, headers=headers, timeout=timeout, trust_env=False) as door:
            try:
                yield door
            except httpx.TransportError as error:
                raise GroundswellError(f"{taken.message} It does not answer: {error}") from None
    else:
        try:
            yield None
        finally:
            directory.unlock()


@contextlib.contextmanager
def opened(settings: Settings, *, is_new: bool = False) -> Iterator[Store]:
    """Open the store here. is_new: leave it without tables, for a restore."""
    from groundswell.http.upkeep import Store
    from groundswell.store.engine import open_engine
    from groundswell.store.metadata import Metadata, database_url
    from groundswell.store.schema import migrate

    with contextlib.ExitStack() as stack:
        metadata = Metadata.open(database_url(settings))
        stack.callback(metadata.close)
        engine = open_engine(settings)
        stack.callback(engine.close)
        if not is_new:
            metadata.migrate()
            migrate(engine, settings.text("CLICKHOUSE_CLUSTER"))
        yield Store(settings, engine, metadata)


def _ask(door: httpx.Client, work: Work) -> Any:
    answer = door.post("/control/work", content=msgspec.json.encode(work))
    refuse_failure(answer)
    return answer.json()


def refuse_failure(answer: httpx.Response) -> None:
    """Raise what the service said when it refused."""
    if answer.is_success:
        return

    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = f"The service answered {answer.status_code}."
    raise GroundswellError(str(detail))
