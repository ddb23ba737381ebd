"""The detector on series whose story is known, and on input that nobody would send on purpose."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from groundswell.trends.breakpoints import detect, detect_many

HOUR = 3600
T0 = 1_732_147_200  # a Thursday, midnight UTC
NAN = float("nan")


def times(count: int, step: int = HOUR) -> np.ndarray:
    return T0 + step * np.arange(count)


def latencies(
    count: int, seed: int = 0, *, at: int | None = None, ratio: float = 1.0, spread: float = 0.1
) -> np.ndarray:
    values = 100 * np.exp(np.random.default_rng(seed).normal(0, spread, count))
    if at is not None:
        values[at:] *= ratio
    return values


def found(
    values: Any, weights: Any = None, *, kind: Any = "latency", step: int = HOUR
) -> list[int]:
    values = np.asarray(values, dtype=float)
    if weights is None:
        weights = np.where(np.isfinite(values), 100.0 if kind != "count" else 1.0, 0.0)
    return [b.index for b in detect(values, times(len(values), step), weights, kind=kind)]


def reason(values: Any, weights: Any = None, *, kind: Any = "latency") -> str | None:
    values = np.asarray(values, dtype=float)
    if weights is None:
        weights = np.where(np.isfinite(values), 100.0 if kind != "count" else 1.0, 0.0)
    (finding,) = detect_many(values[None], times(len(values)), weights[None], kind=kind)
    assert not finding.breakpoints
    return finding.reason


@pytest.mark.parametrize("ratio", [1.3, 2.0, 0.5])
@pytest.mark.parametrize("at", [60, 168, 300])
def test_a_step_is_found_where_it_is(at: int, ratio: float) -> None:
    values = latencies(336, at, at=at, ratio=ratio)
    (b,) = detect(values, times(336), np.full(336, 50.0), kind="latency")

    assert abs(b.index - at) <= 2
    assert b.breakpoint == T0 + HOUR * b.index
    assert (b.direction, b.change) == ((1, "regression") if ratio > 1 else (-1, "improvement"))
    assert b.trend_percentage == pytest.approx(ratio, rel=0.05)
    assert b.trend_percentage == pytest.approx(b.aggregate_range_2 / b.aggregate_range_1)
    assert b.trend_difference == pytest.approx(b.aggregate_range_2 - b.aggregate_range_1)
    assert b.absolute_percentage_change == abs(b.trend_percentage)
    assert (b.unweighted_t_value < 0) == (ratio > 1)
    assert 0 <= b.unweighted_p_value < 1e-4
    assert 1e-12 <= b.p_value < 1e-3
    assert b.interval[0] <= b.breakpoint <= b.interval[1]
    assert b.confidence == "very strong"


def test_levels_are_weighted_by_events() -> None:
    values = np.array(([10.0, 30.0] * 30) + ([40.0, 120.0] * 30))
    weights = np.array([300.0, 100.0] * 60)
    (b,) = detect(values, times(120), weights, kind="latency")

    assert (b.aggregate_range_1, b.aggregate_range_2) == (15.0, 60.0)
    assert (b.count_range_1, b.count_range_2) == (12_000, 12_000)


def test_history_from_before_a_series_existed_is_cut() -> None:
    values = np.full(336, NAN)
    values[288:] = latencies(48, 3, at=30, ratio=5.0)

    assert found(values) == [318]


def test_history_of_zero_counts_is_cut_too() -> None:
    counts = np.zeros(336)
    counts[200:] = np.random.default_rng(1).poisson(40, 136)

    assert found(counts, kind="count") == []


def test_the_start_of_a_series_does_not_change_its_answer() -> None:
    values = latencies(100, 4, at=60, ratio=2.0)
    alone = detect(values, times(100), np.full(100, 9.0), kind="latency")
    padded = np.concatenate([np.full(37, NAN), values])
    after = detect(
        padded, times(137) - 37 * HOUR, np.concatenate([np.zeros(37), np.full(100, 9.0)]),
        kind="latency",
    )  # fmt: skip

    assert [replace(b, index=b.index - 37) for b in after] == alone


def test_a_count_that_falls_to_nothing_is_a_change() -> None:
    counts = np.random.default_rng(2).poisson(30, 336).astype(float)
    counts[250:] = 0
    (b,) = detect(counts, times(336), np.ones(336), kind="count")

    assert (b.index, b.direction, b.aggregate_range_2, b.trend_percentage) == (250, -1, 0.0, 0.0)


def test_few_events_a_bucket_are_no_reason_to_stay_silent() -> None:
    values = latencies(336, 5, at=200, ratio=2.0, spread=0.15)
    (b,) = detect(values, times(336), np.full(336, 2.0), kind="latency")

    assert abs(b.index - 200) <= 2


def test_a_clear_step_is_found_although_traffic_moved_with_it() -> None:
    values = latencies(336, 6, at=200, ratio=4.0, spread=0.1)
    weights = np.where(np.arange(336) < 200, 2.0, 60.0)

    assert len(found(values, weights)) == 1


def test_a_percentile_that_only_follows_traffic_is_no_change() -> None:
    noise = np.random.default_rng(7)
    few = [np.quantile(noise.lognormal(4, 0.5, 2), 0.95) for _ in range(168)]
    many = [np.quantile(noise.lognormal(4, 0.5, 400), 0.95) for _ in range(168)]
    weights = np.repeat([2.0, 400.0], 168)

    assert reason(np.array(few + many), weights) == "too little traffic"


@pytest.mark.parametrize("kind", ["latency", "count", "rate"])
def test_two_flat_levels_without_noise_are_a_change(kind: Any) -> None:
    low, high = (0.1, 0.3) if kind == "rate" else (100.0, 200.0)
    values = np.repeat([low, high], [50, 50])
    (b,) = detect(values, times(100), np.full(100, 1.0 if kind == "count" else 50.0), kind=kind)

    assert (b.index, b.aggregate_range_1, b.aggregate_range_2) == (
        50, pytest.approx(low), pytest.approx(high),
    )  # fmt: skip
    assert np.isfinite(b.z)
    assert b.unweighted_p_value == 0
    assert b.unweighted_t_value == -np.inf


def test_events_of_the_history_count_for_a_side() -> None:
    # Three levels: the middle one is short, but all that lies before a change is its evidence.
    values = np.repeat([100.0, 200.0, 500.0], [180, 60, 96]) * latencies(336, 8, spread=0.02) / 100
    weights = np.repeat([5.0, 0.4, 5.0], [180, 60, 96])

    assert len(found(values, weights)) == 2


def test_little_traffic_is_said() -> None:
    assert reason(latencies(60, 9, at=30, ratio=4), np.full(60, 0.5)) == "too little traffic"


def test_a_daily_habit_is_no_change() -> None:
    daily = 1 + 0.5 * np.sin(2 * np.pi * np.arange(336) / 24)

    assert reason(latencies(336, 10) * daily) == "seasonal"


def test_weekends_are_no_changes() -> None:
    weekend = np.isin((times(336) // 86_400 + 4) % 7, (0, 6))
    values = latencies(336, 11) * np.where(weekend, 0.6, 1.0)

    assert found(values) == []
    assert found(values[:168]) == []


def test_a_step_is_found_among_habits() -> None:
    weekend = np.isin((times(336) // 86_400 + 4) % 7, (0, 6))
    daily = 1 + 0.4 * np.sin(2 * np.pi * np.arange(336) / 24)
    values = latencies(336, 12, at=185, ratio=1.8) * daily * np.where(weekend, 0.7, 1.0)
    (at,) = found(values)

    assert abs(at - 185) <= 3


@pytest.mark.parametrize("spikes", [[100], [40, 90, 200, 280], [334, 335], [0, 1]])
def test_spikes_are_no_changes(spikes: list[int]) -> None:
    values = latencies(336, 13)
    values[spikes] *= 20

    assert reason(values) == "spike"


def test_a_ramp_is_one_gradual_change() -> None:
    values = latencies(336, 14, spread=0.05) * np.exp(np.interp(np.arange(336), [150, 175], [0, 1]))
    (b,) = detect(values, times(336), np.full(336, 100.0), kind="latency")

    assert 145 <= b.index <= 180
    assert b.ramp is not None
    assert b.ramp[0] <= b.breakpoint <= b.ramp[1]


def test_several_changes_come_oldest_first() -> None:
    values = latencies(336, 15)
    values[100:] *= 2
    values[220:] *= 0.4

    assert found(values) == [100, 220]


def test_gaps_say_nothing() -> None:
    values = latencies(336, 16, at=200, ratio=2.0)
    values[60:120] = NAN
    values[260:275] = NAN
    (at,) = found(values)

    assert abs(at - 200) <= 2
    values[200:] /= 2
    assert found(values) == []


def test_a_small_change_is_too_small() -> None:
    assert reason(latencies(336, 17, at=168, ratio=1.06, spread=0.01)) == "too small"


ODD = {
    "zeros": np.zeros(100),
    "constant": np.full(100, 7.0),
    "nan": np.full(100, NAN),
    "infinite": np.where(np.arange(100) % 3 == 0, np.inf, 5.0),
    "huge": np.geomspace(1, 1e300, 100),
    "tiny": np.full(100, 1e-300),
    "negative": -latencies(100),
    "one": np.array([3.0]),
    "two": np.array([3.0, 4.0]),
    "eleven": latencies(11),
    "empty": np.array([]),
    "one value": np.concatenate([np.full(50, NAN), [4.0], np.full(49, NAN)]),
    "every other": np.where(np.arange(100) % 2 == 0, NAN, 5.0),
    "alternating": np.where(np.arange(100) % 2 == 0, 1.0, 1000.0),
}


@pytest.mark.parametrize("kind", ["latency", "count", "rate"])
@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("step", [60, HOUR, 86_400])
def test_odd_input_gives_an_answer_or_a_reason(name: str, kind: Any, step: int) -> None:
    values = ODD[name]
    with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("error")
        (finding,) = detect_many(
            values[None], times(len(values), step), np.full((1, len(values)), 10.0), kind=kind
        )

    if name != "huge":
        assert not finding.breakpoints
        assert finding.reason is not None


def test_the_same_answer_alone_and_among_a_thousand() -> None:
    rows = [latencies(168, seed, at=30 + seed % 100, ratio=1 + seed % 3) for seed in range(150)]
    rows[7][:50] = NAN
    table = np.array(rows)
    weights = np.where(np.isfinite(table), 20.0, 0.0)
    together = detect_many(table, times(168), weights, kind="latency")

    for row in (0, 7, 99, 149):
        assert list(together[row].breakpoints) == detect(
            table[row], times(168), weights[row], kind="latency"
        )


def test_unchanged_noise_stays_silent() -> None:
    noise = np.random.default_rng(18)
    table = 100 * np.exp(noise.normal(0, 0.2, (300, 336)))
    findings = detect_many(table, times(336), np.full(table.shape, 50.0), kind="latency")

    assert sum(bool(finding.breakpoints) for finding in findings) <= 2


@pytest.mark.parametrize(("traffic", "share"), [(1, 0.05), (5, 0.05), (1, 0.2), (200, 0.002)])
def test_a_rare_failure_is_no_change(traffic: int, share: float) -> None:
    noise = np.random.default_rng(traffic)
    events = noise.poisson(traffic, (60, 336)).astype(float)
    failed = noise.binomial(events.astype(int), share)
    values = np.where(events > 0, failed / np.maximum(events, 1), NAN)
    findings = detect_many(values, times(336), events, kind="rate")

    assert [each.breakpoints for each in findings] == [()] * 60


def test_a_rare_failure_that_becomes_frequent_is_found() -> None:
    noise = np.random.default_rng(3)
    events = noise.poisson(6, 336).astype(float)
    chance = np.where(np.arange(336) < 200, 0.03, 0.3)
    values = np.where(
        events > 0, noise.binomial(events.astype(int), chance) / np.maximum(events, 1), NAN
    )
    (at,) = found(values, events, kind="rate")

    assert abs(at - 200) <= 4


@pytest.mark.parametrize("hours_before", [5, 2, -10])
def test_a_step_beside_a_weekend_is_not_found_where_the_weekend_ends(hours_before: int) -> None:
    noise = np.random.default_rng(5)
    weekday = (times(336) // 86_400 + 4) % 7
    saturday = int(np.flatnonzero(weekday == 6)[24])
    mean = 240 * np.where((weekday == 0) | (weekday == 6), 0.3, 1.0)
    mean = mean * (1 + 0.5 * np.sin(2 * np.pi * np.arange(336) / 24))
    at = saturday - hours_before
    mean[at:] *= 1.9

    assert found(noise.poisson(mean), kind="count") == pytest.approx([at], abs=5)


def test_order_and_left_out_rows_do_not_matter() -> None:
    values, at = latencies(336, at=200, ratio=1.6), times(336)
    (told,) = detect(values, at, kind="latency")
    (turned,) = detect(values[::-1], at[::-1], kind="latency")
    some = np.r_[0:100, 150:336]
    (gappy,) = detect(values[some], at[some], kind="latency")

    assert (told.breakpoint, told.direction) == (turned.breakpoint, turned.direction)
    assert (told.breakpoint, told.direction) == (gappy.breakpoint, gappy.direction)
    assert (told.index, turned.index, gappy.index) == (200, 135, 150)


@pytest.mark.parametrize(
    ("at", "kind", "words"),
    [
        (times(336), "p95", "kind must be one of latency, count, rate"),
        (np.where(np.arange(336) == 3, NAN, times(336)), "latency", "timestamps must be finite"),
    ],
)
def test_refusals(at: Any, kind: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        detect(latencies(336), at, kind=kind)


@pytest.mark.parametrize("first", range(7))
def test_buckets_of_a_day_know_no_weekends(first: int) -> None:
    before = [410, 408, 412.5, 423.5, 388.5, 424.5, 388, 403]
    after = [1165.5, 1265.5, 1219.5, 1230.5, 1180, 1175]
    at = T0 + 86_400 * (np.arange(14) + first)
    (b,) = detect([*before, *after], at, np.full(14, 96.0), kind="latency")

    assert b.index == 8


def test_one_bucket_before_a_gap_is_no_level() -> None:
    counts = np.full(336, NAN)
    counts[:200] = 12
    counts[200] = 0

    assert found(counts, np.ones(336), kind="count") == []
    counts[201:206] = 0
    (b,) = detect(counts, times(336), kind="count")
    assert (b.index, b.count_range_1, b.count_range_2) == (200, 2400, 0)
