"""Logs and metrics: structlog (JSON when not a terminal) and one Prometheus registry."""

from __future__ import annotations

import logging
import platform
import sys
from typing import TextIO

import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

from groundswell import __version__

disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)


def counter(name: str, help_text: str, labels: tuple[str, ...] = ()) -> Counter:
    """Register a counter; `name` without the final `_total`."""
    return Counter(f"groundswell_{name}", help_text, labels, registry=REGISTRY)


def gauge(name: str, help_text: str, labels: tuple[str, ...] = ()) -> Gauge:
    """Register a gauge."""
    return Gauge(f"groundswell_{name}", help_text, labels, registry=REGISTRY)


def histogram(name: str, help_text: str, labels: tuple[str, ...] = ()) -> Histogram:
    """Register a histogram; `name` ends in its unit."""
    return Histogram(f"groundswell_{name}", help_text, labels, registry=REGISTRY)


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """Give the logger of a room."""
    bound: structlog.stdlib.BoundLogger = structlog.get_logger(f"groundswell.{name}")
    return bound


gauge("build_info", "Which version runs; always 1.", ("version", "python")).labels(
    __version__, platform.python_version()
).set(1)


def configure_logging(level: str, stream: TextIO | None = None) -> None:
    """Send our logs and those of libraries to `stream` (standard error) in one format."""
    stream = stream or sys.stderr
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if stream.isatty() else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    set_level(level)
    for noisy in ("httpx", "httpcore", "alembic", "slack_sdk", "aiohttp.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def set_level(level: str) -> None:
    """Log from this level up, from now on."""
    logging.getLogger().setLevel(level.upper())


def report_errors(dsn: str) -> None:
    """Send what is logged as an error to a Sentry-compatible service, and nothing else of ours."""
    import sentry_sdk
    from sentry_sdk.integrations.logging import LoggingIntegration

    sentry_sdk.init(
        dsn,
        release=f"groundswell@{__version__}",
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[LoggingIntegration(level=None, event_level=logging.ERROR)],
        send_default_pii=False,
        include_local_variables=False,
        traces_sample_rate=0.0,
    )
