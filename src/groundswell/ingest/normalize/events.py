"""Error events, messages and browser reports → rows of the errors table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from groundswell.ingest.normalize import contexts as ctx
from groundswell.ingest.normalize import labels
from groundswell.ingest.normalize.event_texts import texts_of, variables
from groundswell.ingest.normalize.grouping import group_hash
from groundswell.ingest.normalize.identity import span_number, uuid_bytes
from groundswell.ingest.normalize.requests import request_of
from groundswell.ingest.normalize.scrubbing import Scrubber
from groundswell.ingest.normalize.segments import client_agent, sample_rate_of
from groundswell.ingest.normalize.shapes import flag, lenient_text, mapping, text, values_of
from groundswell.ingest.normalize.stacks import Stacks, stacks_of
from groundswell.ingest.normalize.tags import MAX_VALUE, client_tags
from groundswell.ingest.normalize.times import ABSENT, AHEAD_US, DAY_US, micros
from groundswell.ingest.normalize.trimming import trimmed_payload
from groundswell.ingest.normalize.user_agents import with_user_agent
from groundswell.ingest.normalize.users import User, user_of
from groundswell.ingest.records import Record

_REPORTS = frozenset({"csp", "hpkp", "expectct", "expectstaple"})
_OBJECT, _LIST, _TEXT, _ANY_TEXT = (dict,), (list,), (str,), (str, int, float, bool)
_SHAPES: dict[str, tuple[type, ...]] = {
    "exception": (dict, list),
    "threads": (dict, list),
    "breadcrumbs": (dict, list),
    "tags": (dict, list),
    "logentry": (dict, str),
    "message": (str, dict),
    "stacktrace": _OBJECT,
    "contexts": _OBJECT,
    "request": _OBJECT,
    "user": _OBJECT,
    "sdk": _OBJECT,
    "extra": _OBJECT,
    "modules": _OBJECT,
    "debug_meta": _OBJECT,
    "_meta": _OBJECT,
    "fingerprint": _LIST,
    "transaction": _TEXT,
    "culprit": _TEXT,
    "platform": _TEXT,
    "release": _TEXT,
    "environment": _TEXT,
    "server_name": _TEXT,
    "logger": _TEXT,
    "site": _TEXT,
    "type": _TEXT,
    "dist": (str, int),
    "level": (str, int),
    "timestamp": (str, int, float),
}


@dataclass(slots=True)
class ErrorRow:
    """One row of the errors table, but for the issue's number. Times are microseconds."""

    record: Record
    retention_days: int
    sample_rate: float
    event_id: bytes
    timestamp_us: int
    received_us: int
    type: str
    level: str
    primary_hash: bytes
    title: str
    message: str
    culprit: str
    location: str
    transaction: str
    platform: str
    environment: str
    release: str
    dist: str
    sdk_name: str
    sdk_version: str
    user: User
    request: tuple[str, str, str]
    http_status_code: str
    trace_id: bytes
    span_id: int
    parent_span_id: int
    trace_sampled: int
    replay_id: bytes
    profile_id: bytes
    stacks: Stacks
    problems: int
    tags: dict[str, str]
    contexts: dict[str, str]
    payload: bytes


class TooOld(Exception):
    """Raised when an event happened before its project's retention began."""


