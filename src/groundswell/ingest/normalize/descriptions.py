"""Span descriptions → what is left when ids and values are gone, and the group of that.

Rules go by the family of the op; SQL is normalised in sql.py. A description whose family has no
rule keeps no group.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from typing import NamedTuple
from urllib.parse import urlsplit

from groundswell.ingest.normalize import sql


class Description(NamedTuple):
    """`normalized` is '' where the family has no rule; then `group` is 0."""

    group: int = 0
    normalized: str = ""
    domain: str = ""
    action: str = ""
    system: str = ""
    category: str = ""


_METHODS = frozenset(
    ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"]
)
_SECOND_LEVEL = frozenset(
    [
        "ac",
        "co",
        "com",
        "edu",
        "gov",
        "ltd",
        "me",
        "net",
        "nhs",
        "org",
        "or",
        "ne",
        "go",
        "plc",
        "sch",
    ]
)
_AS_IS = frozenset(
    [
        "ui.load",
        "app.start.cold",
        "app.start.warm",
        "contentprovider.load",
        "application.load",
        "activity.load",
        "process.load",
        "mark",
    ]
)
_AS_IS_FAMILIES = ("ai.run", "ai.pipeline", "app", "db.sql.prisma")
_COMPONENT_OPS = ("ui.interaction", "ui.react")
_COMPONENT = re.compile(r"\[data-sentry-component=\"?([^\]\"]+)\"?\]")
_NUMBERED = re.compile(
    r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|\b0x[0-9a-fA-F]+\b"
    r"|\b[0-9a-fA-F]{16,}\b|\d+"
)
_COMMON_WORDS = frozenset(
    [
        "api",
        "static",
        "assets",
        "public",
        "images",
        "img",
        "media",
        "js",
        "css",
        "fonts",
        "font",
        "dist",
        "build",
        "lib",
        "vendor",
        "chunks",
        "_next",
        "scripts",
        "styles",
        "files",
        "uploads",
        "app",
        "src",
        "node_modules",
    ]
)
_HASHED = re.compile(r"[0-9a-fA-F]{6,}|\d{3,}")
_CATEGORIES = {
    "db": "db",
    "http": "http",
    "cache": "cache",
    "resource": "resource",
    "ui": "ui",
    "app": "app",
    "browser": "browser",
    "queue": "queue",
    "ai": "ai",
    "grpc": "http",
    "rpc": "http",
    "template": "template",
    "view": "template",
    "middleware": "middleware",
    "serialize": "serialize",
    "function": "function",
    "file": "file",
    "messaging": "queue",
    "topic": "queue",
    "navigation": "navigation",
    "console": "console",
    "event": "event",
    "graphql": "graphql",
    "rest": "http",
    "websocket": "websocket",
    "measure": "measure",
    "pageload": "pageload",
    "task": "task",
}
_KEY_VALUE = frozenset({"redis", "valkey", "memcached"})
_UNSCRUBBED_SYSTEMS = frozenset({"mongodb", "clickhouse", "elasticsearch", "dynamodb", "cosmosdb"})


def describe(op: str, description: str, system: str, action: str, name: str) -> Description:
    """Everything that follows from a span's op and description.

    system: `db.system` of its data. action: the HTTP method or `db.operation` of its data.
    name: the table or collection its data names.
    """
    family = op.partition(".")[0]
    category = _CATEGORIES.get(family, "")
    if op == "db.redis" or family == "cache" or (family == "db" and system in _KEY_VALUE):
        return _command(op, description, system, action, category)
    if family == "db":
        return _database(op, description, system, action, name, category)
    if family == "http":
        return _http(description, action, system, category)
    if family == "resource":
        return _resource(op, description, system, category)
    normalized = _plain(op, family, description)
    return Description(group_of(normalized), normalized, "", action.upper(), system, category)


def group_of(normalized: str) -> int:
    if not normalized:
        return 0
    digest = hashlib.md5(normalized.encode("utf-8", "replace"), usedforsecurity=False).digest()
    return int.from_bytes(digest[:8], "big")


def _command(op: str, description: str, system: str, action: str, category: str) -> Description:
    """A key-value command: the verb is what stays, of the op (`cache.get`) or of the text."""
    first = description.split(None, 1)[0].upper() if description.strip() else ""
    verb = op.partition(".")[2].upper() if category == "cache" else first
    if not description or not verb or len(verb) > 32:
        return Description(0, "", "", action.upper(), system, category)
    normalized = f"{verb} *"
    return Description(
        group_of(normalized), normalized, "", action.upper() or verb, system, category
    )


def _database(
    op: str, description: str, system: str, action: str, name: str, category: str
) -> Description:
    if system in _UNSCRUBBED_SYSTEMS or ("activerecord" in op and not system):
        return Description(0, "", name, action.upper(), system, category)
    if not description:
        return Description(0, "", name, action.upper(), system, category)
    normalized = sql.normalized(description, system)
    tables = sql.tables(normalized)
    return Description(
        group_of(normalized),
        normalized,
        ",".join(tables) or name,
        action.upper() or sql.action(normalized),
        system,
        category,
    )


def _http(description: str, action: str, system: str, category: str) -> Description:
    method, _, target = description.strip().partition(" ")
    if method.upper() not in _METHODS:
        method, target = (action or ""), description.strip()
    method = method.upper()
    if not target:
        return Description(0, "", "", method, system, category)
    if target.startswith("data:image/"):
        normalized, domain = f"{method} data:image/*", ""
    else:
        scheme, domain = _host(target)
        normalized = f"{method} {scheme}://{domain}" if domain else f"{method} *"
    normalized = normalized.strip()
    return Description(group_of(normalized), normalized, domain, method, system, category)


def _host(target: str) -> tuple[str, str]:
    """(scheme, host as it is grouped): one label above the registered domain, addresses masked."""
    try:
        parts = urlsplit(target)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "", ""
    if not host or not parts.scheme:
        return "", ""
    return parts.scheme, _masked(host) + (f":{port}" if port else "")


def _masked(host: str) -> str:
    if host in ("localhost", "127.0.0.1"):
        return host
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        labels = host.split(".")
        known = 3 if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL else 2
        return host if len(labels) <= known else "*." + ".".join(labels[-known:])
    return "*.*.*.*" if address.version == 4 else "[*]"


def _resource(op: str, description: str, system: str, category: str) -> Description:
    target = description.strip()
    if not target:
        return Description(0, "", "", "", system, category)
    if target.startswith("data:"):
        kind = target[5:].split(";", 1)[0].split(",", 1)[0]
        normalized = f"data:{kind or '*'}"
        return Description(group_of(normalized), normalized, "", "", system, category)
    scheme, domain = _host(target)
    path = target.split("://", 1)[-1].partition("/")[2] if domain else target.lstrip("/")
    path = path.split("?", 1)[0].split("#", 1)[0]
    *folders, last = path.split("/")
    kept = [f if f.lower() in _COMMON_WORDS else "*" for f in folders if f]
    collapsed = [f for i, f in enumerate(kept) if f != "*" or i == 0 or kept[i - 1] != "*"]
    extension = last.rpartition(".")[2].lower() if "." in last else ""
    file = f"*.{extension}" if extension else ("*" if last else "")
    if last and not _HASHED.search(last) and op in ("resource.script", "resource.css"):
        file = last
    tail = "/".join([*collapsed, file] if file else collapsed)
    normalized = f"{scheme}://{domain}/{tail}" if domain else tail
    return Description(group_of(normalized), normalized, domain, "", system, category)


def _plain(op: str, family: str, description: str) -> str:
    if not description:
        return ""
    if op in _AS_IS or family == "app" or op.startswith(_AS_IS_FAMILIES):
        return description
    if op.startswith(_COMPONENT_OPS):
        found = _COMPONENT.search(description)
        return found[1] if found else description if op.startswith("ui.react") else ""
    if family == "file":
        last = description.replace("\\", "/").rpartition("/")[2].split(" ", 1)[0]
        return "*." + last.rpartition(".")[2] if "." in last else "*"
    if family == "function":
        return _NUMBERED.sub("*", description)
    return ""
