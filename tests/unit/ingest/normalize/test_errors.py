"""Error events → errors rows, and the issues they belong to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from groundswell.ingest.normalize.rows import build_tables
from groundswell.ingest.records import DigestContext, Kind, ProjectOptions
from tests.unit.ingest.normalize.building import RECEIVED, build, error, record


def frame(function: str, in_app: bool | None = True, **fields: Any) -> dict[str, Any]:
    base = {"function": function, "module": "shop.cart", "filename": "shop/cart.py", "lineno": 7}
    return {**base, "in_app": in_app, **fields}


def thrown(kind: str | None, value: Any, *frames: dict[str, Any], **fields: Any) -> dict[str, Any]:
    stack = {"stacktrace": {"frames": list(frames)}} if frames else {}
    return {"type": kind, "value": value, **stack, **fields}


def issue(**fields: Any) -> bytes:
    return bytes(error(**fields)["primary_hash"])


@pytest.mark.parametrize(
    ("event", "title"),
    [
        ({"exception": {"values": [thrown("A", "x"), thrown("B", "y")]}}, "B: y"),
        ({"exception": [thrown("B", "y\nmore")]}, "B: y"),
        ({"exception": thrown("B", None)}, "B"),
        ({"exception": thrown(None, "y")}, "y"),
        ({"message": "first\nsecond"}, "first"),
        ({"logentry": {"message": "%s of %d", "params": ["one", 2]}}, "one of 2"),
        ({"logentry": {"message": "x %s", "formatted": "x 1"}}, "x 1"),
        ({"logentry": {"message": "%(a)s%%", "params": {"a": "ann"}}}, "ann%"),
        ({"message": {"formatted": "hi"}}, "hi"),
        ({}, "<unlabeled event>"),
        ({"message": "m" * 300}, "m" * 253 + "..."),
    ],
)
def test_titles(event: dict[str, Any], title: str) -> None:
    assert error(event)["title"] == title


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"exception": thrown("A", "x")}, "error"),
        ({"stacktrace": {"frames": [frame("f")]}}, "error"),
        ({"message": "x"}, "default"),
        ({"type": "csp", "csp": {"effective_directive": "img-src"}}, "csp"),
        ({"csp": {"effective_directive": "img-src"}}, "csp"),
    ],
)
def test_kinds_of_event(event: dict[str, Any], kind: str) -> None:
    assert error(event)["type"] == kind


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (None, "error"),
        ("fatal", "fatal"),
        ("WARN", "warning"),
        ("critical", "fatal"),
        ("log", "info"),
        ("nonsense", "error"),
        (10, "debug"),
        ([], "error"),
    ],
)
def test_levels(sent: Any, stored: str) -> None:
    found = error(message="x", level=sent)
    assert (found["level"], found["tags"]["level"]) == (stored, stored)


@pytest.mark.parametrize(
    ("mechanisms", "handled", "tag"),
    [
        ([{"type": "generic", "handled": True}], [1], "yes"),
        ([{"type": "x", "handled": True}, {"type": "flask", "handled": False}], [1, 0], "no"),
        ([{"type": "generic", "handled": None}], [-1], None),
        ([None], [-1], None),
    ],
)
def test_handled_flags(mechanisms: list[Any], handled: list[int], tag: str | None) -> None:
    found = error(exception={"values": [thrown("A", "x", mechanism=m) for m in mechanisms]})
    assert found["exception_handled"] == handled
    assert found["tags"].get("handled") == tag


def test_frames_of_all_exceptions_are_parallel_arrays() -> None:
    found = error(
        exception={
            "values": [
                thrown("A", "x", frame("outer", False, abs_path="/a", colno=3)),
                thrown("B", "y", frame("f", package="p"), frame("g", None, lineno="8")),
            ]
        }
    )
    assert found["frame_functions"] == ["outer", "f", "g"]
    assert found["frame_in_app"] == [0, 1, 0]
    assert found["frame_stack_levels"] == [0, 1, 1]
    assert found["frame_abs_paths"] == ["/a", "", ""]
    assert found["frame_packages"] == ["", "p", ""]
    assert found["frame_linenos"] == [7, 7, 8]
    assert found["frame_colnos"] == [3, 0, 0]
    assert found["culprit"] == "shop.cart in f"
    assert found["location"] == "shop/cart.py"


def test_only_the_last_250_frames_are_kept() -> None:
    found = error(exception=thrown("A", "x", *(frame(f"f{i}") for i in range(300))))
    assert found["frame_functions"] == [f"f{i}" for i in range(50, 300)]


def test_threads_are_the_fallback_for_frames_and_tell_the_main_thread() -> None:
    found = error(
        exception=thrown("A", "x", thread_id=2),
        threads={
            "values": [
                {"id": 1, "stacktrace": {"frames": [frame("idle")]}},
                {"id": 2, "crashed": True, "main": True, "stacktrace": {"frames": [frame("f")]}},
            ]
        },
    )
    assert found["frame_functions"] == ["f"]
    assert found["exception_main_thread"] == 1


def test_the_message_finds_log_text_exception_and_culprit() -> None:
    found = error(
        logentry={"formatted": "while paying"},
        exception=thrown("PayError", "declined"),
        transaction="/pay",
    )
    assert found["message"] == "while paying PayError declined /pay"
    assert found["transaction"] == found["culprit"] == "/pay"


@pytest.mark.parametrize(
    ("tags", "stored"),
    [
        ({"a": "1", "b": True, "c": 2, "d": None, "e": ""}, {"a": "1", "b": "True", "c": "2"}),
        ([["a", "1"], ["a", "2"], ["b b", "x"]], {"a": "1", "b-b": "x"}),
        ([{"key": "a", "value": "1"}], {"a": "1"}),
        ({"release": "1", "dist": "2", "user": "3", "filename": "4", "function": "5"}, {}),
        ({"k" * 201: "x", "käse": "x", "v": "x" * 201, "n": "a\nb"}, {}),
        ({"v": "x" * 200}, {"v": "x" * 200}),
        ("nonsense", {}),
        ([["a"], 5, ["b", "1", "2"]], {}),
    ],
)
def test_tags_in_both_forms_and_their_limits(tags: Any, stored: dict[str, str]) -> None:
    found = error(message="x", tags=tags)["tags"]
    found.pop("level")
    assert found == stored


def test_a_tag_named_environment_is_the_environment() -> None:
    found = error(message="x", tags={"environment": "dev"})
    assert (found["environment"], "environment" in found["tags"]) == ("dev", False)


@pytest.mark.parametrize(
    ("field", "sent", "stored"),
    [
        ("environment", None, ""),
        ("environment", "None", ""),
        ("environment", "a/b", ""),
        ("environment", "x" * 65, ""),
        ("environment", " dev ", "dev"),
        ("release", "..", ""),
        ("release", "a\nb", ""),
        ("release", "//", ""),
        ("release", "r" * 201, ""),
        ("release", "r" * 200, "r" * 200),
        ("dist", "a b", ""),
        ("dist", "7", "7"),
    ],
)
def test_labels_that_break_their_rules_are_absent(field: str, sent: Any, stored: str) -> None:
    assert error(**{"message": "x", field: sent})[field] == stored


def test_the_detail_payload_keeps_what_people_read() -> None:
    found = error(
        exception=thrown("A", "x", *(frame(f"f{i}", vars={"a": "1"}) for i in range(60))),
        request={"url": "https://x/", "method": "GET"},
        breadcrumbs=[{"message": f"{i}"} for i in range(150)],
        extra={"big": "x" * 20_000, "small": 1},
        contexts={"os": {"name": "Linux"}},
        unknown_field={"x": 1},
    )
    payload = msgspec.json.decode(found["payload"])
    frames = payload["exception"]["stacktrace"]["frames"]
    assert ["vars" in f for f in frames] == [False] * 10 + [True] * 50
    assert len(payload["breadcrumbs"]["values"]) == 100
    assert len(payload["extra"]["big"]) == 16 * 1024
    assert payload["extra"]["small"] == 1
    assert payload["request"]["method"] == "GET"
    assert "unknown_field" not in payload


def test_missing_times_are_the_time_of_receipt() -> None:
    assert error(message="x")["timestamp"] == datetime.fromtimestamp(RECEIVED, UTC)


def test_breadcrumbs_move_with_a_drifting_clock() -> None:
    event = {
        "message": "x",
        "timestamp": RECEIVED - 7200,
        "breadcrumbs": {"values": [{"timestamp": RECEIVED - 7201}]},
    }
    built = build(Kind.EVENT, event, sent_at=RECEIVED - 7200)
    found = built.tables["errors"].to_pylist()[0]
    assert found["timestamp"] == datetime.fromtimestamp(RECEIVED, UTC)
    crumbs = msgspec.json.decode(found["payload"])["breadcrumbs"]["values"]
    assert crumbs == [{"timestamp": RECEIVED - 1}]


def test_errors_older_than_the_retention_are_dropped() -> None:
    event = {"message": "x", "timestamp": RECEIVED - 8 * 86400}
    built = build(Kind.EVENT, event, options=ProjectOptions(retention_days=7))
    assert [r.reason for r in built.rejected] == ["too_old"]
    assert build(Kind.EVENT, event).rejected == []


def test_the_envelope_id_wins_and_zeros_are_no_id() -> None:
    sent, header = "a" * 32, "b" * 32

    def event_id(payload_id: str | None, envelope_id: str) -> str:
        built = build(Kind.EVENT, {"event_id": payload_id}, event_id=envelope_id)
        return str(built.tables["errors"]["event_id"][0].as_py().hex())

    assert event_id(sent, header) == header
    assert event_id(sent, "") == sent
    assert event_id("aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa", "") == sent
    assert event_id("0" * 32, "") not in ("0" * 32, "")
    assert event_id(None, "") == event_id(None, "")


class TestIssues:
    def test_line_numbers_values_and_releases_do_not_split_an_issue(self) -> None:
        one = issue(exception=thrown("A", "x 1", frame("f", lineno=1)), release="1.0")
        two = issue(exception=thrown("A", "y 2", frame("f", lineno=99)), release="2.0")
        assert one == two

    def test_frames_of_libraries_do_not_count_where_the_application_has_some(self) -> None:
        one = issue(exception=thrown("A", "x", frame("lib", False), frame("f")))
        two = issue(exception=thrown("A", "x", frame("other", False), frame("f")))
        assert one == two

    @pytest.mark.parametrize(
        "other",
        [
            thrown("B", "x", frame("f")),
            thrown("A", "x", frame("g")),
            thrown("A", "x", frame("f", module="shop.other")),
            thrown("A", "x"),
        ],
    )
    def test_type_function_and_module_split_issues(self, other: dict[str, Any]) -> None:
        assert issue(exception=thrown("A", "x", frame("f"))) != issue(exception=other)

    def test_build_hashes_in_file_names_do_not_split_an_issue(self) -> None:
        def at(filename: str) -> bytes:
            return issue(exception=thrown("A", "x", frame("f", module=None, filename=filename)))

        assert at("app.3f2e1a9b.js") == at("app.77de68d0.js") != at("vendor.77de68d0.js")

    @pytest.mark.parametrize(
        ("one", "two", "same"),
        [
            ("user 17 not found", "user 18 not found", True),
            ("at 2026-01-01T00:00:00Z", "at 2025-05-05T10:11:12Z", True),
            (
                "id 9e93f290-05ae-b223-9e93-f29005aeb223",
                "id 1a839738df2b4d3bbc3adbdf8939cb12",
                True,
            ),
            ("disk full", "disk empty", False),
        ],
    )
    def test_messages_group_without_their_values(self, one: str, two: str, same: bool) -> None:
        assert (issue(message=one) == issue(message=two)) is same

    def test_log_templates_group_whatever_their_parameters(self) -> None:
        one = issue(logentry={"message": "hello %s", "params": ["ann"]})
        assert one == issue(logentry={"message": "hello %s", "params": ["bob"]})

    def test_a_fingerprint_replaces_the_default(self) -> None:
        one = issue(message="x", fingerprint=["pay", "eu"])
        assert one == issue(message="y", fingerprint=["pay", "eu"])
        assert one != issue(message="x", fingerprint=["pay", "us"])
        assert one != issue(message="x")

    @pytest.mark.parametrize("default", ["{{ default }}", "{{default}}"])
    def test_the_placeholder_stands_for_the_default(self, default: str) -> None:
        assert issue(message="x", fingerprint=[default]) == issue(message="x")
        extended = issue(message="x", fingerprint=[default, "eu"])
        assert extended != issue(message="x")
        assert extended != issue(message="y", fingerprint=[default, "eu"])

    def test_a_fingerprint_may_name_fields(self) -> None:
        def at(transaction: str) -> bytes:
            return issue(message="x", transaction=transaction, fingerprint=["{{ transaction }}"])

        assert at("/a") == at("/a") != at("/b")

    def test_a_batch_reports_each_issue_once_per_project(self) -> None:
        def sent(project: int, seconds: float, level: str) -> Any:
            payload = {"message": "x", "timestamp": RECEIVED - seconds, "level": level}
            return record(Kind.EVENT, payload, project_id=project)

        records = [sent(1, 5, "info"), sent(1, 1, "fatal"), sent(1, 9, "error"), sent(2, 3, "info")]
        groups = build_tables(records, DigestContext()).groups
        assert [(g.project_id, g.count, g.level) for g in groups] == [
            (1, 3, "fatal"),
            (2, 1, "info"),
        ]
        assert groups[0].first_seen == RECEIVED - 9
        assert groups[0].last_seen == RECEIVED - 1
        assert groups[0].primary_hash == groups[1].primary_hash
