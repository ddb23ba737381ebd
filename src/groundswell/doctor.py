"""Look at an installation the way a newcomer's helper would: what is wrong, and how to mend it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from groundswell.config import Settings
from groundswell.errors import GroundswellError, StartupError

NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool
    text: str
    fix: str = ""

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def examine(settings: Settings) -> list[Finding]:
    """Look at everything; a check that fails is a finding, never an exception."""
    checks: tuple[tuple[str, Callable[[Settings], Finding]], ...] = (
        ("data directory", _data_directory),
        ("file system", _file_system),
        ("free space", _free_space),
        ("metadata", _metadata),
        ("engine", _engine),
        ("fonts", _fonts),
        ("public address", _base_url),
        ("Slack", _slack),
    )
    findings = []
    for name, check in checks:
        try:
            findings.append(check(settings))
        except (GroundswellError, OSError) as error:
            findings.append(Finding(name, ok=False, text=str(error)))
    return findings


def _data_directory(settings: Settings) -> Finding:
    from groundswell.store.data_directory import DataDirectory

    directory = DataDirectory(settings.data)
    probe = directory.path / ".probe"
    try:
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        return Finding(
            "data directory", ok=False, text=f"{directory.path} is not writable: {error}",
            fix=f"chown -R {os.geteuid()} {directory.path}",
        )  # fmt: skip
    return Finding("data directory", ok=True, text=str(directory.path))


def _file_system(settings: Settings) -> Finding:
    kind = _file_system_kind(settings.data.absolute())
    return Finding(
        "file system",
        ok=kind not in NETWORK_FILE_SYSTEMS,
        text=kind or "unknown",
        fix="Put the data directory on a local disk: file locks and fsync are not kept on a "
        "network file system."
        if kind in NETWORK_FILE_SYSTEMS
        else "",
    )


def _file_system_kind(path: Path) -> str:
    best, kind = "", ""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, mount, found, *_ = line.split()
        inside = str(path) == mount or str(path).startswith(mount.rstrip("/") + "/")
        if inside and len(mount) >= len(best):
            best, kind = mount, found
    return kind


def _free_space(settings: Settings) -> Finding:
    from groundswell.store.data_directory import DataDirectory

    free = DataDirectory(settings.data).free_bytes()
    reserve = settings.integer("DISK_RESERVE_MB") * 1_000_000
    return Finding(
        "free space",
        ok=free > 2 * reserve,
        text=f"{free / 1e9:.1f} GB free, events are refused below {reserve / 1e9:.1f} GB",
        fix=""
        if free > 2 * reserve
        else "Free some space, lower RETENTION_DAYS, or move the data directory to a larger disk.",
    )


def _metadata(settings: Settings) -> Finding:
    from groundswell.store.metadata import Metadata, database_url

    metadata = Metadata.open(database_url(settings))
    try:
        metadata.migrate()
        return Finding("metadata", ok=True, text="reachable and up to date")
    finally:
        metadata.close()


def _engine(settings: Settings) -> Finding:
    from groundswell.config import load
    from groundswell.store.engine import open_engine

    if settings.text("CLICKHOUSE_URL"):
        engine = open_engine(settings)
        engine.close()
        return Finding("engine", ok=True, text="the ClickHouse server answers")

    with tempfile.TemporaryDirectory() as scratch:
        engine = open_engine(load({"DATA": scratch}, {}))
        engine.close()
    return Finding("engine", ok=True, text="the embedded engine starts")


def _fonts(settings: Settings) -> Finding:
    from groundswell.charts.worker import FONTS

    fonts = sorted(path.name for path in FONTS.glob("*.[ot]tf"))
    return Finding(
        "fonts", ok=bool(fonts), text=", ".join(fonts) or "the bundled font is missing",
        fix="" if fonts else "Install the package again.",
    )  # fmt: skip


def _base_url(settings: Settings) -> Finding:
    configured = settings.text("BASE_URL")
    if not configured:
        return Finding(
            "public address",
            ok=True,
            text=f"{settings.base_url} (from HOST and PORT)",
            fix="Set GROUNDSWELL_BASE_URL to the address that people and Slack use.",
        )

    if not configured.startswith(("http://", "https://")):
        raise StartupError(f"BASE_URL must begin with http:// or https://, got {configured!r}")

    return Finding("public address", ok=True, text=settings.base_url)


def _slack(settings: Settings) -> Finding:
    signing = bool(settings.text("SLACK_SIGNING_SECRET"))
    socket = bool(settings.text("SLACK_APP_TOKEN"))
    if not signing and not socket:
        return Finding(
            "Slack", ok=True, text="not set up",
            fix="Run `groundswell slack manifest`, create the app, then set SLACK_SIGNING_SECRET "
            "(events over HTTP) or SLACK_APP_TOKEN (Socket Mode).",
        )  # fmt: skip

    door = "Socket Mode" if socket else "HTTP"
    return Finding("Slack", ok=True, text=f"receives over {door}; `groundswell slack doctor` "
                   "checks every piece")  # fmt: skip
