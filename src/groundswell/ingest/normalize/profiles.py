"""Profiles → the functions they saw and the profile itself: version 1 (one per transaction) and
chunks of continuous profiles (version 2).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from groundswell.ingest.normalize import columns, labels
from groundswell.ingest.normalize.calltrees import (
    Function,
    Sample,
    fill_idle,
    frame_of,
    functions_of,
)
from groundswell.ingest.normalize.identity import NO_ID, uuid_bytes
from groundswell.ingest.normalize.names import named
from groundswell.ingest.normalize.shapes import lenient_text, mapping, number, sequence, text
from groundswell.ingest.normalize.times import ABSENT, AHEAD_US, DAY_US, micros
from groundswell.ingest.records import Record

MAX_PROFILE_NS = 30_000_000_000


class InvalidProfile(Exception):
    """Raised when a profile cannot be used; the text is the outcome's reason."""


@dataclass(slots=True)
class Profile:
    """A profile and its functions per thread. Times are microseconds, in place."""

    record: Record
    retention_days: int
    payload: bytes
    timestamp_us: int
    profile_id: bytes
    profiler_id: bytes
    transaction_id: bytes
    trace_id: bytes
    transaction: str
    platform: str
    environment: str
    release: str
    os_name: str
    active_thread_id: str
    start_us: int
    end_us: int
    functions: list[tuple[str, int, int, Function]]
    function_retention_days: int = field(default=90, init=False)


def transaction_profile(
    sent: dict[str, Any],
    record: Record,
    payload: bytes,
    retention_days: int,
    received_us: int,
    shift_us: int,
) -> Profile:
    """A version 1 profile: only the thread its transaction ran on. *Raises* `InvalidProfile`."""
    listed = sequence(sent.get("transactions"))
    transaction = mapping(listed[0] if listed else sent.get("transaction"))
    if not transaction:
        raise InvalidProfile("profile_without_transaction")
    body = mapping(sent.get("profile"))
    threads = _threads(body, "elapsed_since_start_ns", 1)
    ticks = [at for samples in threads.values() for at, _ in samples]
    if max(ticks) - min(ticks) > MAX_PROFILE_NS:
        raise InvalidProfile("profile_too_long")
    at = micros(sent.get("timestamp"))
    origin = received_us if at == ABSENT else at + shift_us
    origin = _in_time(origin, received_us, retention_days)
    active = lenient_text(transaction.get("active_thread_id"), 64)
    stacks = _stacks(body)
    samples = fill_idle(threads.get(active, []), stacks)
    found = functions_of(samples, stacks, _frames(body, text(sent.get("platform"))))
    start, end = origin + min(ticks) // 1000, origin + max(ticks) // 1000
    name, _ = named(text(transaction.get("name")), "", False)
    return Profile(
        record=record,
        retention_days=retention_days,
        payload=payload,
        timestamp_us=origin,
        profile_id=uuid_bytes(sent.get("event_id") or sent.get("profile_id")),
        profiler_id=NO_ID,
        transaction_id=uuid_bytes(transaction.get("id")),
        trace_id=uuid_bytes(transaction.get("trace_id")),
        transaction=name,
        active_thread_id=active,
        start_us=start,
        end_us=end,
        functions=[(active, start, end, f) for f in found],
        **_labels(sent),
    )


def profile_chunk(
    sent: dict[str, Any],
    record: Record,
    payload: bytes,
    retention_days: int,
    received_us: int,
    shift_us: int,
) -> Profile:
    """A chunk of a continuous profile: every thread. *Raises* `InvalidProfile`."""
    profiler_id = uuid_bytes(sent.get("profiler_id"))
    if profiler_id == NO_ID:
        raise InvalidProfile("profile_without_profiler")
    body = mapping(sent.get("profile"))
    threads = _threads(body, "timestamp", 1_000_000_000)
    ticks = [at for samples in threads.values() for at, _ in samples]
    last = max(ticks) // 1000 + shift_us
    shift_us += _in_time(last, received_us, retention_days) - last
    stacks, frames = _stacks(body), _frames(body, text(sent.get("platform")))
    functions = []
    for thread, samples in threads.items():
        start, end = samples[0][0] // 1000 + shift_us, samples[-1][0] // 1000 + shift_us
        functions += [(thread, start, end, f) for f in functions_of(samples, stacks, frames)]
    start = min(ticks) // 1000 + shift_us
    return Profile(
        record=record,
        retention_days=retention_days,
        payload=payload,
        timestamp_us=start,
        profile_id=NO_ID,
        profiler_id=profiler_id,
        transaction_id=NO_ID,
        trace_id=NO_ID,
        transaction="",
        active_thread_id="",
        start_us=start,
        end_us=max(ticks) // 1000 + shift_us,
        functions=functions,
        **_labels(sent),
    )


