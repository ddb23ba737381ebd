"""One blocking client of the engine, opened anew after a failure that may have soiled it.

After a query that fails while its answer is being written, chDB gives the rest of that answer to
the next query on the same handle: wrong numbers, and rows of another tenant. A new handle is clean.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from groundswell.store.engine.protocol import Params, Result

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_ANSWERS = re.compile(
    r"\s*(/\*.*?\*/\s*)?\(*\s*(select|with|explain|backup|restore)\b", re.IGNORECASE
)
_SELECT = re.compile(r"\s*(/\*.*?\*/\s*)?\(*\s*(select|with)\b", re.IGNORECASE)


class Session:
    """A client used by one thread at a time; `renew` says whether failures soil it."""

    def __init__(self, connect: Callable[[], Client], *, renew: bool) -> None:
        self._connect = connect
        self._renew = renew
        self._client: Client | None = connect()

    def run(self, sql: str, params: Params | None = None) -> Result:
        """Run one statement; a SELECT gives its answer by column, others what they say."""
        try:
            return _run(self._open(), sql, params)
        except Exception:
            if self._renew:
                self.close()
            raise

    def insert_file(self, table: str, names: list[str], body: Any, token: str) -> None:
        """Send an ArrowStream in the body of a request."""
        self._open().raw_insert(
            insert_block=body,
            table=table,
            column_names=names,
            fmt="ArrowStream",
            settings={"insert_deduplication_token": token},
        )

    def close(self) -> None:
        """Let go of the client; the next use opens another."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _open(self) -> Client:
        if self._client is None:
            self._client = self._connect()
        return self._client


def _run(client: Client, sql: str, params: Params | None) -> Result:
    # Without a placeholder the client would take "%" for its own kind of parameter.
    bound: dict[str, Any] | None = dict(params) if params and "{" in sql else None
    if not _ANSWERS.match(sql):
        said = client.command(sql, parameters=bound)
        plain = isinstance(said, str | int)
        return Result(("result",), ("String",), ([said],)) if plain else Result((), (), ())

    answer = client.query(sql, parameters=bound, column_oriented=True)
    if not answer.column_names and _SELECT.match(sql):
        # chDB writes nothing at all, not even names, for an answer without rows.
        shape = client.query(f"DESCRIBE TABLE ({sql})", parameters=bound, column_oriented=True)
        names, kinds = shape.result_columns[0], shape.result_columns[1]
        return Result(tuple(names), tuple(kinds), tuple([] for _ in names))

    return Result(
        names=tuple(answer.column_names),
        types=tuple(kind.name for kind in answer.column_types),
        columns=tuple(answer.result_columns),
    )
