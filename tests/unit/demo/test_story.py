"""The demo's story: the slow-down and the new error come when they are said to."""

from __future__ import annotations

import random
import statistics
from datetime import UTC, datetime, timedelta

import pytest

from groundswell.demo.story import (
    CHECKOUT,
    NEW_RELEASE,
    OLD_RELEASE,
    SLOW_FACTOR,
    plan,
    visits,
)

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_checkout_becomes_slower_at_the_known_moment() -> None:
    story = plan(14, NOW)
    times = [
        (v.at, v.duration_ms) for v in visits(story, random.Random(1)) if v.endpoint is CHECKOUT
    ]
    before = statistics.median(ms for at, ms in times if at < story.slow_from)
    after = statistics.median(ms for at, ms in times if at >= story.slow_from)
    assert 1.7 < after / before < 2.1


def test_the_new_error_comes_with_the_new_release_only() -> None:
    declined = {
        v.release for v in visits(plan(14, NOW), random.Random(1)) if v.error == "PaymentDeclined"
    }
    assert declined == {NEW_RELEASE}
    releases = {v.release for v in visits(plan(14, NOW), random.Random(1))}
    assert releases == {OLD_RELEASE, NEW_RELEASE}


def test_visits_are_in_order_and_inside_the_story() -> None:
    story = plan(2, NOW)
    moments = [v.at for v in visits(story, random.Random(1))]
    assert moments == sorted(moments)
    assert story.start <= moments[0] <= moments[-1] < story.end


@pytest.mark.parametrize("hour", range(0, 24, 3))
def test_the_last_hour_has_checkouts_enough_for_the_alert(hour: int) -> None:
    now = NOW.replace(hour=hour)
    last = [
        v.duration_ms
        for v in visits(plan(0.5, now), random.Random(1))
        if v.endpoint is CHECKOUT and now - v.at < timedelta(hours=1)
    ]
    assert len(last) >= 4
    assert statistics.median(last) > CHECKOUT.median_ms * (1 + SLOW_FACTOR) / 2