def profiles_table(profiles: list[Profile]) -> pa.Table:
    return columns.table(
        columns.PROFILES,
        {
            "project_id": [p.record.project_id for p in profiles],
            "timestamp": [p.timestamp_us // 1000 for p in profiles],
            "profile_id": [p.profile_id for p in profiles],
            "profiler_id": [p.profiler_id for p in profiles],
            "transaction_id": [p.transaction_id for p in profiles],
            "trace_id": [p.trace_id for p in profiles],
            "transaction": [p.transaction for p in profiles],
            "platform": [p.platform for p in profiles],
            "environment": [p.environment for p in profiles],
            "release": [p.release for p in profiles],
            "active_thread_id": [p.active_thread_id for p in profiles],
            "start_timestamp": [p.start_us for p in profiles],
            "end_timestamp": [p.end_us for p in profiles],
            "payload": [p.payload.decode("utf-8", "replace") for p in profiles],
            "retention_days": [p.retention_days for p in profiles],
        },
    )


def functions_table(profiles: list[Profile]) -> pa.Table:
    rows = [(p, *row) for p in profiles for row in p.functions]
    return columns.table(
        columns.FUNCTIONS,
        {
            "project_id": [p.record.project_id for p, *_ in rows],
            "timestamp": [p.timestamp_us // 1000 for p, *_ in rows],
            "transaction": [p.transaction for p, *_ in rows],
            "fingerprint": [f.fingerprint for *_, f in rows],
            "name": [f.name for *_, f in rows],
            "package": [f.package for *_, f in rows],
            "is_application": [int(f.is_application) for *_, f in rows],
            "platform": [p.platform for p, *_ in rows],
            "environment": [p.environment for p, *_ in rows],
            "release": [p.release for p, *_ in rows],
            "os_name": [p.os_name for p, *_ in rows],
            "profile_id": [p.profile_id for p, *_ in rows],
            "profiler_id": [p.profiler_id for p, *_ in rows],
            "thread_id": [thread for _, thread, *_ in rows],
            "start_timestamp": [start for _, _, start, _, _ in rows],
            "end_timestamp": [end for _, _, _, end, _ in rows],
            "self_times": [f.self_times for *_, f in rows],
            "total_times": [f.total_times for *_, f in rows],
            "sample_count": [f.sample_count for *_, f in rows],
            "retention_days": [p.function_retention_days for p, *_ in rows],
        },
    )


def _threads(body: dict[str, Any], clock: str, scale: int) -> dict[str, list[Sample]]:
    """Samples by thread in order of time, in nanoseconds. Needs at least two in all."""
    stacks, frames = sequence(body.get("stacks")), sequence(body.get("frames"))
    threads: dict[str, list[Sample]] = defaultdict(list)
    count = 0
    for sample in sequence(body.get("samples")):
        sent = mapping(sample)
        at, stack = number(sent.get(clock)), sent.get("stack_id")
        if at is None or not 0 <= at < 9e18 / scale:
            continue
        if type(stack) is not int or not 0 <= stack < len(stacks):
            continue
        # Seconds as floats are exact to less than a microsecond.
        tick = _whole(sent[clock], at) if scale == 1 else round(at * 1_000_000) * 1000
        threads[lenient_text(sent.get("thread_id"), 64)].append((tick, stack))
        count += 1
    if count < 2 or not frames:
        raise InvalidProfile("profile_without_samples")
    for samples in threads.values():
        samples.sort(key=lambda s: s[0])
    return threads


def _whole(sent: Any, value: float) -> int:
    """Nanoseconds as sent: more digits than a float has, unless it was sent as one."""
    return int(sent) if type(sent) is int or str(sent).isdecimal() else int(value)


def _stacks(body: dict[str, Any]) -> list[Any]:
    return [[i for i in sequence(s) if type(i) is int] for s in sequence(body.get("stacks"))]


def _frames(body: dict[str, Any], platform: str) -> list[Any]:
    return [frame_of(raw, platform) for raw in sequence(body.get("frames"))]


def _in_time(at_us: int, received_us: int, retention_days: int) -> int:
    if at_us > received_us + AHEAD_US:
        return received_us
    if at_us < received_us - retention_days * DAY_US:
        raise InvalidProfile("too_old")
    return at_us


def _labels(sent: dict[str, Any]) -> dict[str, str]:
    os_name = text(mapping(sent.get("os")).get("name"), 64)
    return {
        "platform": text(sent.get("platform"), 64) or "other",
        "environment": labels.environment(sent.get("environment")),
        "release": labels.release(sent.get("release")),
        "os_name": os_name or text(sent.get("device_os_name"), 64),
    }
