"""Versions, newest first."""

from __future__ import annotations

import pytest

from groundswell.stats.releases import newest_first


@pytest.mark.parametrize(
    ("by_date", "expected"),
    [
        (("web@1.9.0", "web@1.10.0", "web@1.2.0"), ("web@1.10.0", "web@1.9.0", "web@1.2.0")),
        (("1.0.0-rc.1", "1.0.0", "0.9"), ("1.0.0", "1.0.0-rc.1", "0.9")),
        (("web@2.0", "web@2.0.0.1"), ("web@2.0.0.1", "web@2.0")),
        # Not semantic versions: by the date of their first event.
        (("f00dfeed", "abc", "deadbeef"), ("f00dfeed", "abc", "deadbeef")),
        # A stray name does not change the rule of the project.
        (("hotfix", "1.0.0", "2.0.0", "1.5.0"), ("2.0.0", "1.5.0", "1.0.0", "hotfix")),
    ],
)
def test_order(by_date: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert newest_first([1] * len(by_date), by_date) == {1: expected}


def test_projects_are_apart() -> None:
    assert newest_first([1, 2, 1, 2], ["b", "1.0", "", "2.0"]) == {1: ("b",), 2: ("2.0", "1.0")}
