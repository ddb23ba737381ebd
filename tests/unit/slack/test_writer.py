"""Changes that share a transaction, and what happens when one of them is bad."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

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


def test_what_is_due_is_taken_up_by_one_process_and_finished_once(metadata: Metadata) -> None:
    now = datetime.now(UTC)
    later = now + timedelta(minutes=5)
    one = slack_inbox.Accepted("Ev1", "event", "{}", now)
    with metadata.begin() as connection:
        assert slack_inbox.accept(connection, one, later)
        assert not slack_inbox.accept(connection, one, later)
        assert slack_inbox.take_due(connection, now, later) == []
        (taken,) = slack_inbox.take_due(connection, later, later + timedelta(minutes=5))
        assert (taken.payload, taken.attempts) == ("{}", 2)
        assert slack_inbox.take_due(connection, later, later) == []
        slack_inbox.finish(connection, "Ev1")
        assert slack_inbox.unfinished(connection) == []
        assert not slack_inbox.accept(connection, one, later)
        slack_inbox.forget(connection, now + timedelta(hours=25))
        assert slack_inbox.accept(connection, one, later)
