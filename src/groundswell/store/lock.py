"""One process per data directory: an operating-system lock on DATA/lock, with the owner's pid."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from groundswell.errors import StartupError

_held: dict[Path, DataLock] = {}


class DataLock:
    """Held while this process uses the directory; the system drops it when the process dies.

    Inside one process it may be acquired again (the service and its engine): the last release
    lets go.
    """

    def __init__(self, path: Path, file: IO[str]) -> None:
        self._path = path
        self._file = file
        self._holders = 1

    @classmethod
    def acquire(cls, data: Path) -> DataLock:
        """Take the directory. Raises StartupError "… in use by PID n" (exit code 3)."""
        data.mkdir(parents=True, exist_ok=True)
        path = data.resolve() / "lock"
        if path in _held:
            _held[path]._holders += 1
            return _held[path]

        file = path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            owner = file.read().strip() or "unknown"
            file.close()
            raise StartupError(
                f"The data directory {data} is in use by PID {owner}.", exit_code=3
            ) from None

        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        _held[path] = cls(path, file)
        return _held[path]

    def release(self) -> None:
        """Let go; the last holder's release frees the directory."""
        self._holders -= 1
        if self._holders == 0:
            del _held[self._path]
            self._file.close()
