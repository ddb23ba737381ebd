"""Changes that share a transaction, and what happens when one of them is bad."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection

from groundswell.slack.writer import Writer
from groundswell.store.metadata import Metadata, slack_inbox


def transaction(connection: Connection) -> int:
    return id(connection)


def bad(connection: Connection) -> None:
    slack_inbox.use_link(connection, "half", datetime.now(UTC))
    raise LookupError("bad")


async def test_what_waits_together_is_written_together(sqlite_metadata: Metadata) -> None:
    writer = Writer(sqlite_metadata)
    one, two = writer.post(transaction), writer.post(transaction)
    assert await one == await two
    await writer.close()


async def test_a_bad_change_takes_no_other_with_it(sqlite_metadata: Metadata) -> None:
    writer = Writer(sqlite_metadata)
    first, broken, last = writer.post(transaction), writer.post(bad), writer.post(transaction)
    with pytest.raises(LookupError):
        await broken
    assert await asyncio.gather(first, last)
    with pytest.raises(LookupError):
        await writer.run(bad)
    await writer.close()
    with sqlite_metadata.begin() as connection:
        assert not slack_inbox.is_link_used(connection, "half")
