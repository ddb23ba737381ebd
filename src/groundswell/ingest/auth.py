"""Whose key a request carries: five ways to say it, and a DSN inside the envelope as the sixth."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from groundswell.errors import UserError

KEY = re.compile(r"[0-9a-fA-F]{32}")
PROTOCOL_VERSION = 7


@dataclass(frozen=True, slots=True)
class Claim:
    """A public key as claimed. `project` is set where a DSN named one."""

    public_key: str
    client: str = ""
    project: str | None = None


def claim_of(headers: Mapping[bytes, bytes], query: bytes, path_key: str | None) -> Claim | None:
    """Read the first way that is used: query string, X-Sentry-Auth, Authorization, key in path.

    Raises UserError (400) for a key or a protocol version that is not one.
    """
    for fields in _ways(headers, query, path_key):
        key = fields.get("sentry_key")
        if key is None:
            continue

        _check_version(fields.get("sentry_version", ""))
        return Claim(_checked_key(key), fields.get("sentry_client", "")[:128])

    return None


def claim_of_dsn(dsn: str) -> Claim:
    """Read the DSN of an envelope header. Raises UserError (400)."""
    try:
        parts = urlsplit(dsn)
        key = unquote(parts.username or "")
    except ValueError:
        key = ""
    if not key:
        raise UserError("The dsn of the envelope header is not a DSN.", code="invalid_dsn")

    return Claim(_checked_key(key), project=parts.path.rstrip("/").rpartition("/")[2])


def _ways(
    headers: Mapping[bytes, bytes], query: bytes, path_key: str | None
) -> Iterator[dict[str, str]]:
    if b"sentry_" in query:
        yield dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=64))
    if own := headers.get(b"x-sentry-auth"):
        yield _sentry_fields(own)
    if standard := headers.get(b"authorization"):
        scheme, _, rest = standard.strip().partition(b" ")
        if scheme.lower() == b"sentry":
            yield _sentry_fields(standard)
        elif scheme.lower() == b"basic":
            yield _basic_fields(rest)
    if path_key is not None:
        yield {"sentry_key": path_key}


def _sentry_fields(header: bytes) -> dict[str, str]:
    """`Sentry k=v, k=v` → fields; the word in front may be missing."""
    text = header.decode("latin-1").strip()
    scheme, _, rest = text.partition(" ")
    pairs = (rest if scheme.lower() == "sentry" else text).split(",")
    fields = (pair.partition("=") for pair in pairs)
    return {name.strip().lower(): unquote(value.strip().strip('"')) for name, _, value in fields}


def _basic_fields(encoded: bytes) -> dict[str, str]:
    try:
        user, _, _ = base64.b64decode(encoded.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return {}

    return {"sentry_key": user.decode("latin-1")}


def _checked_key(key: str) -> str:
    if not KEY.fullmatch(key):
        raise UserError("The public key must be 32 hex digits.", code="invalid_key")

    return key.lower()


def _check_version(version: str) -> None:
    text = version.strip().split(".")[0]
    if not text:
        return

    if not text.isascii() or not text.isdigit() or int(text[:6]) > PROTOCOL_VERSION:
        raise UserError(
            f"Protocol version {version[:16]!r} is not supported, the newest is 7.",
            code="unsupported_version",
        )
