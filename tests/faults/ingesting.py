"""A real process with a real ingest line, made to be killed; and senders that remember answers.

`python ingesting.py DATA` serves the door, and `GET /state` for the tests to look inside. The clock
of that process jumps ahead at SIGUSR1 and back at SIGUSR2.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

CLOCK_JUMP_S = 5 * 3600
TABLES = ("errors", "transactions", "spans", "outcomes")


class IngestProcess:
    """One life of the process; `kill` ends it as a power button would not: with SIGKILL."""

    def __init__(self, data: Path, **settings: object) -> None:
        environment = {
            name: value for name, value in os.environ.items() if "GROUNDSWELL" not in name
        }
        environment |= {f"GROUNDSWELL_{name}": str(value) for name, value in settings.items()}
        with (data.parent / "stderr.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(data)],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, (data.parent / "stderr.log").read_text()[-4000:]
        told = json.loads(line)
        self.url = f"http://127.0.0.1:{told['port']}"
        self.port: int = told["port"]
        self.projects: list[tuple[int, str]] = [tuple(row) for row in told["projects"]]
        self.pid = self._process.pid
        self._clock_ahead_s = 0.0

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def clock_forward(self) -> None:
        os.kill(self.pid, signal.SIGUSR1)
        self._wait_for_clock(CLOCK_JUMP_S)

    def clock_back(self) -> None:
        os.kill(self.pid, signal.SIGUSR2)
        self._wait_for_clock(-CLOCK_JUMP_S)

    def _wait_for_clock(self, jump_s: float) -> None:
        self._clock_ahead_s += jump_s
        while abs(self.state()["clock_ahead_s"] - self._clock_ahead_s) > 1:
            time.sleep(0.01)

    def terminate(self, timeout_s: float = 15.0) -> int:
        self._process.terminate()
        code = self._process.wait(timeout_s)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code

    def envelope_url(self, project: int = 0) -> str:
        number, key = self.projects[project]
        return f"{self.url}/api/{number}/envelope/?sentry_key={key}"

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = httpx.get(f"{self.url}/state", timeout=30).json()
        return found

    def settled(self, timeout_s: float = 60.0) -> dict[str, Any]:
        """Look until nothing waits, not even a count of what was refused."""
        deadline = time.monotonic() + timeout_s
        while True:
            state = self.state()
            if state["is_settled"] or time.monotonic() > deadline:
                return state

            time.sleep(0.05)


@contextlib.contextmanager
def ingesting(data: Path, **settings: object) -> Iterator[IngestProcess]:
    """Run the process and end it, whatever happens."""
    process = IngestProcess(data, **settings)
    try:
        yield process
    finally:
        process.kill()


def error_envelope(event_id: str, **fields: object) -> bytes:
    event = {"message": "it broke", "level": "error", "platform": "python", **fields}
    return _envelope(event_id, "event", event)


def transaction_envelope(event_id: str, spans: int = 3) -> bytes:
    now = time.time()
    trace = {"trace_id": uuid.uuid4().hex, "span_id": uuid.uuid4().hex[:16], "op": "http.server"}
    event = {
        "type": "transaction",
        "transaction": "GET /checkout",
        "start_timestamp": now - 0.5,
        "timestamp": now,
        "contexts": {"trace": trace},
        "spans": [
            {
                "span_id": uuid.uuid4().hex[:16],
                "trace_id": trace["trace_id"],
                "parent_span_id": trace["span_id"],
                "op": "db",
                "description": "SELECT 1",
                "start_timestamp": now - 0.4,
                "timestamp": now - 0.3,
            }
            for _ in range(spans)
        ],
    }
    return _envelope(event_id, "transaction", event)


def spans_envelope(spans: int = 2) -> bytes:
    """Spans that are sent by themselves, without an event."""
    now, trace_id = time.time(), uuid.uuid4().hex
    made = [
        {
            "trace_id": trace_id,
            "span_id": uuid.uuid4().hex[:16],
            "name": "SELECT 1",
            "start_timestamp": now - 0.4,
            "end_timestamp": now - 0.3,
            "attributes": {"sentry.op": {"type": "string", "value": "db"}},
        }
        for _ in range(spans)
    ]
    payload = json.dumps({"version": 2, "items": made}).encode()
    kind = "application/vnd.sentry.items.span.v2+json"
    head = {"type": "span", "item_count": spans, "content_type": kind, "length": len(payload)}
    return b"{}\n" + json.dumps(head).encode() + b"\n" + payload


def _envelope(event_id: str, kind: str, event: dict[str, Any]) -> bytes:
    payload = json.dumps(event).encode()
    header = json.dumps({"event_id": event_id}).encode()
    return (
        header
        + b"\n"
        + json.dumps({"type": kind, "length": len(payload)}).encode()
        + b"\n"
        + payload
    )


def send_errors(process: IngestProcess, count: int = 1, **fields: object) -> list[str]:
    """Send errors one by one; each must be answered with 200. Give their ids."""
    sent = [uuid.uuid4().hex for _ in range(count)]
    with httpx.Client(timeout=10) as client:
        for event_id in sent:
            body = error_envelope(event_id, **fields)
            assert client.post(process.envelope_url(), content=body).status_code == 200
    return sent


def ids_of(state: dict[str, Any]) -> set[str]:
    """The ids of all events that are stored."""
    return {row[1] for row in state["ids"]}


class Senders:
    """Threads that send events without end and remember which were answered with 200."""

    def __init__(self, process: IngestProcess, threads: int = 4) -> None:
        self.acknowledged: list[str] = []
        self.sent: list[str] = []
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._send, args=(process, number)) for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def _send(self, process: IngestProcess, number: int) -> None:
        with httpx.Client(timeout=5) as client:
            while not self._stop.is_set():
                event_id = uuid.uuid4().hex
                make = transaction_envelope if number % 2 else error_envelope
                body = gzip.compress(make(event_id), 1)
                self.sent.append(event_id)
                try:
                    answer = client.post(
                        process.envelope_url(number % len(process.projects)),
                        content=body,
                        headers={"content-encoding": "gzip"},
                    )
                except httpx.TransportError:
                    return

                if answer.status_code == 200:
                    self.acknowledged.append(event_id)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


class _Clock:
    """Stands in for `time.time`. It is put there before anything of the service is loaded."""

    def __init__(self) -> None:
        self._real = time.time
        self.ahead_s = 0.0
        signal.signal(signal.SIGUSR1, lambda *_: self._jump(CLOCK_JUMP_S))
        signal.signal(signal.SIGUSR2, lambda *_: self._jump(-CLOCK_JUMP_S))
        time.time = self

    def __call__(self) -> float:
        return self._real() + self.ahead_s

    def _jump(self, seconds: float) -> None:
        self.ahead_s += seconds


async def _serve(data: Path, clock: _Clock) -> None:
    import uvicorn

    from groundswell.config import load
    from groundswell.ingest.pipeline import Ingest
    from groundswell.store.engine import Engine, open_engine
    from groundswell.store.metadata import Metadata, database_url
    from groundswell.store.metadata.organizations import create_organization
    from groundswell.store.metadata.projects import create_project, default_key
    from groundswell.store.schema import migrate
    from groundswell.telemetry import configure_logging

    configure_logging("info")
    settings = load({"DATA": str(data), "PORT": 0})
    metadata = Metadata.open(database_url(settings))
    metadata.migrate()
    told = []
    with metadata.begin() as connection:
        now = datetime.now(UTC)
        organization = create_organization(connection, "acme", now=now)
        for slug in ("web", "api"):
            project = create_project(connection, organization.id, slug, now=now)
            key = default_key(connection, project.id)
            assert key is not None
            told.append((project.id, key.public_key))
    engine: Engine = open_engine(settings)
    migrate(engine)
    ingest = Ingest(settings, engine, metadata)
    await ingest.start()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] != "/state":
            await ingest.door(scope, receive, send)
            return

        state = await _state(ingest, engine) | {"clock_ahead_s": clock.ahead_s}
        body = json.dumps(state).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    config = uvicorn.Config(app, port=0, lifespan="off", log_level="warning", access_log=False)
    config.timeout_graceful_shutdown = 3
    server = uvicorn.Server(config)
    # uvicorn would raise the signal again and end the process before the drain.
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]

    def stop() -> None:
        server.should_exit = True
        ingest.close_door()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    sys.stdout.write(json.dumps({"port": port, "projects": told}) + "\n")
    sys.stdout.flush()
    await serving
    await ingest.stop(5)
    engine.close()
    metadata.close()


async def _state(ingest: Any, engine: Any) -> dict[str, Any]:
    # Asked before the store is: what is on its way then may be missing below.
    is_settled = ingest.is_settled()
    counts = {}
    for table in TABLES:
        counts[table] = (await engine.query(f"SELECT count() FROM {table}")).scalar()
    ids = await engine.query(
        "SELECT project_id, replaceAll(toString(event_id), '-', '') FROM errors UNION ALL "
        "SELECT project_id, replaceAll(toString(event_id), '-', '') FROM transactions"
    )
    outcomes = await engine.query(
        "SELECT category, outcome, reason, sum(quantity) FROM outcomes GROUP BY ALL"
    )
    return {
        "is_settled": is_settled,
        "balance": ingest.balance()._asdict(),
        "refusal": ingest.refusal(),
        "counts": counts,
        "ids": [list(row) for row in ids.rows()],
        "outcomes": [list(row) for row in outcomes.rows()],
    }


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), _Clock()))
