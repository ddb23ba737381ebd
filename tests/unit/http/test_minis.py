"""A small chart drawn by the server stays in its frame."""

from __future__ import annotations

from itertools import pairwise

import pytest

from groundswell.http.web.minis import HEIGHT, WIDTH, mini

HOUR, START = 3600, 1_772_409_600
STAMPS = tuple(START + i * HOUR for i in range(48))
VALUES = (*(100.0,) * 24, *(250.0,) * 24)
AT = START + 24 * HOUR


def test_mini_chart_stays_in_its_frame():
    small = mini(STAMPS, (None, *VALUES[1:]), at=AT, before=100.0, after=250.0)
    points = [tuple(map(float, point.split())) for point in small.line[1:].split("L")]
    assert len(points) == 47
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    assert all(a[0] < b[0] for a, b in pairwise(points))
    assert small.rule == pytest.approx(WIDTH * 24 / 47, abs=0.1)


def test_mini_chart_of_nothing_is_empty():
    assert mini((), ()).line == ""
    assert mini(STAMPS, (None,) * 48).line == ""
