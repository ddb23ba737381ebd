"""The directory that holds everything one process keeps: one owner, private, with its own key."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

from groundswell.errors import StartupError
from groundswell.store.lock import DataLock


class DataDirectory:
    """DATA: made when missing (mode 0700); `lock` keeps a second process out."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: DataLock | None = None
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StartupError(f"Cannot create the data directory {self.path}: {error}") from error

    def lock(self) -> None:
        """Take the directory for this process.

        Raises StartupError (exit code 3) that names the process which has it.
        """
        self._lock = DataLock.acquire(self.path)

    def unlock(self) -> None:
        """Give the directory back."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def secret_keys(self, configured: str, *, shared_database: bool) -> tuple[str, ...]:
        """Give the keys that sign and encrypt, the signing one first.

        Without a configured key, one is made in DATA/secret (mode 0600). With a shared metadata
        database every process needs the same key, so it must be configured.
        """
        keys = tuple(key.strip() for key in configured.split(",") if key.strip())
        if keys:
            return keys

        if shared_database:
            raise StartupError(
                "GROUNDSWELL_SECRET_KEY is required with PostgreSQL, because every process must "
                f"sign with the same key. For example: {secrets.token_urlsafe(32)}"
            )

        return (self._own_key(),)

    def _own_key(self) -> str:
        path = self.path / "secret"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text().strip()

        key = secrets.token_urlsafe(48)
        with os.fdopen(descriptor, "w") as file:
            file.write(key + "\n")
            file.flush()
            os.fsync(file.fileno())
        return key

    def note_address(self, url: str) -> None:
        """Note where the service listens, for commands that print addresses."""
        (self.path / "address").write_text(url + "\n")

    def address(self) -> str | None:
        """Give where the service listens, or listened last."""
        path = self.path / "address"
        return path.read_text().strip() if path.exists() else None

    def open_control(self, url: str) -> str:
        """Make the token that opens the running service to admin commands; give it.

        It lies in DATA/control (mode 0600) with the address to knock at: who may read the
        directory may administer it.
        """
        token = secrets.token_hex(32)
        fresh = self.path / "control.new"
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{token}\n{url}\n")
        fresh.rename(self.path / "control")
        return token

    def close_control(self) -> None:
        """Take the token away: nobody listens any more."""
        (self.path / "control").unlink(missing_ok=True)

    def control(self) -> tuple[str, str] | None:
        """Give the token and the address of the running service, None where there is none."""
        try:
            token, url = (self.path / "control").read_text().split()
        except (FileNotFoundError, ValueError):
            return None

        return token, url

    def free_bytes(self) -> int:
        """Free space for this user on the file system of the directory."""
        return shutil.disk_usage(self.path).free