def error_row(
    event: dict[str, Any],
    record: Record,
    event_id: bytes,
    scrubber: Scrubber,
    retention_days: int,
    received_us: int,
    shift_us: int,
    size: int,
) -> ErrorRow:
    """An error event's row; the payload is scrubbed and changed in place. *Raises* `TooOld`.

    size: bytes of the payload as sent.
    """
    problems = _drop_wrong_types(event)
    timestamp_us = _placed(event, received_us, shift_us, retention_days)
    scrubber.event(event)
    contexts = mapping(event.get("contexts"))
    trace = mapping(contexts.get("trace"))
    request = mapping(event.get("request"))
    raw_user = mapping(event.get("user"))
    sdk = mapping(event.get("sdk"))
    platform = text(event.get("platform"), 64) or "other"
    contexts = with_user_agent(contexts, client_agent(request, platform, record))
    stacks = stacks_of(event)
    tags, environment = _tags_and_environment(event, problems)
    flat = scrubber.texts(ctx.flatten(contexts, raw_user))
    tags = scrubber.texts(tags)
    http = request_of(request)
    said = texts_of(event, stacks)
    level = labels.level(event.get("level"), "error")
    _derive_tags(tags, event, contexts, stacks, level, http.url)
    release = labels.release(event.get("release"))
    names = variables(event, said, stacks, tags, level=level, release=release)
    row = ErrorRow(
        record=record,
        retention_days=retention_days,
        sample_rate=sample_rate_of(record, flat),
        event_id=event_id,
        timestamp_us=timestamp_us,
        received_us=received_us,
        type=_type(event, stacks),
        level=level,
        primary_hash=group_hash(event, stacks.exceptions, said.template, names),
        title=said.title,
        message=said.searched,
        culprit=said.culprit,
        location=said.location,
        transaction=said.transaction,
        platform=platform,
        environment=environment,
        release=release,
        dist=labels.dist(event.get("dist")),
        sdk_name=text(sdk.get("name"), 128) or record.sdk_name,
        sdk_version=lenient_text(sdk.get("version"), 64) or record.sdk_version,
        user=user_of(raw_user, request, platform, record.client_ip, scrubber.keeps_ip),
        request=http,
        http_status_code=ctx.response_status(contexts, tags, mapping(trace.get("data"))),
        trace_id=uuid_bytes(trace.get("trace_id")),
        span_id=span_number(trace.get("span_id")),
        parent_span_id=span_number(trace.get("parent_span_id")),
        trace_sampled=flag(trace.get("sampled")),
        replay_id=uuid_bytes(
            mapping(contexts.get("replay")).get("replay_id") or tags.get("replayId")
        ),
        profile_id=uuid_bytes(mapping(contexts.get("profile")).get("profile_id")),
        stacks=stacks,
        problems=min(len(problems), 65535),
        tags=tags,
        contexts=flat,
        payload=trimmed_payload(event, problems, size),
    )
    # The rest of the event may go now, not only when its batch is written.
    stacks.exceptions.clear()
    return row


def _drop_wrong_types(event: dict[str, Any]) -> list[dict[str, str]]:
    """Remove fields whose value has a shape that is not theirs; each is noted."""
    shapes_of = _SHAPES.get
    wrong = [
        name
        for name, value in event.items()
        if value is not None and (shapes := shapes_of(name)) and type(value) not in shapes
    ]
    if not wrong:
        return []
    for name in wrong:
        del event[name]
    return [{"type": "invalid_data", "name": name} for name in _SHAPES if name in wrong]


def _placed(event: dict[str, Any], received_us: int, shift_us: int, retention_days: int) -> int:
    """When it happened: as sent and corrected for drift, never ahead, received when unknown."""
    sent = micros(event.get("timestamp"))
    if sent == ABSENT:
        return received_us
    happened = sent + shift_us
    if happened > received_us + AHEAD_US:
        shift_us += received_us - happened
        happened = received_us
    if happened < received_us - retention_days * DAY_US:
        raise TooOld
    if shift_us:
        event["timestamp"] = happened / 1e6
        for crumb in values_of(event.get("breadcrumbs")):
            if type(crumb) is dict:
                at = micros(crumb.get("timestamp"))
                if at != ABSENT:
                    crumb["timestamp"] = (at + shift_us) / 1e6
    return happened


def _type(event: dict[str, Any], stacks: Stacks) -> str:
    sent = event.get("type")
    if sent in _REPORTS:
        return str(sent)
    for report in _REPORTS:
        if type(event.get(report)) is dict:
            return report
    return "error" if stacks.exceptions or event.get("stacktrace") else "default"


def _tags_and_environment(
    event: dict[str, Any], problems: list[dict[str, str]]
) -> tuple[dict[str, str], str]:
    tags, dropped = client_tags(event.get("tags"))
    if dropped:
        problems.append({"type": "invalid_data", "name": "tags"})
    tagged = tags.pop("environment", None)
    return tags, labels.environment(event.get("environment")) or labels.environment(tagged)


def _derive_tags(
    tags: dict[str, str],
    event: dict[str, Any],
    contexts: dict[str, Any],
    stacks: Stacks,
    level: str,
    url: str,
) -> None:
    ctx.derive_tags(tags, contexts)
    for name, value in (
        ("level", level),
        ("device.class", ctx.device_class(contexts)),
        ("server_name", text(event.get("server_name"), 256)),
        ("site", text(event.get("site"), MAX_VALUE)),
        ("logger", text(event.get("logger"), 64)),
        ("url", url),
        ("handled", stacks.handled_tag),
        ("mechanism", stacks.mechanism),
    ):
        if value:
            tags.setdefault(name, value)
