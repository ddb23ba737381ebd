"""Issues: one id per fingerprint and project, running numbers, counted once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from groundswell.store.metadata import Metadata, issues
from groundswell.store.metadata.issues import Sighting, parse_number, short_id
from groundswell.store.metadata.organizations import create_organization
from groundswell.store.metadata.projects import create_project

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def projects(metadata: Metadata) -> tuple[int, int]:
    with metadata.begin() as connection:
        organization = create_organization(connection, "acme", now=NOW)
        return (
            create_project(connection, organization.id, "web", now=NOW).id,
            create_project(connection, organization.id, "api", now=NOW).id,
        )


def _seen(project: int, digest: str, count: int = 1) -> Sighting:
    return Sighting(
        project, digest * 32, "ValueError: x", "in f", "error", "error", "python", NOW, NOW, count
    )


def _record(metadata: Metadata, cut: int, *seen: Sighting, spool: str = "s") -> list[int]:
    with metadata.begin() as connection:
        return issues.record_batch(connection, spool, cut, seen)


def test_ids_are_unique_in_the_installation_and_numbers_run_per_project(
    metadata: Metadata, projects: tuple[int, int]
) -> None:
    web, api = projects
    ids = _record(metadata, 1, _seen(web, "b"), _seen(api, "b"), _seen(web, "a"), _seen(web, "b"))
    assert ids[0] == ids[3]
    assert len(set(ids)) == 3
    with metadata.begin() as connection:
        found = issues.get(connection, ids)
    assert sorted((row.project_id, row.number) for row in found.values()) == [
        (web, 1),
        (web, 2),
        (api, 1),
    ]


def test_a_batch_that_comes_again_is_not_counted_again(
    metadata: Metadata, projects: tuple[int, int]
) -> None:
    row = _seen(projects[0], "c", 3)
    (first,) = _record(metadata, 1, row)
    later = replace(row, last_seen=NOW.replace(hour=5), title="new", count=2)
    assert _record(metadata, 2, later) == [first]
    assert _record(metadata, 2, later) == [first]
    assert _record(metadata, 1, row) == [first]
    with metadata.begin() as connection:
        found = issues.get(connection, [first])[first]
    assert (found.times_seen, found.title) == (5, "new")
    assert (found.first_seen, found.last_seen) == (NOW, NOW.replace(hour=5))


def test_writers_at_the_same_time_agree(metadata: Metadata, projects: tuple[int, int]) -> None:
    rows = [_seen(projects[0], digit) for digit in "0123456789abcdef"]
    with ThreadPoolExecutor(4) as threads:
        found = list(
            threads.map(
                lambda spool: _record(metadata, 1, *rows, spool=spool), ["a", "b", "c", "d"]
            )
        )
    assert found[0] == found[1] == found[2] == found[3]
    with metadata.begin() as connection:
        seen = issues.get(connection, found[0])
    assert {row.times_seen for row in seen.values()} == {4}


def test_issues_of_a_deleted_project_have_no_id(metadata: Metadata) -> None:
    assert _record(metadata, 1, _seen(999, "a")) == [0]


@pytest.mark.parametrize(
    ("number", "text"), [(1, "WEB-1"), (31, "WEB-V"), (32, "WEB-10"), (42, "WEB-1A")]
)
def test_short_ids(number: int, text: str) -> None:
    assert short_id("web", number) == text
    assert parse_number(text.rpartition("-")[2]) == number


@pytest.mark.parametrize("text", ["", "W", "-1", "1 ", "٣"])
def test_what_is_no_number(text: str) -> None:
    assert parse_number(text) is None
