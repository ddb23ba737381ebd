"""A program that a user would write with the real sentry-sdk. Run as a process of its own."""

from __future__ import annotations

import sys
import time

import sentry_sdk


def main(dsn: str) -> None:
    sentry_sdk.init(dsn, traces_sample_rate=1.0, release="web@1.2.3", environment="production")
    sentry_sdk.set_user({"id": "42", "email": "ada@example.com"})
    sentry_sdk.set_tag("plan", "pro")
    with sentry_sdk.start_transaction(op="http.server", name="GET /users"):
        with sentry_sdk.start_span(op="db", name="SELECT * FROM users WHERE id = 7"):
            time.sleep(0.03)
        try:
            raise ValueError("no such user")
        except ValueError as error:
            sentry_sdk.capture_exception(error)
    sentry_sdk.flush(timeout=10)


if __name__ == "__main__":
    main(sys.argv[1])
