"""The story the demo tells: a shop's traffic over some days, one slow-down, one new error. Pure.

`visits(story, random)` lists what happens, oldest first; nothing is sent here.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

OLD_RELEASE = "shop@2.3.0"
NEW_RELEASE = "shop@2.3.1"
VISITS_PER_HOUR = 24


@dataclass(frozen=True, slots=True)
class Step:
    """One span of a request: its share of the request's time, in order."""

    op: str
    description: str
    share: float


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One kind of request: `median_ms` of its time, `weight` of the traffic."""

    name: str
    op: str
    median_ms: float
    weight: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Visit:
    """One request at one moment. `error` names what goes wrong in it, if anything."""

    at: datetime
    endpoint: Endpoint
    duration_ms: float
    slow_step: int | None
    release: str
    environment: str
    user: int
    browser: str
    error: str | None


@dataclass(frozen=True, slots=True)
class Story:
    """When it begins and ends, when checkout becomes slower, and when the release went out."""

    start: datetime
    end: datetime
    slow_from: datetime
    released_at: datetime


CHECKOUT = Endpoint(
    "POST /checkout", "http.server", 320.0, 4,
    (
        Step("db", "SELECT id, total, state FROM orders WHERE user_id = %s", 0.30),
        Step("http.client", "POST https://payments.example.com/charge", 0.40),
        Step("db", "INSERT INTO orders (user_id, total) VALUES (%s, %s)", 0.15),
    ),
)  # fmt: skip
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "GET /products", "http.server", 85.0, 10,
        (
            Step("cache.get", "products:page", 0.05),
            Step("db", "SELECT id, name, price FROM products ORDER BY name LIMIT %s", 0.55),
            Step("template.render", "products.html", 0.25),
        ),
    ),
    Endpoint(
        "GET /products/{id}", "http.server", 60.0, 8,
        (
            Step("db", "SELECT id, name, price, stock FROM products WHERE id = %s", 0.45),
            Step("template.render", "product.html", 0.30),
        ),
    ),
    CHECKOUT,
    Endpoint(
        "GET /orders/{id}", "http.server", 110.0, 3,
        (Step("db", "SELECT id, total, state FROM orders WHERE id = %s", 0.70),),
    ),
    Endpoint(
        "send_receipt", "queue.process", 450.0, 2,
        (Step("http.client", "POST https://mail.example.com/send", 0.85),),
    ),
)  # fmt: skip
BROWSERS = ("Chrome", "Chrome", "Chrome", "Firefox", "Safari")
ENVIRONMENTS = ("production", "production", "production", "production", "staging")
SLOW_FACTOR = 1.9
# The last hours are busy whatever the hour, so that every window of the alert has checkouts in it.
RUSH, RUSH_LOAD = timedelta(hours=2), 3.0


def plan(days: float, now: datetime) -> Story:
    """Place the story so that it ends now: the slow-down comes after seven tenths of it."""
    start = now - timedelta(days=days)
    slow_from = start + timedelta(days=days * 0.7)
    return Story(start, now, slow_from, slow_from - timedelta(minutes=3))


def visits(story: Story, chance: random.Random) -> Iterator[Visit]:
    """List every request between start and end, busier in the afternoon and at the end."""
    step_s = 3600 / VISITS_PER_HOUR
    at = story.start
    while at < story.end:
        hour = at.hour + at.minute / 60
        load = 1.0 + 0.5 * math.cos((hour - 15) / 24 * 2 * math.pi)
        if story.end - at < RUSH:
            load = RUSH_LOAD
        yield visit(story, at, chance)
        at += timedelta(seconds=chance.expovariate(load / step_s))


def visit(story: Story, at: datetime, chance: random.Random) -> Visit:
    """Make up one request at one moment."""
    endpoint = chance.choices(ENDPOINTS, weights=[e.weight for e in ENDPOINTS])[0]
    released = at >= story.released_at
    slow = endpoint is CHECKOUT and at >= story.slow_from
    duration_ms = endpoint.median_ms * math.exp(chance.gauss(0.0, 0.22))
    return Visit(
        at=at,
        endpoint=endpoint,
        duration_ms=round(duration_ms * (SLOW_FACTOR if slow else 1.0), 3),
        slow_step=0 if slow else None,
        release=NEW_RELEASE if released else OLD_RELEASE,
        environment=chance.choice(ENVIRONMENTS),
        user=chance.randint(1, 400),
        browser=chance.choice(BROWSERS),
        error=_error(endpoint, chance, released=released),
    )


def _error(endpoint: Endpoint, chance: random.Random, *, released: bool) -> str | None:
    luck = chance.random()
    if endpoint is CHECKOUT and released and luck < 0.25:
        return "PaymentDeclined"

    if luck < 0.03:
        return "UpstreamTimeout"

    return "OutOfStock" if endpoint.name == "GET /products/{id}" and luck < 0.06 else None
