"""Questions as clients ask them, answered by the real engine: parameters in, JSON out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from groundswell.model.tenancy import Scope
from groundswell.stats import serialize, serialize_timeseries
from groundswell.stats.request import parse_count, parse_series, parse_table, parse_timeseries
from groundswell.stats.statistics import Statistics
from groundswell.stats.validate import validate

# Midnight, two days ago: inside every retention, and never ahead.
MIDNIGHT = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=2)
NOW = MIDNIGHT + timedelta(days=1)


def clock(text: str) -> datetime:
    """`10:05` or `10:05:07` of the day of the tests."""
    hours, minutes, seconds = (*(int(part) for part in text.split(":")), 0, 0)[:3]
    return MIDNIGHT + timedelta(hours=hours, minutes=minutes, seconds=seconds)


def unix(text: str) -> int:
    return int(clock(text).timestamp())


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who asks, from 10:00 to 14:00 by the hour where nothing else is said."""

    statistics: Statistics
    scope: Scope
    start: str = "10:00"
    end: str = "14:00"

    def between(self, start: str, end: str) -> Asker:
        return replace(self, start=start, end=end)

    async def events_stats(self, **params: str | Sequence[str]) -> Any:
        asked = parse_series(self._params(params), self.scope, NOW, self.statistics.retention)
        answer = await self.statistics.series(asked)
        return _json(serialize.events_stats(answer, names_as_typed=asked.names_as_typed))

    async def events_timeseries(self, **params: str | Sequence[str]) -> Any:
        asked = parse_timeseries(self._params(params), self.scope, NOW, self.statistics.retention)
        answer = await self.statistics.series(asked)
        window = asked.asking.window
        return _json(serialize_timeseries.events_timeseries(answer, window, NOW))

    async def events(self, **params: str | Sequence[str]) -> Any:
        asked = parse_table(self._params(params), self.scope, NOW, self.statistics.retention)
        return _json(serialize.events(await self.statistics.table(asked)))

    async def count(self, **params: str | Sequence[str]) -> Any:
        asked = parse_count(self._params(params), self.scope, NOW, self.statistics.retention)
        answer = await self.statistics.table(asked)
        return answer.rows[0]["count()"]

    async def validate(self, **params: str | Sequence[str]) -> Any:
        return await validate(self.statistics, self._params(params), self.scope, NOW)

    def _params(self, params: dict[str, str | Sequence[str]]) -> dict[str, list[str]]:
        lists = {
            name: [value] if isinstance(value, str) else list(value)
            for name, value in params.items()
        }
        if "statsPeriod" in lists:
            return {"interval": ["1h"], **lists}

        times = {
            "start": [clock(self.start).isoformat()],
            "end": [clock(self.end).isoformat()],
        }
        return {"interval": ["1h"], **times, **lists}


def _json(body: object) -> Any:
    return msgspec.json.decode(msgspec.json.encode(body))


def counts(series: Any) -> list[float | int | None]:
    """The values of a series, without their times."""
    return [values[0]["count"] for _, values in series["data"]]
