"""A small shop instrumented with the real sentry-sdk, whose visits happen when the story says.

The SDK sends what happens now; its `before_send` hooks move each event back to its moment, as
anybody who imports history could. The service knows nothing of it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import sentry_sdk

from groundswell.demo.story import Visit

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

QUEUE_SIZE = 2_000
FLUSH_EVERY = 400
TIMES = ("timestamp", "start_timestamp")


class ShopError(Exception):
    """Raised when a visit goes wrong."""


class PaymentDeclined(ShopError):
    """Raised when the payment provider refuses."""


class UpstreamTimeout(ShopError):
    """Raised when a neighbour does not answer in time."""


class OutOfStock(ShopError):
    """Raised when there is nothing left to sell."""


ERRORS: dict[str, tuple[type[ShopError], str]] = {
    "PaymentDeclined": (PaymentDeclined, "card was declined: insufficient_funds"),
    "UpstreamTimeout": (UpstreamTimeout, "payments.example.com did not answer in 5 s"),
    "OutOfStock": (OutOfStock, "product has no stock left"),
}


class Shop:
    """Serves visits one after the other and reports them to a DSN."""

    def __init__(self, dsn: str) -> None:
        self.transactions = 0
        self.errors = 0
        self._visit: Visit | None = None
        self._back = timedelta()
        sentry_sdk.init(
            dsn,
            traces_sample_rate=1.0,
            before_send=self._move,
            before_send_transaction=self._move,
            transport_queue_size=QUEUE_SIZE,
            enable_backpressure_handling=False,
            auto_session_tracking=False,
            auto_enabling_integrations=False,
            default_integrations=False,
            send_client_reports=False,
            server_name="shop-1",
            shutdown_timeout=10,
        )

    def serve(self, visit: Visit) -> None:
        """Handle one visit, as of the moment it happens at."""
        ended = datetime.now(UTC)
        self._visit, self._back = visit, ended - visit.at
        with sentry_sdk.isolation_scope() as scope:
            scope.set_user({"id": str(visit.user), "email": f"user{visit.user}@example.com"})
            scope.set_tag("browser", visit.browser)
            scope.set_tag("plan", "pro" if visit.user % 3 == 0 else "free")
            self._handle(visit, ended)
        if (self.transactions + self.errors) % FLUSH_EVERY == 0:
            self.flush()

    def flush(self) -> None:
        """Send what is still queued."""
        sentry_sdk.flush(timeout=30)

    def close(self) -> None:
        """Send what is still queued, and stop the SDK."""
        sentry_sdk.get_client().close(timeout=10)

    def _handle(self, visit: Visit, ended: datetime) -> None:
        endpoint = visit.endpoint
        started = ended - timedelta(milliseconds=visit.duration_ms)
        transaction = sentry_sdk.start_transaction(
            op=endpoint.op, name=endpoint.name, source="route", start_timestamp=started
        )
        with sentry_sdk.new_scope() as scope:
            scope.span = transaction
            self._steps(visit, transaction, started)
            if visit.error is not None:
                try:
                    kind, text = ERRORS[visit.error]
                    raise kind(text)
                except ShopError as error:
                    self.errors += 1
                    sentry_sdk.capture_exception(error)
            failed = visit.error is not None
            transaction.set_status("internal_error" if failed else "ok")
            if endpoint.op == "http.server":
                transaction.set_data("http.request.method", endpoint.name.partition(" ")[0])
                transaction.set_data("http.response.status_code", 500 if failed else 200)
            transaction.finish(end_timestamp=ended)
        self.transactions += 1

    def _steps(self, visit: Visit, transaction: Any, started: datetime) -> None:
        extra_ms = visit.duration_ms * 0.4 if visit.slow_step is not None else 0.0
        rest_ms = visit.duration_ms - extra_ms
        at = started
        for index, step in enumerate(visit.endpoint.steps):
            slow_ms = extra_ms if index == visit.slow_step else 0.0
            length = timedelta(milliseconds=rest_ms * step.share + slow_ms)
            child = transaction.start_child(op=step.op, name=step.description, start_timestamp=at)
            if step.op == "db":
                child.set_data("db.system", "postgresql")
            child.finish(end_timestamp=at + length)
            at += length

    def _move(self, event: Event, hint: Hint) -> Event:
        visit = self._visit
        assert visit is not None
        event["release"] = visit.release
        event["environment"] = visit.environment
        for part in (event, *event.get("spans", ())):  # type: ignore[misc]
            for name in TIMES:
                if name in part:
                    part[name] = _back(part[name], self._back)
        return event


def _back(value: Any, delta: timedelta) -> Any:
    if isinstance(value, datetime):
        return value - delta

    if isinstance(value, str):
        return (datetime.fromisoformat(value) - delta).isoformat()

    return value - delta.total_seconds()
