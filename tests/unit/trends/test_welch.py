"""Welch's test against values of published tables."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from groundswell.trends.breakpoints.welch import two_sided, welch


@pytest.mark.parametrize(
    ("t", "freedom", "p"),
    [
        (12.706, 1, 0.05),
        (4.303, 2, 0.05),
        (2.228, 10, 0.05),
        (3.169, 10, 0.01),
        (2.042, 30, 0.05),
        (1.980, 120, 0.05),
        (1.95996, 1e9, 0.05),
        (0.0, 5, 1.0),
    ],
)
def test_two_sided(t: float, freedom: float, p: float) -> None:
    assert two_sided(t, freedom) == pytest.approx(p, rel=2e-3)
    assert two_sided(-t, freedom) == two_sided(t, freedom)


def test_unequal_variances() -> None:
    # t = (3 - 8) / sqrt(2.5/5 + 10/5), 5.88 degrees of freedom.
    t, p = welch(np.array([1.0, 2, 3, 4, 5]), np.array([4.0, 6, 8, 10, 12]))

    assert t == pytest.approx(-3.16228, abs=1e-5)
    assert p == pytest.approx(0.0200, abs=5e-4)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([1, 1, 1], [2, 2], (-inf, 0.0)),
        ([2, 2], [1, 1, 1], (inf, 0.0)),
        ([3, 3], [3, 3], (0.0, 1.0)),
        ([0.1] * 3, [0.1] * 7, (0.0, 1.0)),
        ([1], [5, 6], (0.0, 1.0)),
        ([], [5, 6], (0.0, 1.0)),
    ],
)
def test_without_variance(
    before: list[float], after: list[float], expected: tuple[float, float]
) -> None:
    assert welch(np.array(before, float), np.array(after, float)) == expected
