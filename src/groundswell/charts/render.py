"""Specifications → images, in a helper process with a deadline, cached by content.

A chart that cannot be drawn is an UpstreamError for its caller and nothing worse: the helper is
killed and the next chart starts a new one.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import sys
import time
from collections import OrderedDict
from typing import Any, Literal

from groundswell.config import Settings
from groundswell.errors import UpstreamError
from groundswell.telemetry import counter, histogram, logger

Format = Literal["png", "svg"]
CACHE_BYTES = 32 * 1024 * 1024
MAX_SPEC_BYTES = 8 * 1024 * 1024
MAX_WAITING = 64
TASKS_PER_WORKER = 500
START_S = 20.0

_log = logger("charts")
_drawn = counter("charts_drawn", "Charts drawn, by format and outcome.", ("format", "outcome"))
_seconds = histogram("chart_draw_seconds", "Time to draw one chart.", ("format",))


class Renderer:
    """Draws charts. One helper process, started on first need; close() ends it."""

    def __init__(self, settings: Settings) -> None:
        self._deadline_s = float(settings.integer("CHART_TIMEOUT_S"))
        self._cache = _Cache(CACHE_BYTES)
        self._worker: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._tasks = 0
        self._closed = False

    async def png(self, spec: dict[str, Any]) -> bytes:
        """Draw a specification as a PNG of at most 90 kB. Raises UpstreamError."""
        return await self._image(spec, "png")

    async def svg(self, spec: dict[str, Any]) -> bytes:
        """Draw a specification as SVG. Raises UpstreamError."""
        return await self._image(spec, "svg")

    async def warm(self) -> None:
        """Start the helper and let it draw once, so that the first chart is fast."""
        mark = {"data": {"values": [{"l": "warm"}]}, "mark": "text"}
        with contextlib.suppress(UpstreamError):
            await self.png({**mark, "encoding": {"text": {"field": "l"}}})

    @property
    def pid(self) -> int | None:
        """The process that draws, if one runs."""
        return self._worker.pid if self._worker and self._worker.returncode is None else None

    async def close(self) -> None:
        """End the helper. Drawing afterwards is refused."""
        self._closed = True
        await self._end()

    async def _image(self, spec: dict[str, Any], kind: Format) -> bytes:
        body = json.dumps(spec, separators=(",", ":"), allow_nan=False).encode()
        if len(body) > MAX_SPEC_BYTES:
            raise UpstreamError(f"The chart has {len(body):,} bytes of data, too many to draw.")

        key = hashlib.sha256(kind.encode() + body).digest()
        if (cached := self._cache.get(key)) is not None:
            return cached

        if self._waiting >= MAX_WAITING:
            raise UpstreamError("Too many charts are waiting to be drawn.", retryable=True)

        self._waiting += 1
        try:
            async with self._turn:
                if (cached := self._cache.get(key)) is not None:
                    return cached

                image = await self._draw(kind, body)
        finally:
            self._waiting -= 1
        self._cache.put(key, image)
        return image

    async def _draw(self, kind: Format, body: bytes) -> bytes:
        if self._closed:
            raise UpstreamError("The chart renderer is closed.")

        started = time.perf_counter()
        try:
            worker = await self._ready()
            allowed_s = self._deadline_s + (START_S if self._tasks == 0 else 0)
            async with asyncio.timeout(allowed_s):
                failed, answer = await _ask(worker, kind, body)
        except TimeoutError:
            await self._end()
            _drawn.labels(kind, "timeout").inc()
            raise UpstreamError(
                f"Drawing the chart took longer than {self._deadline_s:g} s.", retryable=True
            ) from None
        except (OSError, asyncio.IncompleteReadError) as error:
            await self._end()
            _drawn.labels(kind, "crashed").inc()
            _log.warning("chart worker lost", error=repr(error))
            raise UpstreamError("The chart renderer stopped.", retryable=True) from error
        except BaseException:
            # A caller that went away leaves an answer in the pipe that nobody may read.
            await self._end()
            raise

        self._tasks += 1
        _seconds.labels(kind).observe(time.perf_counter() - started)
        if failed:
            reason = answer.decode(errors="replace")
            _drawn.labels(kind, "failed").inc()
            _log.warning("chart not drawn", reason=reason)
            raise UpstreamError("The chart could not be drawn.")

        _drawn.labels(kind, "drawn").inc()
        return answer

    async def _ready(self) -> asyncio.subprocess.Process:
        worker = self._worker
        if worker and worker.returncode is None and self._tasks < TASKS_PER_WORKER:
            return worker

        await self._end()
        # A fresh interpreter, never a fork: the engine of this process does not survive one.
        self._worker = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "groundswell.charts.worker"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        self._tasks = 0
        return self._worker

    async def _end(self) -> None:
        worker, self._worker = self._worker, None
        if worker is None:
            return

        with contextlib.suppress(ProcessLookupError):
            worker.kill()
        # Closes the pipes too; what the worker still wrote is thrown away.
        with contextlib.suppress(OSError):
            await worker.communicate()


async def _ask(worker: asyncio.subprocess.Process, kind: Format, body: bytes) -> tuple[bool, bytes]:
    assert worker.stdin is not None
    assert worker.stdout is not None
    message = b'{"format":"' + kind.encode() + b'","spec":' + body + b"}"
    worker.stdin.write(len(message).to_bytes(4, "big") + message)
    await worker.stdin.drain()
    header = await worker.stdout.readexactly(5)
    answer = await worker.stdout.readexactly(int.from_bytes(header[1:], "big"))
    return header[0] != 0, answer


class _Cache:
    """Images by hash of what they show, the least recently used go first."""

    def __init__(self, limit_bytes: int) -> None:
        self._images: OrderedDict[bytes, bytes] = OrderedDict()
        self._limit_bytes = limit_bytes
        self._size = 0

    def get(self, key: bytes) -> bytes | None:
        if key not in self._images:
            return None

        self._images.move_to_end(key)
        return self._images[key]

    def put(self, key: bytes, image: bytes) -> None:
        if len(image) > self._limit_bytes // 4 or key in self._images:
            return

        self._images[key] = image
        self._size += len(image)
        while self._size > self._limit_bytes:
            _, gone = self._images.popitem(last=False)
            self._size -= len(gone)
