"""Releases as versions: `package@1.2.3.4-alpha+build` in the order of semantic versions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

_RELEASE = re.compile(
    r"(?:(?P<package>[^@]+)@)?(?P<major>\d{1,18})(?:\.(?P<minor>\d{1,18}))?(?:\.(?P<patch>\d{1,18}))?"
    r"(?:\.(?P<revision>\d{1,18}))?(?:-(?P<pre>[0-9A-Za-z.-]+))?(?:\+(?P<build>[0-9A-Za-z.-]+))?",
    re.ASCII,
)
_WILD = re.compile(r"(\d{1,18})(?:\.(\d{1,18}))?(?:\.(\d{1,18}))?\.[*xX]", re.ASCII)
_COUNTED = 10


@dataclass(frozen=True, slots=True)
class Version:
    """One release, taken apart. `order` compares as the language compares."""

    package: str
    numbers: tuple[int, int, int, int]
    pre: str
    build: str

    @property
    def order(self) -> tuple[tuple[int, int, int, int], bool, str]:
        return self.numbers, not self.pre, self.pre


@lru_cache(16_384)
def parse_version(text: str) -> Version | None:
    """Take a release apart; None when it is no version."""
    match = _RELEASE.fullmatch(text)
    if match is None:
        return None

    numbers = tuple(int(match[part] or 0) for part in ("major", "minor", "patch", "revision"))
    return Version(match["package"] or "", numbers, match["pre"] or "", match["build"] or "")  # type: ignore[arg-type]


def parse_prefix(text: str) -> tuple[int, ...] | None:
    """Read `1.*` or `1.2.x` → the numbers that must be equal."""
    match = _WILD.fullmatch(text)
    return None if match is None else tuple(int(part) for part in match.groups() if part)


def newest(releases: Iterable[str]) -> str | None:
    """Choose the newest of releases that come newest first: by version where the project follows
    versions, else by date."""
    known = list(releases)
    if not known:
        return None

    versions = [(parse_version(release), release) for release in known]
    recent = versions[:_COUNTED]
    if sum(version is not None and "." in release for version, release in recent) * 2 > len(recent):
        return max(
            ((version.order, release) for version, release in versions if version is not None),
        )[1]

    return known[0]
