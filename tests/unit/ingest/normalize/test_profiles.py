"""Profiles → time per function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from groundswell.ingest.normalize.calltrees import fingerprint
from groundswell.ingest.records import Item, Kind
from tests.unit.ingest.normalize.building import RECEIVED, TRACE_ID, build, row

MS = 1_000_000
FRAMES = {
    "main": {"function": "main", "module": "app", "in_app": True},
    "work": {"function": "work", "module": "app", "in_app": True},
    "lib": {"function": "lib", "module": "lib", "in_app": False},
    "leaf": {"function": "leaf", "module": "lib", "in_app": False},
    "back": {"function": "back", "module": "app", "in_app": True},
}
NAMES = list(FRAMES)


def body(stacks: list[str], step_ms: int = 10, thread: str = "1", **fields: Any) -> dict[str, Any]:
    """Samples every `step_ms`; each stack is "root leaf" names, '' for an idle thread."""
    paths = [[NAMES.index(n) for n in reversed(s.split())] for s in stacks]
    return {
        "frames": list(FRAMES.values()),
        "stacks": paths,
        "samples": [
            {"elapsed_since_start_ns": str(i * step_ms * MS), "thread_id": thread, "stack_id": i}
            for i in range(len(stacks))
        ],
        **fields,
    }


def profile(stacks: list[str], **fields: Any) -> dict[str, Any]:
    return {
        "version": "1",
        "event_id": "ab" * 16,
        "platform": "python",
        "release": "1.0",
        "environment": "prod",
        "timestamp": RECEIVED - 10,
        "os": {"name": "Linux"},
        "transactions": [
            {"id": "cd" * 16, "name": "/pay", "trace_id": TRACE_ID, "active_thread_id": 1}
        ],
        "profile": body(stacks),
        **fields,
    }


def functions(
    payload: dict[str, Any], kind: Kind = Kind.PROFILE
) -> dict[str, tuple[list[int], int]]:
    found = build(kind, payload).tables["functions"].to_pylist()
    return {f["name"]: ([t // MS for t in f["self_times"]], f["sample_count"]) for f in found}


@pytest.mark.parametrize(
    ("stacks", "expected"),
    [
        # Functions at the root of a stack count.
        (["main", "main", "main"], {"main": ([20], 2)}),
        # An application frame owns the time of its callees outside the application.
        (["main lib", "main lib", "main lib"], {"main": ([20], 2), "lib": ([20], 2)}),
        # … but not that of callees inside it, however far below.
        (
            ["main lib back", "main lib back", "main lib", "main"],
            {"main": ([10], 3), "back": ([20], 2), "lib": ([10], 3)},
        ),
        # A call ends when the frame is gone; one element per call.
        (
            ["main work", "main", "main work", "main work", "main"],
            {"main": ([10], 4), "work": ([10, 20], 3)},
        ),
        # Idle gaps are filled with what both sides have in common.
        (["main work", "", "main lib", "main lib", ""], {"main": ([30], 4), "lib": ([20], 2)}),
        # Seen in a single sample: not told.
        (["main work", "main", "main"], {"main": ([10], 2)}),
        (["", "", ""], {}),
    ],
)
def test_self_times(stacks: list[str], expected: dict[str, tuple[list[int], int]]) -> None:
    assert functions(profile(stacks)) == expected


@pytest.mark.parametrize("form", [str, int, float, lambda at: f"{at:.1e}"])
def test_times_of_samples_come_in_many_forms(form: Callable[[int], Any]) -> None:
    payload = profile(["main work", "main work", "main work"])
    for sample in payload["profile"]["samples"]:
        sample["elapsed_since_start_ns"] = form(int(sample["elapsed_since_start_ns"]))
    assert functions(payload)["work"] == ([20], 2)


def test_only_the_thread_of_the_transaction_counts() -> None:
    payload = profile(["main"] * 3)
    for sample in body(["work"] * 3)["samples"]:
        payload["profile"]["samples"].append({**sample, "thread_id": "2", "stack_id": 0})
    assert functions(payload) == {"main": ([20], 2)}


def test_rows_carry_what_the_profile_says() -> None:
    built = build(Kind.PROFILE, profile(["main"] * 3))
    found = row(built, "functions")
    assert found["fingerprint"] == fingerprint("app", "main")
    assert (found["transaction"], found["package"], found["os_name"]) == ("/pay", "app", "Linux")
    assert (found["release"], found["environment"], found["thread_id"]) == ("1.0", "prod", "1")
    assert found["profile_id"] == bytes.fromhex("ab" * 16)
    assert found["timestamp"].timestamp() == RECEIVED - 10
    assert found["end_timestamp"].timestamp() == RECEIVED - 10 + 0.02
    stored = row(built, "profiles")
    assert stored["transaction_id"] == bytes.fromhex("cd" * 16)
    assert stored["active_thread_id"] == "1"
    assert '"stacks"' in stored["payload"]


def test_the_fingerprint_is_fnv_1() -> None:
    # One byte, ":": the offset basis times the prime, then exclusive or (FNV-1a: or first).
    assert fingerprint("", "") == (0xAF63BD4C8601B7DF ^ ord(":")) & 0xFFFFFFFF
    assert fingerprint("app", "main") != fingerprint("main", "app")


def chunk(**fields: Any) -> dict[str, Any]:
    samples = [
        {"timestamp": RECEIVED - 20 + i / 100, "thread_id": thread, "stack_id": stack}
        for i in range(4)
        for thread, stack in (("1", 0), ("2", 1))
    ]
    return {
        "version": "2",
        "profiler_id": "ef" * 16,
        "chunk_id": "aa" * 16,
        "platform": "python",
        "profile": {**body(["main", "work"]), "samples": samples},
        **fields,
    }


def test_every_thread_of_a_chunk_counts() -> None:
    assert functions(chunk(), Kind.PROFILE_CHUNK) == {"main": ([30], 3), "work": ([30], 3)}
    built = build(Kind.PROFILE_CHUNK, chunk())
    assert {f["thread_id"] for f in built.tables["functions"].to_pylist()} == {"1", "2"}
    assert row(built, "profiles")["profiler_id"] == bytes.fromhex("ef" * 16)


@pytest.mark.parametrize(
    ("kind", "payload", "reason"),
    [
        (Kind.PROFILE, profile(["main"]), "profile_without_samples"),
        (Kind.PROFILE, profile([]), "profile_without_samples"),
        (Kind.PROFILE, profile(["main"] * 3, transactions=[]), "profile_without_transaction"),
        (Kind.PROFILE, profile([], profile=body(["main"] * 3, 16_000)), "profile_too_long"),
        (Kind.PROFILE, profile(["main"] * 3, timestamp=1), "too_old"),
        (Kind.PROFILE, profile(["main"] * 3, profile=None), "profile_without_samples"),
        (Kind.PROFILE_CHUNK, chunk(profiler_id=None), "profile_without_profiler"),
    ],
)
def test_unusable_profiles_are_refused(kind: Kind, payload: Any, reason: str) -> None:
    built = build(kind, payload)
    assert [r.reason for r in built.rejected] == [reason]
    assert built.tables["profiles"].num_rows == 0


@pytest.mark.parametrize(
    ("said", "kept"), [("", 1), ("python", 1), ("node", 0)], ids=["not said", "same", "other"]
)
def test_a_chunk_is_of_the_platform_that_its_header_says(said: str, kept: int) -> None:
    payload = msgspec.json.encode(chunk(platform="python"))
    items = (Item(0, Kind.PROFILE_CHUNK, "profile_chunk", payload, platform=said),)
    assert build(Kind.PROFILE_CHUNK, b"", items=items).tables["profiles"].num_rows == kept


def test_deep_stacks_do_not_end_in_recursion() -> None:
    deep = profile([" ".join(["main"] * 5000)] * 3)
    assert list(functions(deep)) == ["main"]
