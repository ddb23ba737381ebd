"""Item bytes → typed payloads. Strict and fast first; bytes that break a rule are repaired once,
fields of a wrong type are lost and counted, never the event.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, TypeVar

import msgspec


class Undecodable(Exception):
    """Raised when an item's bytes are not a JSON object, not even after a repair."""


class Span(msgspec.Struct, gc=False):
    """A span of a transaction, or a legacy span sent by itself."""

    span_id: str | None = None
    trace_id: str | None = None
    parent_span_id: str | None = None
    op: str | None = None
    description: str | None = None
    origin: str | None = None
    start_timestamp: Any = None
    timestamp: Any = None
    status: Any = None
    tags: Any = None
    data: Any = None
    measurements: Any = None
    exclusive_time: Any = None
    segment_id: Any = None
    is_segment: Any = None
    profile_id: Any = None
    platform: Any = None


class Transaction(msgspec.Struct, gc=False):
    """A transaction event, as far as its rows need it."""

    spans: list[Span] | None = None
    event_id: Any = None
    transaction: Any = None
    transaction_info: Any = None
    start_timestamp: Any = None
    timestamp: Any = None
    contexts: Any = None
    tags: Any = None
    user: Any = None
    request: Any = None
    sdk: Any = None
    measurements: Any = None
    platform: Any = None
    release: Any = None
    environment: Any = None
    dist: Any = None
    server_name: Any = None
    site: Any = None
    level: Any = None
    logger: Any = None
    modules: Any = None


T = TypeVar("T", bound=msgspec.Struct)

_FAILURES = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_ESCAPED_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
_transaction = msgspec.json.Decoder(Transaction)
_span = msgspec.json.Decoder(Span)
_anything = msgspec.json.Decoder()


def decode_object(payload: bytes) -> dict[str, Any]:
    """Any JSON object. *Raises* `Undecodable`."""
    payload = _without_nul(payload)
    try:
        found = _anything.decode(payload)
    except _FAILURES:
        found = _decode_repaired(payload)
    if type(found) is not dict:
        raise Undecodable("not_an_object")
    return found


def decode_transaction(payload: bytes) -> Transaction:
    payload = _without_nul(payload)
    try:
        return _transaction.decode(payload)
    except _FAILURES:
        raw = decode_object(payload)
        spans = raw.get("spans")
        raw["spans"] = None
        found = tolerate(Transaction, raw)
        if type(spans) is list:
            found.spans = [tolerate(Span, s) if type(s) is dict else Span() for s in spans]
        return found


def decode_span(payload: bytes) -> Span:
    payload = _without_nul(payload)
    try:
        return _span.decode(payload)
    except _FAILURES:
        return tolerate(Span, decode_object(payload))


def tolerate(cls: type[T], raw: dict[str, Any]) -> T:
    """A struct from an object whose fields may have wrong types: those keep their default."""
    found = cls()
    for field in msgspec.structs.fields(cls):
        if field.encode_name in raw:
            try:
                setattr(found, field.name, msgspec.convert(raw[field.encode_name], field.type))
            except msgspec.ValidationError:
                continue
    return found


def _without_nul(payload: bytes) -> bytes:
    if b"\\u0000" in payload:
        return _ESCAPED_NUL.sub(rb"\1\\ufffd", payload)
    return payload


def _decode_repaired(payload: bytes) -> Any:
    """What other parsers forgive: a byte order mark, bad UTF-8, lone surrogates, control
    characters, NaN and infinities (→ null).
    """
    text = payload.decode("utf-8", "replace").removeprefix("\ufeff")
    try:
        found = json.loads(text, strict=False, parse_constant=lambda _: None, parse_float=_finite)
        # A round trip pairs surrogates and drops those that stand alone.
        again = json.dumps(found, ensure_ascii=False)
        clean = again.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return _anything.decode(_without_nul(clean.encode()))
    except (ValueError, RecursionError, msgspec.DecodeError) as error:
        raise Undecodable("invalid_json") from error


def _finite(digits: str) -> float | None:
    value = float(digits)
    return value if math.isfinite(value) else None
