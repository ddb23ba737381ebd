"""A service in a process of its own, started the way a user starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import httpx

from groundswell.config import PREFIX
from groundswell.errors import StartupError

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 15.0
READY = re.compile(r"^Groundswell is ready on (\S+)$", re.MULTILINE)


class ServiceProcess:
    """`groundswell serve` on a directory; its output goes to `log`.

    settings: names without the prefix → values, given as environment variables.
    """

    def __init__(
        self, data: Path, *, port: int = 0, settings: Mapping[str, str] | None = None
    ) -> None:
        self.data = data
        self.log = data.parent / f"{data.name}.log"
        self.url = ""
        self._port = port
        self._settings = dict(settings or {})
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start and wait until it answers.

        Raises StartupError with the end of its output when it does not.
        """
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}
        given = {PREFIX + name: value for name, value in self._settings.items()}
        command = [sys.executable, "-m", "groundswell", "serve"]
        command += ["--data", str(self.data), "--port", str(self._port)]
        self.data.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            offset = output.tell()
            self._process = subprocess.Popen(
                command, stdout=output, stderr=output, env={**inherited, **given},
                # Ctrl-C in the terminal is for us; we then ask the service to end, once.
                process_group=0,
            )  # fmt: skip
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._is_ready(offset):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                tail = self.log.read_text(errors="replace")[offset:][-2000:]
                raise StartupError(f"The service did not start:\n{tail}")
            time.sleep(0.02)

    def stop(self) -> int | None:
        """Ask it to end, wait, and give its exit code."""
        if self._process is None:
            return None

        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
        return self._process.wait()

    def kill(self) -> None:
        """End it as a power cut of the process would: SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def wait_until_queryable(self, timeout_s: float = 120.0) -> None:
        """Wait until every accepted event can be queried."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if httpx.get(f"{self.url}/readyz", timeout=10).json()["waiting"] == 0:
                return
            time.sleep(0.05)
        raise TimeoutError("accepted events are still not queryable")

    def cli(self, *arguments: str, stdin: str | None = None) -> str:
        """Run an admin command on the same directory, and give what it printed."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}
        given = {PREFIX + name: value for name, value in self._settings.items()}
        done = subprocess.run(
            [sys.executable, "-m", "groundswell", *arguments, "--data", str(self.data), "--json"],
            input=stdin, capture_output=True, text=True, env={**inherited, **given}, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise StartupError(f"groundswell {' '.join(arguments)}: {done.stderr.strip()}")

        return done.stdout

    def _is_ready(self, offset: int) -> bool:
        found = READY.search(self.log.read_text(errors="replace")[offset:])
        if found is None:
            return False

        self.url = found[1]
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False
