"""The helper that draws: real drawings, deadline, crash, and no fetching."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import signal
from contextlib import asynccontextmanager, suppress

import pytest
from PIL import Image

from groundswell.charts.render import Renderer, _Cache
from groundswell.charts.spec import Chart, Kind, Line, vega_lite
from groundswell.charts.worker import MAX_PNG_BYTES
from groundswell.config import load
from groundswell.errors import UpstreamError

HOURS = tuple(1_732_147_200 + i * 3600 for i in range(336))


def noisy(index):
    """Draw numbers that compress badly, the same ones each time."""
    digest = [hashlib.sha256(f"{index}:{i}".encode()).digest()[0] for i in range(len(HOURS))]
    return Line(f"GET /api/{index}", HOURS, tuple(digest))


@asynccontextmanager
async def renderer(**settings):
    drawing = Renderer(load(settings, {}))
    try:
        yield drawing
    finally:
        await drawing.close()


async def test_png_is_small_sharp_and_not_blank_and_svg_has_text():
    spec = vega_lite(Chart("count() by url", tuple(map(noisy, range(6))), Kind.STACKED_AREA))
    async with renderer() as drawing:
        png, svg = await drawing.png(spec), await drawing.svg(spec)
        again = await drawing.png(spec)
    with Image.open(io.BytesIO(png)) as image:
        colours = image.convert("RGB").getcolors(1 << 16)
        assert image.width >= 800
    assert len(png) <= MAX_PNG_BYTES
    orange = [n for n, (r, g, b) in colours if abs(r - 0xE6) + abs(g - 0x9F) + b < 60]
    assert sum(orange) > 1000
    assert b"count() by url" in svg
    assert again is png


async def test_spec_that_cannot_be_drawn_is_an_error_and_the_next_one_is_drawn():
    async with renderer() as drawing:
        with pytest.raises(UpstreamError, match="could not be drawn"):
            await drawing.png({"mark": "nonsense", "data": {"values": [{}]}, "encoding": 3})
        pid = drawing.pid
        assert await drawing.svg(vega_lite(Chart("x", (noisy(1),))))
        assert drawing.pid == pid


async def test_nothing_is_fetched():
    asked = []

    async def answer(reader, writer):
        asked.append(await reader.readline())
        writer.write(b'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n[{"v":1}]')
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    remote = {"data": {"url": f"http://127.0.0.1:{port}/secret.json"}, "mark": "bar"}
    async with server, renderer() as drawing:
        with pytest.raises(UpstreamError):
            await drawing.svg({**remote, "encoding": {"x": {"field": "v"}}})
    assert asked == []


async def test_killed_helper_costs_one_chart():
    spec = vega_lite(Chart("x", (noisy(1),)))
    async with renderer() as drawing:
        await drawing.warm()
        os.kill(drawing.pid, signal.SIGKILL)
        with suppress(UpstreamError):  # the loss may be noticed before or while asking
            await drawing.svg(spec)
        assert await drawing.svg(spec)


async def test_helper_that_hangs_is_killed_at_the_deadline():
    spec = vega_lite(Chart("x", (noisy(1),)))
    async with renderer(CHART_TIMEOUT_S=1) as drawing:
        await drawing.warm()
        hanging = drawing.pid
        os.kill(hanging, signal.SIGSTOP)
        with pytest.raises(UpstreamError, match="longer than 1 s"):
            await drawing.png(spec)
        assert drawing.pid is None
        assert await drawing.svg(spec)
        assert drawing.pid != hanging


async def test_caller_that_leaves_does_not_get_its_image_to_the_next():
    first, second = (vega_lite(Chart(name, (noisy(1),))) for name in ("first", "second"))
    async with renderer() as drawing:
        await drawing.warm()
        task = asyncio.create_task(drawing.svg(first))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert b"second" in await drawing.svg(second)


async def test_closed_renderer_refuses():
    async with renderer() as drawing:
        pass
    with pytest.raises(UpstreamError, match="closed"):
        await drawing.png(vega_lite(Chart("x", (noisy(1),))))


def test_cache_is_bounded_in_bytes_and_forgets_the_least_recently_used():
    cache = _Cache(100)
    for name in (b"a", b"b", b"c", b"d"):
        cache.put(name, bytes(25))
    cache.get(b"a")
    cache.put(b"e", bytes(25))
    assert [bool(cache.get(name)) for name in (b"a", b"b", b"c", b"d", b"e")] == [
        True, False, True, True, True,
    ]  # fmt: skip
    cache.put(b"huge", bytes(26))
    assert cache.get(b"huge") is None
