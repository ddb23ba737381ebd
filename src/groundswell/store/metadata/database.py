"""The metadata database: SQLite or PostgreSQL behind SQLAlchemy Core, with its migrations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError

from groundswell.config import Settings
from groundswell.errors import StartupError, StoreUnavailable

P = ParamSpec("P")
R = TypeVar("R")

THREADS = 4
BUSY_TIMEOUT_S = 30


def database_url(settings: Settings) -> str:
    """Give the address of the metadata: DATABASE_URL, or a SQLite file in DATA."""
    configured = settings.text("DATABASE_URL")
    return configured or f"sqlite:///{settings.data.resolve() / 'metadata.db'}"


class Metadata:
    """Organizations, people, rules, dashboards and the like: everything that is not an event.

    A function over a `Connection` runs in one transaction. Both databases then give the same
    promises: a statement sees what is committed, and unique keys decide races, not a read before.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="metadata")

    @classmethod
    def open(cls, url: str) -> Metadata:
        """Open the database; nothing is read yet. Raises StartupError for a bad address."""
        try:
            address = sa.make_url(url)
        except ArgumentError:
            raise StartupError(_BAD_URL) from None

        backend = address.get_backend_name()
        if backend == "sqlite":
            if address.database:
                Path(address.database).parent.mkdir(parents=True, exist_ok=True)
            return cls(_sqlite(address))

        if backend in {"postgresql", "postgres"}:
            pool = {"pool_size": THREADS, "max_overflow": THREADS, "pool_pre_ping": True}
            return cls(sa.create_engine(address.set(drivername="postgresql+psycopg"), **pool))

        raise StartupError(_BAD_URL)

    async def run(
        self, function: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run `function(connection, …)` in one transaction on a thread.

        Raises StoreUnavailable when the database cannot be reached, and what the function raises.
        """

        def work() -> R:
            with self.begin() as connection:
                return function(connection, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Open a transaction: committed at the end, rolled back when something is raised."""
        try:
            with self.engine.begin() as connection:
                yield connection
        except (OperationalError, InterfaceError) as error:
            raise StoreUnavailable(
                f"The metadata database does not answer: {error.orig}", retry_after_s=5
            ) from error

    def migrate(self) -> None:
        """Bring the schema up to date; safe to run at the same time as another process does.

        Raises StartupError when the database does not answer, or was written by a newer version.
        """
        try:
            revision = self._revision()
        except StoreUnavailable as error:
            raise StartupError(error.message.strip().splitlines()[0]) from None

        if revision == newest_revision():
            return

        from groundswell.store.metadata.migrations import upgrade

        with self.begin() as connection:
            upgrade(connection)

    def _revision(self) -> str | None:
        """Read the schema's revision without loading Alembic, which takes longer than most
        commands."""
        with self.begin() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                return None

            query = sa.text("SELECT version_num FROM alembic_version")
            return connection.execute(query).scalar_one_or_none()

    def close(self) -> None:
        """Wait for what runs and close every connection."""
        self._threads.shutdown(wait=True)
        self.engine.dispose()


def newest_revision() -> str:
    """Give the revision of the last migration; their files are named `rNNNN_subject.py`."""
    folder = Path(__file__).with_name("migrations") / "versions"
    return max(path.name for path in folder.glob("r*.py"))[1:5]


_BAD_URL = (
    "GROUNDSWELL_DATABASE_URL must be empty or look like postgresql://user:password@host/database."
)


def _sqlite(address: sa.URL) -> Engine:
    # "IMMEDIATE" takes the write lock with the first change, so that a transaction never has to
    # upgrade a stale snapshot (which fails at once, whatever the timeout).
    arguments = {"timeout": BUSY_TIMEOUT_S, "isolation_level": "IMMEDIATE"}
    engine = sa.create_engine(address, connect_args=arguments, pool_size=THREADS, max_overflow=-1)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: object) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine
