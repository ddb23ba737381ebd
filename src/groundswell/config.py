"""Settings as data: one table gives flags, environment variables, defaults, units and help.

Every setting is `GROUNDSWELL_<NAME>`; a secret may also come from a file named by
`GROUNDSWELL_<NAME>_FILE`. A flag of the command line beats the environment, which beats the
default. A variable of that prefix that no row knows is a start-up error that names the nearest.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeAlias

from groundswell.errors import StartupError

PREFIX = "GROUNDSWELL_"
Value: TypeAlias = str | int | float | bool | None


class Origin(StrEnum):
    """Where the effective value of a setting came from."""

    DEFAULT = "default"
    ENVIRONMENT = "environment"
    FILE = "file"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Setting:
    """One row: `name` in capitals, `kind` of value, `unit` for people, `choices` when closed."""

    name: str
    kind: type[str] | type[int] | type[float] | type[bool]
    default: Value
    help: str
    unit: str = ""
    secret: bool = False
    choices: tuple[str, ...] = ()
    minimum: float | None = None


_S = Setting
SETTINGS: tuple[Setting, ...] = (
    _S("DATA", str, "groundswell-data", "Directory that holds everything the service keeps."),
    _S("HOST", str, "127.0.0.1", "Address to listen on."),
    _S("PORT", int, 8000, "Port to listen on; 0 takes a free one.", minimum=0),
    _S(
        "BASE_URL",
        str,
        "",
        "Address under which people reach the service; made from HOST and PORT when empty.",
    ),
    _S(
        "DATABASE_URL",
        str,
        "",
        "Metadata database: empty for SQLite in DATA, or postgresql://user:password@host/name.",
        secret=True,
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
    _S("LOG_LEVEL", str, "info", "What is logged.", choices=("debug", "info", "warning", "error")),
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
    _S("SLACK_API_URL", str, "https://slack.com/api/", "Address of Slack's Web API."),
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
        return Settings(MappingProxyType({**self.values, **values}), self.origins)

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
    """Merge flags, environment and defaults.

    flags: setting name → value, None where the flag was not given.
    Raises StartupError for an unknown variable and for a value of the wrong kind.
    """
    environ = os.environ if environ is None else environ
    _refuse_unknown(environ)
    values: dict[str, Value] = {}
    origins: dict[str, Origin] = {}
    for row in SETTINGS:
        given, origin = _given(row, flags or {}, environ)
        values[row.name] = row.default if given is None else _convert(row, given)
        origins[row.name] = origin
    return Settings(MappingProxyType(values), MappingProxyType(origins))


def _given(
    row: Setting, flags: Mapping[str, Value], environ: Mapping[str, str]
) -> tuple[Value, Origin]:
    if flags.get(row.name) is not None:
        return flags[row.name], Origin.FLAG

    variable = PREFIX + row.name
    if variable in environ:
        return environ[variable], Origin.ENVIRONMENT

    if row.secret and (path := environ.get(variable + "_FILE")):
        try:
            return Path(path).read_text().strip(), Origin.FILE
        except OSError as error:
            raise StartupError(f"{variable}_FILE: cannot read {path}: {error}") from error

    if row.name == "PORT" and environ.get("PORT"):
        return environ["PORT"], Origin.ENVIRONMENT

    return None, Origin.DEFAULT


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    known = {PREFIX + row.name for row in SETTINGS}
    known |= {f"{PREFIX}{row.name}_FILE" for row in SETTINGS if row.secret}
    for variable in sorted(environ):
        if variable.startswith(PREFIX) and variable not in known:
            near = difflib.get_close_matches(variable, sorted(known), n=1, cutoff=0.0)
            raise StartupError(f"Unknown setting {variable}. Did you mean {near[0]}?")


def _convert(row: Setting, given: Value) -> Value:
    variable = PREFIX + row.name
    value: Value
    try:
        value = _boolean(given) if row.kind is bool else row.kind(given)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        kind: Literal["a whole number", "a number", "true or false"] = (
            "a whole number"
            if row.kind is int
            else "true or false"
            if row.kind is bool
            else "a number"
        )
        raise StartupError(f"{variable} must be {kind}, got {given!r}") from None

    if row.choices and value not in row.choices:
        raise StartupError(f"{variable} must be one of {', '.join(row.choices)}, got {given!r}")

    if row.minimum is not None and isinstance(value, (int, float)) and value < row.minimum:
        raise StartupError(f"{variable} must be at least {row.minimum:g}, got {given!r}")

    return value


def _boolean(given: Value) -> bool:
    text = str(given).strip().lower()
    if text in {"1", "true", "yes", "on"}:
        return True

    if text in {"0", "false", "no", "off", ""}:
        return False

    raise ValueError(text)
