"""Settings as data: one table gives flags, environment variables, defaults, units and help.

Every setting is `GROUNDSWELL_<NAME>`; a secret may also come from a file named by
`GROUNDSWELL_<NAME>_FILE`. A flag of the command line beats the environment, which beats the file
of settings, which beats the default. A variable of that prefix, or a name in the file, that no row
knows is a start-up error that names the nearest.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias
from urllib.parse import urlsplit

from groundswell.errors import StartupError

PREFIX = "GROUNDSWELL_"
CONFIG = "groundswell.toml"
Value: TypeAlias = str | int | float | bool | None


class Origin(StrEnum):
    """Where the effective value of a setting came from."""

    DEFAULT = "default"
    ENVIRONMENT = "environment"
    FILE = "file"
    CONFIG = "config file"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Setting:
    """One row: `name` in capitals, `kind` of value, `unit` for people, `choices` when closed.

    plain: the variable is honoured without the prefix too. schemes: of the address that it must be.
    """

    name: str
    kind: type[str] | type[int] | type[float] | type[bool]
    default: Value
    help: str
    unit: str = ""
    secret: bool = False
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    plain: bool = False
    schemes: tuple[str, ...] = ()


_S = Setting
SETTINGS: tuple[Setting, ...] = (
    _S(
        "CONFIG",
        str,
        "",
        "File of settings in TOML, names in small letters; groundswell.toml here when empty.",
    ),
    _S("DATA", str, "groundswell-data", "Directory that holds everything the service keeps."),
    _S("HOST", str, "127.0.0.1", "Address to listen on."),
    _S(
        "PORT",
        int,
        8000,
        "Port to listen on; 0 takes a free one.",
        minimum=0,
        maximum=65535,
        plain=True,
    ),
    _S(
        "BASE_URL",
        str,
        "",
        "Address under which people reach the service; made from HOST and PORT when empty.",
        schemes=("http", "https"),
    ),
    _S(
        "DATABASE_URL",
        str,
        "",
        "Metadata database: empty for SQLite in DATA, or postgresql://user:password@host/name.",
        secret=True,
        plain=True,
    ),
    _S(
        "CLICKHOUSE_URL",
        str,
        "",
        "Event store: empty for the embedded engine, or http://user:password@host:8123/database.",
        secret=True,
    ),
    _S("CLICKHOUSE_CLUSTER", str, "", "Name of the ClickHouse cluster; empty for one server."),
    _S("RETENTION_DAYS", int, 90, "How long events are kept.", unit="days", minimum=1),
    _S(
        "SECRET_KEY",
        str,
        "",
        "Signs sessions and links; made in DATA/secret when empty. Several, "
        "separated by commas, for rotation: the first one signs.",
        secret=True,
    ),
    _S(
        "TRUSTED_PROXIES",
        str,
        "",
        "Addresses or networks, separated by commas, whose forwarded headers are believed.",
    ),
    _S(
        "LOG_LEVEL",
        str,
        "info",
        "What is logged; read again on SIGHUP.",
        choices=("debug", "info", "warning", "error"),
        plain=True,
    ),
    _S(
        "SENTRY_DSN",
        str,
        "",
        "Where this service reports its own errors; nowhere when empty.",
        secret=True,
        plain=True,
        schemes=("http", "https"),
    ),
    _S(
        "DURABILITY",
        str,
        "fsync",
        "What 200 on an envelope promises: on disk (fsync), or written "
        "to the operating system (os).",
        choices=("fsync", "os"),
    ),
    _S(
        "SPOOL_LIMIT_MB",
        int,
        2048,
        "Waiting events beyond this are refused with 429.",
        unit="MB",
        minimum=1,
    ),
    _S(
        "DISK_RESERVE_MB",
        int,
        512,
        "Free space below which the door answers 503.",
        unit="MB",
        minimum=0,
    ),
    _S("DIGEST_WORKERS", int, 1, "Processes that turn envelopes into rows.", minimum=1),
    _S(
        "DIGEST_WINDOW_MS",
        int,
        600,
        "How long a batch waits for more events.",
        unit="ms",
        minimum=10,
    ),
    _S("QUERY_THREADS", int, 4, "Questions answered at the same time.", minimum=2),
    _S("QUERY_TIMEOUT_S", int, 30, "Time limit of one question.", unit="s", minimum=1),
    _S("QUERY_MEMORY_MB", int, 1500, "Memory limit of one question.", unit="MB", minimum=100),
    _S(
        "ENGINE_MEMORY_MB",
        int,
        4000,
        "Memory limit of the embedded engine.",
        unit="MB",
        minimum=500,
    ),
    _S(
        "QUERY_EXACT_ROWS",
        int,
        50_000_000,
        "Rows in the range of a question up to which its percentiles are exact; above, estimated.",
        unit="rows",
        minimum=1,
    ),
    _S("QUERY_MAX_LENGTH", int, 4096, "Longest search query.", unit="characters", minimum=16),
    _S("QUERY_MAX_TERMS", int, 100, "Most terms in a search query.", minimum=1),
    _S("QUERY_MAX_DEPTH", int, 32, "Deepest nesting of parentheses in a search query.", minimum=1),
    _S("CHART_TIMEOUT_S", int, 15, "Time limit of drawing one chart.", unit="s", minimum=1),
    _S(
        "API_RATE_LIMIT",
        int,
        0,
        "Requests per minute that one token or address may make of the API; 0 for no limit.",
        unit="requests/min",
        minimum=0,
    ),
    _S("SLACK_SIGNING_SECRET", str, "", "Verifies what Slack sends.", secret=True),
    _S("SLACK_BOT_TOKEN", str, "", "Bot token (xoxb-…) of one workspace.", secret=True),
    _S(
        "SLACK_ORG",
        str,
        "",
        "Organization that SLACK_BOT_TOKEN serves; needed when there are several.",
    ),
    _S(
        "SLACK_APP_TOKEN",
        str,
        "",
        "App-level token (xapp-…): receive over Socket Mode.",
        secret=True,
    ),
    _S(
        "SLACK_CLIENT_ID",
        str,
        "",
        "OAuth client id; reserved for installing into many workspaces, not there yet.",
    ),
    _S(
        "SLACK_CLIENT_SECRET",
        str,
        "",
        "OAuth client secret; reserved like SLACK_CLIENT_ID.",
        secret=True,
    ),
    _S(
        "SLACK_API_URL",
        str,
        "https://slack.com/api/",
        "Address of Slack's Web API.",
        schemes=("http", "https"),
    ),
    _S(
        "SLACK_IMAGES",
        str,
        "auto",
        "How charts reach Slack: a public address, an uploaded file, not at all, or what works.",
        choices=("auto", "url", "file", "none"),
    ),
    _S(
        "SMTP_URL",
        str,
        "",
        "Mail server: smtp://user:password@host:587 (STARTTLS) or smtps://.",
        secret=True,
        schemes=("smtp", "smtps"),
    ),
    _S("MAIL_FROM", str, "groundswell@localhost", "Sender of mail."),
    _S("WEBHOOK_ALLOW_PRIVATE", bool, False, "Let webhooks reach private addresses."),
    _S(
        "ALERT_DELAY_S",
        int,
        60,
        "How old a window must be before a rule judges it.",
        unit="s",
        minimum=0,
    ),
)
BY_NAME: Mapping[str, Setting] = MappingProxyType({row.name: row for row in SETTINGS})


@dataclass(frozen=True, slots=True)
class Settings:
    """The effective settings of this process, with the origin of each."""

    values: Mapping[str, Value]
    origins: Mapping[str, Origin]
    flags: Mapping[str, Value] = field(default_factory=dict)

    def text(self, name: str) -> str:
        value = self.values[name]
        assert isinstance(value, str), name
        return value

    def integer(self, name: str) -> int:
        value = self.values[name]
        assert isinstance(value, int), name
        return value

    def flag(self, name: str) -> bool:
        return bool(self.values[name])

    @property
    def data(self) -> Path:
        return Path(self.text("DATA"))

    @property
    def base_url(self) -> str:
        """Public address without a final slash."""
        configured = self.text("BASE_URL").rstrip("/")
        host = self.text("HOST")
        shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104
        return configured or f"http://{shown}:{self.integer('PORT')}"

    def with_values(self, **values: Value) -> Settings:
        """Replace values that only become known later, such as the port that was free."""
        return replace(self, values=MappingProxyType({**self.values, **values}))

    def reread(self) -> Settings:
        """Load the settings again, with the flags that were given. Raises StartupError."""
        return load(self.flags)

    def masked(self) -> list[dict[str, Value]]:
        """List name, value, origin, unit and help of every setting, with secrets hidden."""
        return [
            {
                "name": row.name,
                "value": "********"
                if row.secret and self.values[row.name]
                else self.values[row.name],
                "origin": self.origins[row.name].value,
                "unit": row.unit,
                "help": row.help,
            }
            for row in SETTINGS
        ]


def load(
    flags: Mapping[str, Value] | None = None, environ: Mapping[str, str] | None = None
) -> Settings:
    """Merge flags, environment, file and defaults.

    flags: setting name → value, None where the flag was not given.
    Raises StartupError for an unknown name and for a value of the wrong kind.
    """
    environ = os.environ if environ is None else environ
    flags = flags or {}
    _refuse_unknown(environ)
    written = _written(flags.get("CONFIG") or environ.get(PREFIX + "CONFIG"))
    values: dict[str, Value] = {}
    origins: dict[str, Origin] = {}
    for row in SETTINGS:
        given, origin, name = _given(row, flags, environ, written)
        values[row.name] = row.default if given is None else _convert(row, given, name)
        origins[row.name] = origin
    return Settings(
        MappingProxyType(values), MappingProxyType(origins), MappingProxyType(dict(flags))
    )


def _given(
    row: Setting,
    flags: Mapping[str, Value],
    environ: Mapping[str, str],
    written: Mapping[str, Value],
) -> tuple[Value, Origin, str]:
    """Give the value of a setting, where it came from, and under which name."""
    variable = PREFIX + row.name
    if flags.get(row.name) is not None:
        return flags[row.name], Origin.FLAG, "--" + row.name.lower().replace("_", "-")

    if variable in environ:
        return environ[variable], Origin.ENVIRONMENT, variable

    if row.secret and (path := environ.get(variable + "_FILE")):
        try:
            return Path(path).read_text().strip(), Origin.FILE, variable
        except (OSError, UnicodeDecodeError) as error:
            raise StartupError(f"{variable}_FILE: cannot read {path}: {error}") from error

    if row.plain and environ.get(row.name):
        return environ[row.name], Origin.ENVIRONMENT, row.name

    if row.name in written:
        return written[row.name], Origin.CONFIG, row.name.lower()

    return None, Origin.DEFAULT, variable


def _written(named: Value) -> dict[str, Value]:
    """Read the file of settings; without a name, groundswell.toml here if there is one."""
    path = Path(str(named) if named else CONFIG)
    if not named and not path.is_file():
        return {}

    try:
        found = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise StartupError(f"Cannot read the settings in {path}: {error}") from error

    known = {row.name.lower() for row in SETTINGS if row.name != "CONFIG"}
    for name in found:
        if name not in known:
            raise StartupError(f"Unknown setting {name} in {path}. {_nearest(name, known)}")
    return {name.upper(): value for name, value in found.items()}


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    known = {PREFIX + row.name for row in SETTINGS}
    known |= {f"{PREFIX}{row.name}_FILE" for row in SETTINGS if row.secret}
    for variable in sorted(environ):
        if variable.startswith(PREFIX) and variable not in known:
            raise StartupError(f"Unknown setting {variable}. {_nearest(variable, known)}")


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.0)
    return f"Did you mean {near[0]}?"


def _convert(row: Setting, given: Value, name: str) -> Value:
    shown = "********" if row.secret else repr(given)
    value: Value
    try:
        value = _boolean(given) if row.kind is bool else row.kind(given)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        kind = {int: "a whole number", bool: "true or false"}.get(row.kind, "a number")
        raise StartupError(f"{name} must be {kind}, got {shown}") from None

    if row.choices:
        value = str(value).strip().lower()
        if value not in row.choices:
            raise StartupError(f"{name} must be one of {', '.join(row.choices)}, got {shown}")

    if isinstance(value, (int, float)):
        if row.minimum is not None and value < row.minimum:
            raise StartupError(f"{name} must be at least {row.minimum:g}, got {shown}")
        if row.maximum is not None and value > row.maximum:
            raise StartupError(f"{name} must be at most {row.maximum:g}, got {shown}")

    if row.schemes and value and not _is_address(str(value), row.schemes):
        starts = " or ".join(f"{scheme}://" for scheme in row.schemes)
        raise StartupError(f"{name} must be an address that begins with {starts}, got {shown}")

    return value


def _is_address(text: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _boolean(given: Value) -> bool:
    text = str(given).strip().lower()
    if text in {"1", "true", "yes", "on"}:
        return True

    if text in {"0", "false", "no", "off", ""}:
        return False

    raise ValueError(text)
