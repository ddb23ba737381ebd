"""uvicorn inside our own loop: our signals, our deadlines, exit code 0.

`uvicorn.Server.serve` re-raises the SIGTERM that it caught, which would end the process before the
spool is drained; so its signal handling is replaced.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn
from litestar.types import ASGIApp

from groundswell.config import Settings
from groundswell.errors import StartupError
from groundswell.http.protocol import BoundedProtocol

KEEP_ALIVE_S = 65
GRACE_S = 4


class Server(uvicorn.Server):
    """Serves until `should_exit`; leaves signals to its owner."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """Bind the address before anything slow starts, so that a taken port fails at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where the protocol is named; without it every answer that is
    # written in two pieces waits 40 ms for the client's delayed acknowledgement.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise StartupError(f"Cannot listen on {host}:{port}: {error.strerror}") from error

    bound.set_inheritable(False)
    return bound


def local_url(settings: Settings) -> str:
    """Give the address at which this machine reaches the service, whatever stands before it."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.text("HOST"), settings.text("HOST"))  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.integer('PORT')}"


def make_server(app: ASGIApp) -> Server:
    """Configure uvicorn for `app`."""
    return Server(
        uvicorn.Config(
            app,
            http=BoundedProtocol,
            loop="asyncio",
            lifespan="off",
            ws="none",
            access_log=False,
            log_config=None,
            log_level="error",
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=GRACE_S,
            backlog=2048,
        )
    )


def stop_on_signals() -> asyncio.Event:
    """Give an event that the first SIGTERM or SIGINT sets; the second one ends the process."""
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()

    def on_signal() -> None:
        if stopping.is_set():
            os._exit(1)
        stopping.set()

    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, on_signal)
    return stopping


def on_hangup(work: Callable[[], None]) -> None:
    """Do something on SIGHUP."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, work)
