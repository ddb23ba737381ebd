"""Notices: once, in order, again after a failure, and never too many."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from groundswell.errors import UpstreamError
from groundswell.model.notices import Notice
from groundswell.model.tenancy import OrgId
from groundswell.notify.queue import Notices
from groundswell.store.metadata import Metadata, notify, tenancy
from groundswell.store.metadata.notify import Delivery


class Post:
    """A channel that fails as often as it is told to, and a clock."""

    def __init__(self, metadata: Metadata, **options: Any) -> None:
        self.metadata = metadata
        self.now = datetime(2026, 3, 1, tzinfo=UTC)
        self.got: list[str] = []
        self.failures: list[UpstreamError] = []
        self.notices = Notices(metadata, {"mail": self.send}, clock=lambda: self.now, **options)
        with metadata.begin() as connection:
            self.org = tenancy.create_organization(connection, "acme", now=self.now).id

    async def send(self, delivery: Delivery) -> str:
        if self.failures:
            raise self.failures.pop(0)
        self.got.append(f"{delivery.subject} {delivery.target}")
        return "ok"

    async def tell(self, key: str, *targets: str) -> None:
        pairs = tuple(("mail", target) for target in targets)
        await self.notices.notify(Notice("incident", key, OrgId(self.org), {}, pairs))

    def records(self) -> list[tuple[str, str, int]]:
        with self.metadata.begin() as connection:
            found = notify.records(connection, OrgId(self.org))
        return [(one.subject, one.state, one.attempts) for one in reversed(found)]


@pytest.fixture
def post(metadata: Metadata) -> Post:
    return Post(metadata, per_hour={"mail": 3})


async def test_a_notice_reaches_each_target_once(post: Post) -> None:
    for _ in range(2):
        await post.tell("a", "x", "y")
        await post.notices.deliver()
    assert sorted(post.got) == ["a x", "a y"]
    assert post.records() == [("a", "sent", 1), ("a", "sent", 1)]


async def test_what_fails_is_tried_again_and_keeps_its_order(post: Post) -> None:
    post.failures = [UpstreamError("away", retryable=True)]
    await post.tell("a", "x")
    await post.tell("b", "x")
    await post.notices.deliver()
    await post.notices.deliver()
    assert post.got == []
    post.now += timedelta(seconds=20)
    await post.notices.deliver()
    assert post.got == ["a x", "b x"]
    assert post.records() == [("a", "sent", 2), ("b", "sent", 1)]


async def test_a_target_that_fails_holds_up_nobody_else(post: Post) -> None:
    post.failures = [UpstreamError("away", retryable=True)]
    await post.tell("a", "x", "y")
    await post.notices.deliver()
    assert len(post.got) == 1


async def test_what_will_never_work_is_given_up_at_once(post: Post) -> None:
    post.failures = [UpstreamError("no such address")]
    await post.tell("a", "x")
    await post.notices.deliver()
    assert post.records() == [("a", "failed", 1)]


async def test_what_fails_for_a_day_is_given_up(post: Post) -> None:
    await post.tell("a", "x")
    for _ in range(60):
        post.failures = [UpstreamError("away", retryable=True)]
        await post.notices.deliver()
        post.now += timedelta(minutes=30)
    assert [state for _, state, _ in post.records()] == ["failed"]


async def test_too_many_notices_wait_and_none_is_lost(post: Post) -> None:
    for n in range(5):
        await post.tell(f"n{n}", "x")
    await post.notices.deliver()
    assert len(post.got) == 3
    post.now += timedelta(minutes=61)
    await post.notices.deliver()
    assert len(post.got) == 5
